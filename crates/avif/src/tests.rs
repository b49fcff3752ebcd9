//! Both ways, files of another encoder, crafted containers, damaged files.

use std::panic::catch_unwind;

use heif::Container;
use heif::samples::{Sample, SampleItem, alpha_type, av1c, boxed, clap, ispe, nclx, shorts};

use crate::*;

const FULL: &[u8] = include_bytes!("fixtures/full.avif");
const QUARTER: &[u8] = include_bytes!("fixtures/quarter.avif");
const ALPHA: &[u8] = include_bytes!("fixtures/alpha.avif");
const PROFILE: &[u8] = include_bytes!("fixtures/profile.avif");
const GRAY: &[u8] = include_bytes!("fixtures/gray.avif");
const LOSSLESS: &[u8] = include_bytes!("fixtures/lossless.avif");
const DEEP: &[u8] = include_bytes!("fixtures/deep.avif");
const DEEPER: &[u8] = include_bytes!("fixtures/deeper.avif");
const CROPPED: &[u8] = include_bytes!("fixtures/cropped.avif");

const RED: [u8; 3] = [220, 40, 30];
const GREEN: [u8; 3] = [40, 200, 60];
const BLUE: [u8; 3] = [30, 60, 210];
const WHITE: [u8; 3] = [240, 240, 240];

/// The four corners, as RGB.
fn corners(picture: &Picture) -> [[u8; 3]; 4] {
    let (width, height) = (picture.width as usize, picture.height as usize);
    [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)].map(|(x, y)| {
        match picture.bytes[(y * width + x) * picture.layout.channels()..] {
            [gray, ..] if picture.layout == Layout::Gray => [gray; 3],
            [r, g, b, ..] => [r, g, b],
            _ => panic!("no pixel at {x}, {y}"),
        }
    })
}

fn are_close(found: &[[u8; 3]], expected: &[[u8; 3]], tolerance: u8) -> bool {
    found.as_flattened().iter().zip(expected.as_flattened()).all(|(a, b)| a.abs_diff(*b) <= tolerance)
}

/// Four quarters of one colour each.
fn quarters(width: u32, height: u32, layout: Layout, colors: [[u8; 4]; 4]) -> Vec<u8> {
    let pixel = |x, y| colors[usize::from(y * 2 >= height) * 2 + usize::from(x * 2 >= width)];
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)[..layout.channels()].to_vec())).collect()
}

const COLORS: [[u8; 4]; 4] = [[220, 40, 30, 255], [40, 200, 60, 255], [30, 60, 210, 255], [240, 240, 240, 0]];

fn encoded(width: u32, height: u32, layout: Layout, quality: u8, effort: u8) -> Vec<u8> {
    let bytes = quarters(width, height, layout, COLORS);
    encode(&Pixels { width, height, layout, bytes: &bytes }, &Options { quality, effort }).unwrap()
}

