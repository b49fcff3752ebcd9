//! What every kind of file decodes to, and what is refused.

use probe::LimitError;

use super::{Decoded, Input, Shrink, decode};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::samples::*;
use crate::pixels::{Limits, PixelError};

fn decoded(file: &[u8], shrink: Shrink) -> Result<Decoded, PixelError> {
    let probe = probe::probe(file)?;
    let (width, height) = probe.oriented_size();
    let n = match shrink {
        Shrink::None => return decode(&Input::whole(file, &probe), &Limits::default()),
        Shrink::Half => 2,
        Shrink::Quarter => 8,
        Shrink::Eighth => 32,
    };
    let input = Input { file, probe: &probe, least: Some(((width / n).max(1), (height / n).max(1))) };
    decode(&input, &Limits::default())
}

#[test]
fn every_kind_shows_the_same_picture() {
    for (name, file) in every_kind() {
        let last = if name.contains("alpha") { CLEAR } else { WHITE };
        let decoded = decoded(&file, Shrink::None).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = corners(&decoded.raster);
        assert!(are_close(&found, &[RED, GREEN, BLUE, last]), "{name}: {found:?}");
        let layout = if name.contains("alpha") { Layout::Rgba } else { Layout::Rgb };
        assert_eq!(decoded.raster.layout(), layout, "{name}");
        let is_lossy = name.starts_with("jpeg") || name.contains("lossy");
        // An animation's frames are not asked how they are compressed.
        assert!(decoded.is_lossless != is_lossy || name.contains("webp_animated"), "{name}");
        assert_eq!(decoded.extent, (WIDTH.into(), HEIGHT.into()), "{name}");
    }
}

#[test]
fn a_lossy_webp_has_the_same_pixels_as_in_the_decoder_of_all_other_kinds() {
    let ours = decoded(LOSSY_WEBP, Shrink::None).unwrap();
    let mut other = image_webp::WebPDecoder::new(std::io::Cursor::new(LOSSY_WEBP)).unwrap();
    let mut pixels = vec![0; other.output_buffer_size().unwrap()];
    other.read_image(&mut pixels).unwrap();
    assert_eq!(ours.raster.pixels(), pixels);
}

