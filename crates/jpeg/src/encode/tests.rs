use super::*;
use crate::{Pixels, decode};

fn samples(pixels: &[u8], width: usize, n_channels: usize) -> Samples<'_> {
    Samples { samples: pixels, width, height: pixels.len() / width / n_channels, stride: width * n_channels }
}

/// Mean of the squared differences between pixels and what decodes from their JPEG, here and by another decoder.
fn error(pixels: &[u8], (width, height): (usize, usize), file: &[u8]) -> f64 {
    let decoded = decode(file, &crate::Options::default()).unwrap();
    assert!(decoded.is_complete);
    let Pixels { width: decoded_width, height: decoded_height, samples, .. } = decoded.into_pixels();
    assert_eq!((decoded_width, decoded_height), (width, height));
    assert_eq!(samples.len(), pixels.len());
    let format = if pixels.len() == width * height {
        libjpeg_turbo_rs::PixelFormat::Grayscale
    } else {
        libjpeg_turbo_rs::PixelFormat::Rgb
    };
    let theirs = libjpeg_turbo_rs::decompress_to(file, format).unwrap();
    assert!(theirs.data == samples, "another decoder reads it otherwise");
    let squares = samples.iter().zip(pixels).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    squares.sum::<f64>() / pixels.len() as f64
}

const SEQUENTIAL: Process = Process::Sequential;
const PROGRESSIVE: Process = Process::Progressive;

/// Encodes in all ways, which must say the same.
fn encoded(pixels: &[u8], width: usize, n_channels: usize, quality: u8, chroma: Chroma) -> Vec<u8> {
    let samples = samples(pixels, width, n_channels);
    let picture = if n_channels == 1 { Picture::Gray(samples) } else { Picture::Rgb(samples) };
    let encoded = |codes, process, restart_interval| {
        let options = Options { quality, chroma, codes, process, restart_interval, ..Options::default() };
        encode(&picture, &options).unwrap()
    };
    let (standard, fitted) = (encoded(CodeChoice::Standard, SEQUENTIAL, 0), encoded(CodeChoice::Fitted, SEQUENTIAL, 0));
    assert!(fitted.len() <= standard.len(), "{} for {} bytes", fitted.len(), standard.len());
    // What is beyond the picture may differ.
    let visible = |file: &[u8]| -> Vec<Vec<u8>> {
        let planes = decode(file, &crate::Options::default()).unwrap().planes;
        planes.iter().map(|plane| (0..plane.height).flat_map(|y| plane.row(y).to_vec()).collect()).collect()
    };
    let expected = visible(&standard);
    let others = [
        fitted,
        encoded(CodeChoice::Fitted, SEQUENTIAL, 1),
        encoded(CodeChoice::Standard, SEQUENTIAL, 3),
        encoded(CodeChoice::Fitted, PROGRESSIVE, 0),
        encoded(CodeChoice::Fitted, PROGRESSIVE, 1),
        encoded(CodeChoice::Fitted, PROGRESSIVE, 5),
    ];
    for (other_idx, other) in others.iter().enumerate() {
        assert!(visible(other) == expected, "{other_idx}: {width} wide, {n_channels} channels at {quality}");
    }
    standard
}

/// A smooth picture, which JPEG keeps well.
fn smooth(width: usize, height: usize, n_channels: usize) -> Vec<u8> {
    let pixel = |x: usize, y: usize| [x + y, 2 * y, 255_usize.saturating_sub(x)].map(|channel| channel.min(255) as u8);
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)[..n_channels].to_vec())).collect()
}

/// Noise of which nothing can be left out.
fn noisy(n_bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..n_bytes).map(|_| next()).collect()
}

#[test]
fn every_size_and_layout_decodes_to_the_picture() {
    let sizes = [(1, 1), (2, 1), (1, 9), (7, 8), (8, 8), (9, 9), (15, 16), (16, 17), (17, 15), (33, 64), (100, 90)];
    for (width, height) in sizes {
        for (n_channels, chroma) in [(1, Chroma::Full), (3, Chroma::Full), (3, Chroma::Quarter)] {
            let pixels = smooth(width, height, n_channels);
            let error = error(&pixels, (width, height), &encoded(&pixels, width, n_channels, 95, chroma));
            assert!(error < 6.0, "{width}x{height} {n_channels} {chroma:?}: {error}");
        }
    }
}

