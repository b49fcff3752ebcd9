//! Every lossy frame must decode, by two decoders, to exactly the pixels that the encoder had in mind.
#![cfg(not(target_family = "wasm"))]

mod common;

use common::{KINDS, Kind, cut, decode_planes, picture, rgb};
use webp::{Options, reconstruction};

/// Encodes, decodes and compares.
fn check(pixels: &[u8], width: u32, height: u32, options: &Options, header_bits: Option<u64>) -> usize {
    let about = format!("{width}x{height} {options:?}");
    let coded = reconstruction::encode(&picture(pixels, width, height), options, header_bits).unwrap();
    let (width, height) = (width as usize, height as usize);
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let expected = [
        cut(&coded.planes[0], coded.stride, width, height),
        cut(&coded.planes[1], coded.stride / 2, half_width, half_height),
        cut(&coded.planes[2], coded.stride / 2, half_width, half_height),
    ];
    let unfiltered = decode_planes(&coded.bytes, false);
    assert!(unfiltered == expected, "{about}: libwebp sees other pixels");
    let filtered = decode_planes(&coded.bytes, true);
    let other = image_webp::vp8::Vp8Decoder::decode_frame(coded.bytes.as_slice()).expect(&about);
    let other = [
        cut(&other.ybuf, coded.stride, width, height),
        cut(&other.ubuf, coded.stride / 2, half_width, half_height),
        cut(&other.vbuf, coded.stride / 2, half_width, half_height),
    ];
    assert!(other == filtered, "{about}: the decoders disagree");
    coded.bytes.len()
}

#[test]
fn every_small_size_is_exact() {
    for width in 1..=33 {
        for height in [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33] {
            let kind = KINDS[(width + height) as usize % KINDS.len()];
            let options = Options { quality: (width * 3) as u8, ..Options::default() };
            check(&rgb(kind, width, height), width, height, &options, None);
            check(&rgb(kind, height, width), height, width, &options, None);
        }
    }
}

#[test]
fn every_quality_is_exact_for_every_kind() {
    for quality in 0..=100 {
        for kind in KINDS {
            check(&rgb(kind, 100, 52), 100, 52, &Options { quality, ..Options::default() }, None);
        }
    }
}

#[test]
fn every_effort_is_exact_and_more_of_it_is_not_larger() {
    let pixels = rgb(Kind::Mixed, 250, 200);
    let sizes: Vec<usize> =
        (0..=6).map(|effort| check(&pixels, 250, 200, &Options { effort, ..Options::default() }, None)).collect();
    assert!(sizes[6] < sizes[0], "{sizes:?}");
}

#[test]
fn long_and_thin_pictures_are_exact() {
    for (width, height) in [(16383, 1), (1, 16383), (5000, 17), (17, 5000)] {
        for kind in [Kind::Noise, Kind::Flat] {
            check(&rgb(kind, width, height), width, height, &Options::default(), None);
        }
    }
}

#[test]
fn a_partition_of_more_than_half_a_megabyte_is_exact() {
    let bytes = check(&rgb(Kind::Noise, 1000, 1000), 1000, 1000, &Options { quality: 98, ..Options::default() }, None);
    assert!(bytes > 1 << 19, "{bytes}");
}

#[test]
fn a_tight_mode_budget_is_kept() {
    let pixels = rgb(Kind::Edges, 640, 640);
    let modes = |budget| {
        check(&pixels, 640, 640, &Options::default(), budget);
        let coded = reconstruction::encode(&picture(&pixels, 640, 640), &Options::default(), budget).unwrap();
        u32::from_le_bytes([coded.bytes[0], coded.bytes[1], coded.bytes[2], 0]) >> 5
    };
    let (free, tight) = (modes(None), modes(Some(640 * 640 / 256 * 24)));
    assert!(tight < free / 2, "{tight} {free}");
}

#[test]
fn modes_that_do_not_fit_are_replaced_by_the_plainest() {
    let pixels = rgb(Kind::Edges, 2560, 2560);
    let coded = reconstruction::encode(&picture(&pixels, 2560, 2560), &Options::default(), Some(1)).unwrap();
    let modes = u32::from_le_bytes([coded.bytes[0], coded.bytes[1], coded.bytes[2], 0]) >> 5;
    // Four bits a macroblock: at 16383 by 16383 pixels that is just under the limit of the format.
    assert!(modes * 8 < 160 * 160 * 4, "{modes}");
    check(&pixels, 2560, 2560, &Options::default(), Some(1));
}

#[test]
fn the_picture_survives() {
    for kind in [Kind::Gradient, Kind::Flat, Kind::Edges] {
        let pixels = rgb(kind, 200, 120);
        let file = webp::encode(&picture(&pixels, 200, 120), &Options { quality: 95, ..Options::default() }).unwrap();
        let (_, _, decoded) = common::decode_rgba(&file);
        let error: i64 = decoded
            .chunks_exact(4)
            .zip(pixels.chunks_exact(3))
            .map(|(a, b)| (i64::from(a[1]) - i64::from(b[1])).pow(2))
            .sum();
        let mean = error / (200 * 120);
        assert!(mean < 60, "{kind:?}: mean squared error {mean}");
    }
}

#[test]
fn the_same_picture_gives_the_same_bytes() {
    let pixels = rgb(Kind::Mixed, 300, 200);
    let bytes = |_| webp::encode(&picture(&pixels, 300, 200), &Options::default()).unwrap();
    assert_eq!(bytes(0), bytes(1));
}