#[test]
fn png_of_every_depth_and_colour_becomes_eight_bits() {
    use ::png::BitDepth::{Eight, Four, One, Sixteen, Two};
    use ::png::ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
    type Case<'a> = (::png::ColorType, ::png::BitDepth, &'a [u8], &'a [u8], Layout, &'a [u8]);
    // Two pixels a file: colour type, depth, packed bytes, tRNS chunk, and what is expected.
    let palette = [10, 20, 30, 40, 50, 60];
    let cases: [Case; 18] = [
        (Grayscale, One, &[0b0100_0000], &[], Layout::Gray, &[0, 255]),
        (Grayscale, Two, &[0b0110_0000], &[], Layout::Gray, &[85, 170]),
        (Grayscale, Four, &[0x1F], &[], Layout::Gray, &[17, 255]),
        (Grayscale, Eight, &[7, 200], &[], Layout::Gray, &[7, 200]),
        (Grayscale, Sixteen, &[7, 200, 200, 7], &[], Layout::Gray, &[8, 199]),
        (Grayscale, Eight, &[7, 200], &[0, 7], Layout::Rgba, &[7, 7, 7, 0, 200, 200, 200, 255]),
        (Grayscale, One, &[0b0100_0000], &[0, 1], Layout::Rgba, &[0, 0, 0, 255, 255, 255, 255, 0]),
        (GrayscaleAlpha, Eight, &[7, 9, 200, 255], &[], Layout::Rgba, &[7, 7, 7, 9, 200, 200, 200, 255]),
        (GrayscaleAlpha, Sixteen, &[7, 0, 9, 0, 8, 0, 255, 255], &[], Layout::Rgba, &[7, 7, 7, 9, 8, 8, 8, 255]),
        (Indexed, One, &[0b0100_0000], &[], Layout::Rgb, &palette),
        (Indexed, Two, &[0b0100_0000], &[], Layout::Rgb, &[40, 50, 60, 10, 20, 30]),
        (Indexed, Eight, &[1, 0], &[], Layout::Rgb, &[40, 50, 60, 10, 20, 30]),
        (Indexed, Four, &[0x01], &[0, 128], Layout::Rgba, &[10, 20, 30, 0, 40, 50, 60, 128]),
        (Rgb, Eight, &[1, 2, 3, 4, 5, 6], &[], Layout::Rgb, &[1, 2, 3, 4, 5, 6]),
        (Rgb, Sixteen, &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0], &[], Layout::Rgb, &[1, 2, 3, 4, 5, 6]),
        (Rgb, Eight, &[1, 2, 3, 4, 5, 6], &[0, 1, 0, 2, 0, 3], Layout::Rgba, &[1, 2, 3, 0, 4, 5, 6, 255]),
        (Rgba, Eight, &[1, 2, 3, 4, 5, 6, 7, 8], &[], Layout::Rgba, &[1, 2, 3, 4, 5, 6, 7, 8]),
        // Four channels of which one says nothing become three.
        (Rgba, Eight, &[1, 2, 3, 255, 5, 6, 7, 255], &[], Layout::Rgb, &[1, 2, 3, 5, 6, 7]),
    ];
    for (color, depth, bytes, transparency, layout, expected) in cases {
        let file = png((2, 1), (color, depth), bytes, |info| {
            info.palette = (color == Indexed).then(|| palette.to_vec().into());
            info.trns = (!transparency.is_empty()).then(|| transparency.to_vec().into());
        });
        let raster = decoded(&file, Shrink::None).unwrap().raster;
        assert_eq!((raster.layout(), raster.pixels()), (layout, expected), "{color:?} {depth:?} {transparency:?}");
    }
}

#[test]
fn jpeg_channels_are_read_as_the_file_means_them() {
    let ink = |pixel: [u8; 4]| Raster::new(16, 16, Layout::Cmyk, pixel.repeat(256)).unwrap();
    let check = |name: &str, file: Vec<u8>, layout: Layout, expected: &[u8]| {
        let raster = decoded(&file, Shrink::None).unwrap_or_else(|error| panic!("{name}: {error}")).raster;
        assert_eq!(raster.layout(), layout, "{name}");
        let found = &raster.pixels()[..layout.channels()];
        let is_close = found.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= 2);
        assert!(is_close, "{name}: {found:?} for {expected:?}");
    };
    let gray = Raster::new(16, 16, Layout::Gray, vec![77; 256]).unwrap();
    check("gray", jpeg(&gray, |_| {}), Layout::Gray, &[77]);

    // The encoder writes Adobe's inverted inks, and says so.
    let cmyk = jpeg(&ink([200, 10, 20, 30]), |_| {});
    assert_eq!(::jpeg::Header::read(&cmyk).unwrap().color, ::jpeg::Color::Cmyk);
    check("adobe inks", cmyk.clone(), Layout::Cmyk, &[200, 10, 20, 30]);
    check("plain inks", without_adobe(&cmyk), Layout::Cmyk, &[55, 245, 235, 225]);

    let mut ycck = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut ycck, 100);
    encoder.encode(&[100, 128, 128, 30].repeat(256), 16, 16, jpeg_encoder::ColorType::Ycck).unwrap();
    assert_eq!(::jpeg::Header::read(&ycck).unwrap().color, ::jpeg::Color::Ycck);
    check("luma, chroma and black", ycck, Layout::Cmyk, &[100, 100, 100, 225]);

    // Three channels that Adobe's segment says are RGB, though they are numbered as luma and chroma.
    let rgb = Raster::new(16, 16, Layout::Rgb, [100, 128, 128].repeat(256)).unwrap();
    let mut ycc = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut ycc, 100);
    encoder.encode(rgb.pixels(), 16, 16, jpeg_encoder::ColorType::Ycbcr).unwrap();
    check("luma and chroma", ycc.clone(), Layout::Rgb, &[100, 100, 100]);
    check("adobe rgb", with_adobe_instead_of_jfif(&ycc, 0), Layout::Rgb, &[100, 128, 128]);
    check("adobe luma and chroma", with_adobe_instead_of_jfif(&ycc, 1), Layout::Rgb, &[100, 100, 100]);
}