#[test]
fn even_colours_are_exact() {
    for color in [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [12, 200, 77]] {
        for chroma in [Chroma::Full, Chroma::Quarter] {
            let pixels = color.repeat(400);
            let error = error(&pixels, (20, 20), &encoded(&pixels, 20, 3, 100, chroma));
            assert!(error <= 1.0, "{color:?} {chroma:?}: {error}");
        }
    }
}

#[test]
fn the_hardest_blocks_are_coded_whole() {
    // Stripes and checkers of black and white make the largest coefficients, noise the longest codes.
    let pattern = |value: fn(usize, usize) -> bool| -> Vec<u8> {
        (0..64).flat_map(|y| (0..64).map(move |x| if value(x, y) { 255 } else { 0 })).collect()
    };
    let pictures = [
        pattern(|x, y| (x + y) % 2 == 0),
        pattern(|x, _| x % 2 == 0),
        pattern(|_, y| y % 2 == 0),
        pattern(|x, y| (x / 8 + y / 8) % 2 == 0),
        pattern(|x, y| x % 8 == 0 && y % 8 == 0),
        noisy(64 * 64),
    ];
    for (picture_idx, pixels) in pictures.iter().enumerate() {
        for quality in [1, 25, 50, 90, 100] {
            let error = error(pixels, (64, 64), &encoded(pixels, 64, 1, quality, Chroma::Full));
            let expected = if quality == 100 { 1.0 } else { 20_000.0 };
            assert!(error <= expected, "{picture_idx} at {quality}: {error}");
        }
    }
}

#[test]
fn is_as_good_and_as_small_as_another_encoder() {
    let pixels = noisy(200 * 150 * 3);
    for (quality, chroma, sampling) in [
        (80, Chroma::Quarter, jpeg_encoder::SamplingFactor::F_2_2),
        (92, Chroma::Full, jpeg_encoder::SamplingFactor::F_1_1),
        (30, Chroma::Quarter, jpeg_encoder::SamplingFactor::F_2_2),
    ] {
        let ours = encoded(&pixels, 200, 3, quality, chroma);
        let mut theirs = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut theirs, quality);
        encoder.set_sampling_factor(sampling);
        encoder.set_chroma_subsampling_method(jpeg_encoder::ChromaSubsamplingMethod::Average);
        encoder.encode(&pixels, 200, 150, jpeg_encoder::ColorType::Rgb).unwrap();
        let ratio = ours.len() as f64 / theirs.len() as f64;
        assert!((0.98..1.02).contains(&ratio), "{quality}: {} for {} bytes", ours.len(), theirs.len());
        let size = (200, 150);
        let (our_error, their_error) = (error(&pixels, size, &ours), error(&pixels, size, &theirs));
        assert!(our_error < their_error * 1.02, "{quality}: {our_error} for {their_error}");
    }
}

/// Waves with a little noise, like a photograph.
fn photo(width: usize, height: usize) -> Vec<u8> {
    let noise = noisy(width * height * 3);
    let wave = |x: usize, y: usize, channel: usize| {
        let (x, y) = (x as f64 / 13.0, y as f64 / 17.0);
        128.0 + 60.0 * (x + channel as f64).sin() * (y * 0.7).cos() + 40.0 * (x * 0.3 - y * 0.2).sin()
    };
    noise
        .iter()
        .enumerate()
        .map(|(i, noise)| (wave(i / 3 % width, i / 3 / width, i % 3) + f64::from(*noise) / 16.0) as u8)
        .collect()
}

