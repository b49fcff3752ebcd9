//! Lossless pictures must come back pixel for pixel from two decoders.
#![cfg(not(target_family = "wasm"))]

mod common;

use std::io::Cursor;

use common::{KINDS, Kind, Random, decode_rgba, picture, rgb};
use webp::{Options, encode};

/// Encodes, decodes twice and compares; says how many bytes it took.
fn check(pixels: &[u8], width: u32, height: u32, about: &str) -> usize {
    let options = Options { lossless: true, ..Options::default() };
    let file = encode(&picture(pixels, width, height), &options).unwrap();
    let (_, _, decoded) = decode_rgba(&file);
    assert!(decoded.chunks_exact(4).flat_map(|p| &p[..3]).eq(pixels), "{about}: libwebp sees other pixels");
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(&file)).unwrap();
    let mut other = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut other).unwrap();
    assert!(other == pixels, "{about}: image-webp sees other pixels");
    file.len()
}

#[test]
fn every_small_size_is_exact() {
    for width in 1..=35 {
        for height in [1, 2, 3, 15, 16, 17, 33] {
            let kind = KINDS[(width + height) as usize % KINDS.len()];
            check(&rgb(kind, width, height), width, height, &format!("{kind:?} {width}x{height}"));
        }
    }
}

#[test]
fn every_number_of_colours_is_exact() {
    for colors in [1, 2, 3, 4, 5, 15, 16, 17, 100, 255, 256, 257, 1000] {
        let mut random = Random(colors);
        let pixels: Vec<u8> = (0..123 * 45)
            .flat_map(|_| {
                let color = (u64::from(random.next()) << 8 | u64::from(random.next())) % colors;
                [(color * 7) as u8, (color / 3) as u8, color as u8]
            })
            .collect();
        check(&pixels, 123, 45, &format!("{colors} colours"));
    }
}

#[test]
fn long_runs_and_rare_symbols_are_exact() {
    let mut pixels = vec![9; 300 * 200 * 3];
    pixels[100_000..100_003].copy_from_slice(&[1, 2, 3]);
    assert!(check(&pixels, 300, 200, "one other pixel") < 200);
    // Counts like Fibonacci numbers make the longest codes.
    let mut pixels = Vec::new();
    let (mut count, mut next) = (1, 1);
    for value in 0..24u8 {
        (0..count).for_each(|i: u32| pixels.extend_from_slice(&[value.wrapping_mul(11), (i * 7) as u8 & 64, value]));
        (count, next) = (next, count + next);
    }
    let height = pixels.len() as u32 / 3 / 256;
    pixels.truncate((256 * height * 3) as usize);
    check(&pixels, 256, height, "skewed counts");
}

#[test]
fn large_pictures_are_exact_and_repetition_is_found() {
    for kind in KINDS {
        check(&rgb(kind, 700, 500), 700, 500, &format!("{kind:?}"));
    }
    let tile = rgb(Kind::Noise, 64, 64);
    let row = |y: usize| &tile[y % 64 * 192..][..192];
    let pixels: Vec<u8> = (0..512).flat_map(|y| (0..8).flat_map(move |_| 0..192).map(move |i| row(y)[i])).collect();
    let bytes = check(&pixels, 512, 512, "tiles");
    assert!(bytes < 30_000, "{bytes} for 64 times 12,288 bytes of noise");
}

#[test]
fn a_drawing_of_many_colours_is_exact_and_small() {
    let mut random = Random(5);
    let mut colors = || [random.next(), random.next(), random.next()];
    let areas: Vec<[u8; 3]> = (0..40 * 40).map(|_| colors()).collect();
    // Areas of one colour each, a few of the colours again and again in places, and single pixels of others.
    let pixels: Vec<u8> = (0..400 * 400)
        .flat_map(|i| {
            let (x, y) = (i % 400, i / 400);
            let area = if (x * y) % 13 == 0 { x / 10 % 3 } else { y / 10 * 40 + x / 10 };
            areas[area]
        })
        .collect();
    let bytes = check(&pixels, 400, 400, "drawing");
    assert!(bytes < 40_000, "{bytes}");
}

#[test]
fn the_longest_sides_are_exact() {
    for (width, height) in [(16383, 2), (2, 16383)] {
        check(&rgb(Kind::Edges, width, height), width, height, &format!("{width}x{height}"));
    }
}