#[test]
fn channels_in_scans_of_their_own_are_read() {
    let file = jpeg(&opaque(), |encoder| {
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
        encoder.set_optimized_huffman_tables(true);
    });
    assert_eq!(::jpeg::Header::read(&file).unwrap().n_scans, 3);
    let found = corners(&decoded(&file, Shrink::None).unwrap().raster);
    assert!(are_close(&found, &[RED, GREEN, BLUE, WHITE]), "{found:?}");
}

/// The file without its Adobe segment, of 16 bytes with its marker.
fn without_adobe(file: &[u8]) -> Vec<u8> {
    let start = file.windows(2).position(|bytes| bytes == [0xFF, 0xEE]).unwrap();
    [&file[..start], &file[start + 16..]].concat()
}

/// The file with its JFIF segment, of 18 bytes with its marker and right at the start, replaced.
fn with_adobe_instead_of_jfif(file: &[u8], transform: u8) -> Vec<u8> {
    assert_eq!(&file[2..4], [0xFF, 0xE0]);
    let adobe = [b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat();
    [&file[..2], &adobe, &file[20..]].concat()
}

#[test]
fn an_avif_is_cropped_as_it_says() {
    let file = include_bytes!("../../../../../crates/avif/src/fixtures/cropped.avif");
    let raster = decoded(file, Shrink::None).unwrap().raster;
    assert_eq!((raster.width(), raster.height()), (28, 18));
    let quarters = [[220, 40, 30, 255], [40, 200, 60, 255], [30, 60, 210, 255], [240, 240, 240, 255]];
    assert!(are_close(&corners(&raster), &quarters), "{:?}", corners(&raster));
}

#[test]
fn jpeg_of_twelve_bits_and_in_arithmetic_code_is_read() {
    let quarters = [[220, 40, 30, 255], [40, 200, 60, 255], [30, 60, 210, 255], [240, 240, 240, 255]];
    for (name, file) in [
        ("arithmetic", &include_bytes!("fixtures/arithmetic.jpg")[..]),
        ("arithmetic, progressive", include_bytes!("fixtures/arithmetic_progressive.jpg")),
        ("twelve bits", include_bytes!("fixtures/deep.jpg")),
    ] {
        for shrink in [Shrink::None, Shrink::Half] {
            let found = corners(&decoded(file, shrink).unwrap().raster);
            assert!(are_close(&found, &quarters), "{name}, {shrink:?}: {found:?}");
        }
    }
}

#[test]
fn a_damaged_jpeg_is_decoded_as_far_as_it_goes() {
    let picture = quadrants(200, 160, WHITE).without_useless_alpha();
    let check = |name: &str, file: &[u8], expected: [[u8; 4]; 4]| {
        for shrink in [Shrink::None, Shrink::Half, Shrink::Quarter, Shrink::Eighth] {
            let found = corners(&decoded(file, shrink).unwrap().raster);
            assert!(are_close(&found, &expected), "{name}, {shrink:?}: {found:?}");
        }
    };
    let sequential = jpeg(&picture, |_| {});
    check("cut off", half_of(&sequential), [RED, GREEN, MISSING, MISSING]);
    let progressive = jpeg(&picture, |encoder| encoder.set_progressive(true));
    check("progressive, cut off", &progressive[..progressive.len() * 9 / 10], [RED, GREEN, BLUE, WHITE]);
    // 25 units to a row and to an interval: the third row is made a code that there is not, and no other.
    let mut altered = jpeg(&picture, |encoder| encoder.set_restart_interval(25));
    let third = altered.windows(2).position(|bytes| bytes == [0xFF, 0xD1]).unwrap() + 2;
    altered[third..third + 4].copy_from_slice(&[0xFF, 0, 0xFF, 0]);
    check("altered", &altered, [RED, GREEN, BLUE, WHITE]);
    let raster = decoded(&altered, Shrink::None).unwrap().raster;
    assert_eq!(raster.pixels()[20 * raster.stride()..][..3], MISSING[..3]);
    // From here on there is nothing to be seen.
    for file in [sequential, progressive, altered] {
        for n_bytes in [first_scan(&file), first_scan(&file) - 1] {
            let error = decoded(&file[..n_bytes], Shrink::None).err();
            assert!(matches!(error, Some(PixelError::Corrupt { .. })), "{n_bytes} bytes: {error:?}");
        }
    }
}

#[test]
fn a_shrunk_jpeg_has_its_sides_divided() {
    let file = jpeg(&quadrants(101, 75, WHITE).without_useless_alpha(), |_| {});
    let check = |shrink: Shrink, size: (u32, u32), extent: (f64, f64)| {
        let decoded = decoded(&file, shrink).unwrap();
        assert_eq!((decoded.raster.width(), decoded.raster.height()), size, "{shrink:?}");
        assert_eq!(decoded.extent, extent, "{shrink:?}");
        assert!(are_close(&corners(&decoded.raster), &[RED, GREEN, BLUE, WHITE]), "{shrink:?}");
    };
    check(Shrink::None, (101, 75), (101.0, 75.0));
    check(Shrink::Half, (51, 38), (50.5, 37.5));
    check(Shrink::Quarter, (26, 19), (25.25, 18.75));
    check(Shrink::Eighth, (13, 10), (12.625, 9.375));
}

#[test]
fn only_jpeg_shrinks() {
    for (name, file) in every_kind() {
        let raster = decoded(&file, Shrink::Half).unwrap().raster;
        let expected = if name.starts_with("jpeg") { (16, 12) } else { (32, 24) };
        assert_eq!((raster.width(), raster.height()), expected, "{name}");
    }
}

#[test]
fn gif_frames_lie_where_they_say() {
    let dot = Raster::new(2, 1, Layout::Rgba, [RED, BLUE].concat()).unwrap();
    let check = |left: u16, top: u16, expected: [[u8; 4]; 4]| {
        let raster = decoded(&gif((2, 2), &[(&dot, left, top)]), Shrink::None).unwrap().raster.into_rgba();
        assert_eq!(raster.pixels().as_chunks::<4>().0, expected, "{left}, {top}");
    };
    check(0, 0, [RED, BLUE, CLEAR, CLEAR]);
    check(0, 1, [CLEAR, CLEAR, RED, BLUE]);
    // What lies outside the canvas is cut off.
    check(1, 0, [CLEAR, RED, CLEAR, CLEAR]);
    check(2, 2, [CLEAR; 4]);
    check(60_000, 60_000, [CLEAR; 4]);
}

#[test]
fn a_file_cut_off_is_corrupt_or_whole() {
    let (rgb, rgba) = (noisy(97, 61, Layout::Rgb), noisy(97, 61, Layout::Rgba));
    let few_colors = noisy(97, 61, Layout::Gray);
    let long_ones = [
        ("long jpeg", jpeg(&rgb, |_| {})),
        ("long jpeg_420", jpeg(&rgb, |encoder| encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2))),
        ("long jpeg_progressive", jpeg(&rgb, |encoder| encoder.set_progressive(true))),
        ("long png", png_of(&rgba)),
        ("long webp", webp(&rgba, |_| {})),
        ("long gif", gif((97, 61), &[(&few_colors, 0, 0), (&few_colors, 0, 0)])),
    ];
    for (name, file) in every_kind().into_iter().chain(long_ones) {
        let whole = decoded(&file, Shrink::None).unwrap().raster;
        let tenths = (0..10).map(|tenth| file.len() * tenth / 10);
        for n_bytes in tenths.chain([file.len() - 1, file.len() - 2]) {
            for shrink in [Shrink::None, Shrink::Eighth] {
                match decoded(&file[..n_bytes], shrink) {
                    // How far those go is looked at elsewhere.
                    Ok(_) if name.contains("jpeg") => {}
                    Ok(decoded) if shrink == Shrink::None => assert!(decoded.raster == whole, "{name}, {n_bytes}"),
                    Ok(_) => {}
                    Err(PixelError::Corrupt { .. }) => {}
                    Err(other) => panic!("{name}, {n_bytes} of {} bytes: {other}", file.len()),
                }
            }
        }
    }
}