#[test]
fn files_are_as_small_as_those_of_libjpeg() {
    let (width, height) = (320, 240);
    let pixels = photo(width, height);
    for quality in [50, 80, 92] {
        for process in [SEQUENTIAL, PROGRESSIVE] {
            let options = Options { quality, process, ..Options::default() };
            let ours = encode(&Picture::Rgb(samples(&pixels, width, 3)), &options).unwrap();
            let format = libjpeg_turbo_rs::PixelFormat::Rgb;
            let theirs = libjpeg_turbo_rs::Encoder::new(&pixels, width, height, format)
                .quality(quality)
                .optimize_huffman(true)
                .progressive(process == PROGRESSIVE)
                .encode()
                .unwrap();
            let ratio = ours.len() as f64 / theirs.len() as f64;
            assert!((0.95..1.02).contains(&ratio), "{quality} {process:?}: {} for {}", ours.len(), theirs.len());
            let (our_error, their_error) =
                (error(&pixels, (width, height), &ours), error(&pixels, (width, height), &theirs));
            assert!(our_error < their_error * 1.03, "{quality} {process:?}: {our_error} for {their_error}");
        }
    }
}

#[test]
fn planes_go_into_the_file_as_they_are() {
    for (width, height) in [(1, 1), (16, 16), (33, 21), (100, 75)] {
        for chroma in [Chroma::Full, Chroma::Quarter] {
            let options = Options { quality: 100, chroma, ..Options::default() };
            let file = encode(&Picture::Rgb(samples(&smooth(width, height, 3), width, 3)), &options).unwrap();
            let planes = decode(&file, &crate::Options::default()).unwrap();
            let [y, blue, red] = &planes.planes[..] else { panic!("three planes") };
            let picture = Picture::YCbCr([y, blue, red].map(Samples::from));
            let again = decode(&encode(&picture, &options).unwrap(), &crate::Options::default()).unwrap();
            for (plane, plane_again) in planes.planes.iter().zip(&again.planes) {
                assert_eq!((plane.width, plane.height), (plane_again.width, plane_again.height));
                for y in 0..plane.height {
                    let rows = plane.row(y).iter().zip(plane_again.row(y));
                    assert!(rows.clone().all(|(a, b)| a.abs_diff(*b) <= 1), "{width}x{height} {chroma:?}, row {y}");
                }
            }
        }
    }
}

#[test]
fn a_profile_is_put_in_and_found_again() {
    let pixels = smooth(8, 8, 3);
    for n_bytes in [1, 65_519, 65_520, 200_000] {
        let profile = noisy(n_bytes);
        let options = Options { profile: Some(&profile), ..Options::default() };
        let file = encode(&Picture::Rgb(samples(&pixels, 8, 3)), &options).unwrap();
        assert_eq!(crate::icc_profile(&file, n_bytes), Some(profile));
        assert_eq!(crate::icc_profile(&file, n_bytes - 1), None);
    }
}

#[test]
fn quality_is_that_of_libjpeg() {
    assert_eq!(quantizers(&LUMA_QUANTIZERS, 50)[..3], [16, 11, 10]);
    assert_eq!(quantizers(&LUMA_QUANTIZERS, 80)[..3], [6, 4, 4]);
    assert_eq!(quantizers(&LUMA_QUANTIZERS, 100), [1; 64]);
    assert_eq!(quantizers(&LUMA_QUANTIZERS, 1), [255; 64]);
}

#[test]
fn refuses_what_jpeg_cannot_hold() {
    let check = |picture: Picture, options: &Options| {
        assert!(matches!(encode(&picture, options), Err(Error::Unwritable(_))), "{:?}", picture.size());
    };
    let bytes = vec![0; 65_536];
    let plane = |width, height| Samples { samples: &bytes, width, height, stride: width };
    let options = Options::default();
    check(Picture::Gray(plane(65_536, 1)), &options);
    check(Picture::Gray(plane(0, 1)), &options);
    check(Picture::Gray(plane(1, 0)), &options);
    check(Picture::Gray(plane(257, 256)), &options);
    check(Picture::Rgb(Samples { stride: 2, ..plane(1, 1) }), &options);
    check(Picture::YCbCr([plane(8, 8), plane(4, 4), plane(4, 5)]), &options);
    check(Picture::YCbCr([plane(9, 9), plane(4, 4), plane(4, 4)]), &options);
    let huge = vec![0; header::MAX_PROFILE_BYTES + 1];
    check(Picture::Gray(plane(1, 1)), &Options { profile: Some(&huge), ..options });
}