#[test]
fn files_of_another_encoder_show_the_same_picture() {
    for (name, file, tolerance) in [
        ("full", FULL, 8),
        ("quarter", QUARTER, 8),
        ("alpha", ALPHA, 8),
        ("lossless", LOSSLESS, 0),
        ("10 bits", DEEP, 8),
        ("12 bits", DEEPER, 8),
    ] {
        let picture = decode(file, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((picture.width, picture.height, picture.orientation), (33, 21, 1), "{name}");
        let layout = if name == "alpha" { Layout::Rgba } else { Layout::Rgb };
        assert_eq!(picture.layout, layout, "{name}");
        let found = corners(&picture);
        // What is clear may have any colour.
        let n = if name == "alpha" { 3 } else { 4 };
        assert!(are_close(&found[..n], &[RED, GREEN, BLUE, WHITE][..n], tolerance), "{name}: {found:?}");
        if name == "alpha" {
            assert_eq!((picture.bytes[3], picture.bytes[picture.bytes.len() - 1]), (255, 0));
        }
    }
}

#[test]
fn a_crop_is_applied() {
    let picture = decode(CROPPED, &Limits::default()).unwrap();
    assert_eq!((picture.width, picture.height), (28, 18));
    assert!(are_close(&corners(&picture), &[RED, GREEN, BLUE, WHITE], 8), "{:?}", corners(&picture));
}

#[test]
fn a_profile_comes_along() {
    let picture = decode(PROFILE, &Limits::default()).unwrap();
    assert!(picture.icc.is_some_and(|icc| icc.get(36..40) == Some(b"acsp")));
    assert_eq!(decode(FULL, &Limits::default()).unwrap().icc, None);
}

#[test]
fn gray_pixels_look_the_same_however_they_are_stored() {
    let picture = decode(GRAY, &Limits::default()).unwrap();
    for [r, g, b] in corners(&picture) {
        assert!(r.abs_diff(g) <= 1 && g.abs_diff(b) <= 1, "{r} {g} {b}");
    }
}

#[test]
fn what_is_encoded_decodes() {
    for (layout, quality) in
        [(Layout::Gray, 80), (Layout::Rgb, 80), (Layout::Rgba, 80), (Layout::Rgb, 95), (Layout::Rgba, 95)]
    {
        for (width, height) in [(64, 48), (33, 21), (17, 1), (1, 9), (1, 1)] {
            let name = format!("{layout:?} {width}x{height} at {quality}");
            let file = encoded(width, height, layout, quality, 1);
            let header = heif::header(&file).unwrap();
            assert_eq!((header.width, header.height, header.bits), (width, height, 8), "{name}");
            assert_eq!(header.is_gray, layout == Layout::Gray, "{name}");
            let picture = decode(&file, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((picture.width, picture.height), (width, height), "{name}");
            assert_eq!((picture.primaries, picture.transfer, &picture.icc), (1, 13, &None), "{name}");
            if width.min(height) < 21 {
                continue;
            }
            assert_eq!(picture.layout, layout, "{name}");
            let expected = match layout {
                Layout::Gray => [[220; 3], [40; 3], [30; 3], [240; 3]],
                _ => [RED, GREEN, BLUE, WHITE],
            };
            assert!(are_close(&corners(&picture), &expected, 10), "{name}: {:?}", corners(&picture));
            if layout == Layout::Rgba {
                assert!(picture.bytes[3] > 250 && picture.bytes[picture.bytes.len() - 1] < 5, "{name}");
            }
        }
    }
}

#[test]
fn every_effort_works_and_quality_costs_bytes() {
    let sizes: Vec<usize> = [10, 50, 90].map(|quality| encoded(64, 48, Layout::Rgb, quality, 4).len()).into();
    assert!(sizes.is_sorted_by(|a, b| a < b), "{sizes:?}");
    for effort in [0, 2, 3, 5, 6, 7, 8, 9, 200] {
        let picture = decode(&encoded(33, 21, Layout::Rgb, 80, effort), &Limits::default()).unwrap();
        assert!(are_close(&corners(&picture), &[RED, GREEN, BLUE, WHITE], 10), "{effort}: {:?}", corners(&picture));
    }
}

/// FNV-1a, so that a changed byte is seen.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3))
}

#[test]
fn pixels_that_are_not_a_picture_are_refused() {
    for (width, height, n_bytes) in [(0, 1, 0), (1, 0, 0), (2, 2, 11), (2, 2, 13), (65_536, 1, 65_536 * 3)] {
        let bytes = vec![0; n_bytes];
        let pixels = Pixels { width, height, layout: Layout::Rgb, bytes: &bytes };
        let error = encode(&pixels, &Options::default()).unwrap_err();
        assert!(matches!(error, AvifError::BadPixels { .. }), "{width}x{height}: {error}");
    }
}

#[test]
fn limits_are_checked_first() {
    let bomb = Sample {
        items: vec![SampleItem::new(b"av01", &[ispe(60_000, 60_000), av1c(0)], b"")],
        ..heif::samples::avif()
    };
    let error = decode(&bomb.bytes(), &Limits::default()).unwrap_err();
    assert_eq!(error, AvifError::TooManyPixels { limit: 50_000_000, actual: 3_600_000_000 });
    let few = Limits { max_memory_bytes: 1 << 20, ..Limits::default() };
    assert!(matches!(decode(FULL, &few), Err(AvifError::TooMuchMemory { .. })));
    let exact = Limits { max_pixels: 33 * 21, ..Limits::default() };
    assert!(decode(FULL, &exact).is_ok());
}

/// The AV1 data and the settings in a file of ours.
fn coded(file: &[u8]) -> Vec<u8> {
    let container = Container::read(file).unwrap();
    container.bytes(&container.primary().unwrap()).unwrap().into_owned()
}

/// A file around one picture of 64x48 pixels in full colour.
fn sample(properties: &[Vec<u8>]) -> Sample {
    let data = coded(&encoded(64, 48, Layout::Rgb, 95, 1));
    let mut all = vec![ispe(64, 48), av1c(0), nclx(6)];
    all.extend_from_slice(properties);
    Sample { items: vec![SampleItem::new(b"av01", &all, &data)], ..heif::samples::avif() }
}

#[test]
fn turns_are_told_and_crops_are_made() {
    let picture = decode(&sample(&[boxed(b"irot", &[1])]).bytes(), &Limits::default()).unwrap();
    assert_eq!((picture.width, picture.height, picture.orientation), (64, 48, 8));
    assert!(are_close(&corners(&picture), &[RED, GREEN, BLUE, WHITE], 10));

    // The right half, less a column.
    let picture = decode(&sample(&[clap(31, 48, [33, 2], [0, 1])]).bytes(), &Limits::default()).unwrap();
    assert_eq!((picture.width, picture.height), (31, 48));
    assert!(are_close(&corners(&picture), &[GREEN, GREEN, WHITE, WHITE], 10), "{:?}", corners(&picture));
}

#[test]
fn a_size_that_is_not_that_of_the_data_is_refused() {
    for (name, size) in [("larger", ispe(65, 48)), ("smaller", ispe(64, 47)), ("turned", ispe(48, 64))] {
        let mut sample = sample(&[]);
        sample.items[0].properties[0] = size;
        let error = decode(&sample.bytes(), &Limits::default()).unwrap_err();
        assert!(matches!(error, AvifError::Corrupt { .. }), "{name}: {error}");
    }
    let mut gray = sample(&[]);
    gray.items[0].properties[1] = av1c(0x10);
    assert!(matches!(decode(&gray.bytes(), &Limits::default()), Err(AvifError::Corrupt { .. })));
}

#[test]
fn very_many_frames_are_refused_unseen() {
    let mut sample = sample(&[]);
    let data = sample.items[0].bytes.clone();
    sample.items[0].bytes = data.repeat(9);
    let error = decode(&sample.bytes(), &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "the file has a picture in very many frames, which is not supported");
    sample.items[0].bytes = data.repeat(2);
    assert!(decode(&sample.bytes(), &Limits::default()).is_ok());
}

#[test]
fn tiles_make_a_grid() {
    let tile = |color: [u8; 4]| {
        let bytes = quarters(64, 64, Layout::Rgb, [color; 4]);
        let pixels = Pixels { width: 64, height: 64, layout: Layout::Rgb, bytes: &bytes };
        let data = coded(&encode(&pixels, &Options { quality: 90, effort: 0 }).unwrap());
        SampleItem::new(b"av01", &[ispe(64, 64), av1c(0)], &data)
    };
    let layout = [&[0, 0, 1, 1][..], &shorts(&[100, 90])].concat();
    let mut whole = SampleItem::new(b"grid", &[ispe(100, 90), nclx(6)], &layout);
    whole.is_in_tables = true;
    let mut sample = heif::samples::avif();
    sample.items = [vec![whole], COLORS.map(tile).to_vec()].concat();
    sample.references = vec![(*b"dimg", 1, vec![2, 3, 4, 5])];
    let picture = decode(&sample.bytes(), &Limits::default()).unwrap();
    assert_eq!((picture.width, picture.height), (100, 90));
    assert!(are_close(&corners(&picture), &[RED, GREEN, BLUE, WHITE], 10), "{:?}", corners(&picture));
    // The seams are where a tile ends, and not in the middle.
    let at = |x: usize, y: usize| picture.bytes[(y * 100 + x) * 3];
    assert!(at(63, 0) > 200 && at(64, 0) < 60 && at(0, 63) > 200 && at(0, 64) < 60);
}

#[test]
fn colours_that_were_multiplied_are_divided() {
    let gray = |value: u8| {
        let pixels = Pixels { width: 64, height: 48, layout: Layout::Gray, bytes: &[value; 64 * 48] };
        coded(&encode(&pixels, &Options { quality: 100, effort: 0 }).unwrap())
    };
    let mut sample = sample(&[]);
    sample.items = vec![
        SampleItem::new(b"av01", &[ispe(64, 48), av1c(0x10)], &gray(50)),
        SampleItem::new(b"av01", &[ispe(64, 48), av1c(0x10), alpha_type()], &gray(100)),
    ];
    sample.references = vec![(*b"auxl", 2, vec![1])];
    let near = |sample: &Sample, expected: [u8; 4]| {
        let picture = decode(&sample.bytes(), &Limits::default()).unwrap();
        assert_eq!(picture.layout, Layout::Rgba);
        let found = &picture.bytes[..4];
        assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 3), "{found:?} for {expected:?}");
    };
    near(&sample, [50, 50, 50, 100]);
    sample.references.push((*b"prem", 1, vec![2]));
    near(&sample, [128, 128, 128, 100]);
    sample.items[1].properties[0] = ispe(48, 64);
    assert!(matches!(decode(&sample.bytes(), &Limits::default()), Err(AvifError::Unsupported { .. })));
}