#[test]
fn limits_are_checked_before_decoding() {
    let file = png_of(&opaque());
    let probe = probe::probe(&file).unwrap();
    let check = |limits: Limits, expected: LimitError| {
        assert_eq!(decode(&Input::whole(&file, &probe), &limits).err(), Some(expected.into()));
    };
    let limits = Limits::default();
    check(Limits { max_pixels: 767, ..limits }, LimitError::TooManyPixels { limit: 767, actual: 768 });
    check(Limits { max_side: 31, ..limits }, LimitError::SideTooLong { limit: 31, actual: 32 });
    check(Limits { max_frames: 0, ..limits }, LimitError::TooManyFrames { limit: 0, actual: 1 });
    check(Limits { max_memory_bytes: 4607, ..limits }, LimitError::TooMuchMemory { limit: 4607, actual: 4608 });
    assert!(decode(&Input::whole(&file, &probe), &Limits { max_memory_bytes: 4608, ..limits }).is_ok());
}

#[test]
fn what_a_header_says_of_memory_is_no_less_than_what_the_decoder_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/avif/src/fixtures");
    for name in ["full", "alpha", "gray", "deep", "deeper", "cropped"] {
        let file = std::fs::read(format!("{folder}/{name}.avif")).unwrap();
        let said = ::avif::decoding_bytes(&::avif::header(&file).unwrap());
        assert!(said <= probe::probe(&file).unwrap().decoding_bytes, "{name}");
    }
    for (width, height) in [(1024_u16, 1024_u16), (16_383, 64), (33, 16_383), (8191, 6143)] {
        // The header of a lossy frame, as far as the size.
        let mut file = b"RIFF\x16\0\0\0WEBPVP8 \x0A\0\0\0\x10\0\0\x9D\x01\x2A".to_vec();
        file.extend([width.to_le_bytes(), height.to_le_bytes()].as_flattened());
        let probe = probe::probe(&file).unwrap();
        let said = ::webp::decoding_bytes(probe.width, probe.height) + 3 * probe.pixels;
        assert!(said <= probe.decoding_bytes, "{width}x{height}: {said} for planes and pixels");
    }
}

#[test]
fn a_jpeg_of_very_many_scans_is_refused() {
    let file = jpeg(&opaque(), |encoder| encoder.set_progressive(true));
    // The last scan again and again: each could cost as much as decoding the whole.
    let start = file.windows(2).rposition(|bytes| bytes == [0xFF, 0xDA]).unwrap();
    let (head, scan) = file[..file.len() - 2].split_at(start);
    let many = [head, &scan.repeat(::jpeg::MAX_SCANS), &[0xFF, 0xD9]].concat();
    let error = decoded(&many, Shrink::None).err();
    assert!(matches!(error, Some(PixelError::Corrupt { .. } | PixelError::Unsupported { .. })), "{error:?}");
}