/// Decodes what may be damaged. A panic of the decoder is caught: in a component it would end the request.
fn survives(file: Vec<u8>) -> bool {
    catch_unwind(|| drop(decode(&file, &Limits { max_pixels: 1 << 20, ..Limits::default() }))).is_ok()
}

#[test]
fn damaged_files_are_refused_or_decoded() {
    let mut n_panics = 0;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for file in [QUARTER, ALPHA, DEEP, LOSSLESS] {
        for length in (0..file.len()).step_by(7) {
            n_panics += u32::from(!survives(file[..length].to_vec()));
        }
        let mut state = 7_u32;
        for _ in 0..400 {
            let mut file = file.to_vec();
            for _ in 0..3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 8) as usize % file.len();
                file[at] ^= 1 << (state >> 5 & 7);
            }
            n_panics += u32::from(!survives(file));
        }
    }
    std::panic::set_hook(hook);
    assert_eq!(n_panics, 0);
}

#[test]
fn bytes_and_pixels_are_the_same_everywhere() {
    let found: Vec<String> = [(Layout::Gray, 50), (Layout::Rgb, 50), (Layout::Rgb, 95), (Layout::Rgba, 70)]
        .map(|(layout, quality)| {
            let bytes: Vec<u8> = (0..96_u32 * 64)
                .flat_map(|at| {
                    let (x, y) = (at % 96, at / 96);
                    [x * x / 16 + y, x * 2 + y * 3, (x ^ y) * 2, 255 - y].into_iter().take(layout.channels())
                })
                .map(|value| value as u8)
                .collect();
            let pixels = Pixels { width: 96, height: 64, layout, bytes: &bytes };
            let file = encode(&pixels, &Options { quality, effort: 4 }).unwrap();
            let picture = decode(&file, &Limits::default()).unwrap();
            format!("{:016x} {:016x}", hash(&file), hash(&picture.bytes))
        })
        .into();
    // Not what is right, but what was: natively and in wasm.
    let expected = [
        "8b633fb57045325b 746ca7edcdb48072",
        "5783e1ae4eaf57bb 562cc70d05e855fc",
        "748e0e6e070aaf52 78c08a374efac5b9",
        "6512e1a1e7b0801d c7a1646b6d72e2d3",
    ];
    assert_eq!(found, expected);
}
