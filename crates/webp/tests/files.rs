//! Whole files: alpha, lossless, colour profile, planes, animation, and pictures that are refused.
#![cfg(not(target_family = "wasm"))]

mod common;

use std::io::Cursor;

use common::{KINDS, Kind, Random, decode_planes, decode_rgba, picture, rgb};
use webp::{
    Animation, AnimationOptions, Blend, Chroma, Dispose, Error, Frame, MAX_SIDE, Options, Picture, Pixels, PlaneSlices,
    Range, encode,
};

const LOSSLESS: Options = Options { quality: 80, effort: 4, lossless: true, icc_profile: None };

/// RGBA with the given alpha.
fn rgba(kind: Kind, width: u32, height: u32, alpha: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    rgb(kind, width, height)
        .chunks_exact(3)
        .zip(places)
        .flat_map(|(p, (x, y))| [p[0], p[1], p[2], alpha(x, y)])
        .collect()
}

/// The pixels by `image-webp`, as RGBA.
fn other_decoder(file: &[u8]) -> Vec<u8> {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).unwrap();
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    let has_alpha = decoder.has_alpha();
    decoder.read_image(&mut pixels).unwrap();
    if has_alpha { pixels } else { pixels.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect() }
}

fn alpha(pixels: &[u8]) -> Vec<u8> {
    pixels.chunks_exact(4).map(|pixel| pixel[3]).collect()
}

#[test]
fn alpha_is_kept_exactly() {
    let circle = |x: u32, y: u32| {
        let distance = x.abs_diff(40).pow(2) + y.abs_diff(30).pow(2);
        (255 - (distance / 4).min(255)) as u8
    };
    type Shape<'a> = (&'a str, &'a dyn Fn(u32, u32) -> u8);
    let shapes: [Shape; 5] = [
        ("soft", &circle),
        ("hard", &|x, y| if (x / 9 + y / 7) % 2 == 0 { 255 } else { 0 }),
        ("none", &|_, _| 0),
        ("one value", &|_, _| 77),
        ("noise", &|x, y| Random(u64::from(x * 4099 + y) << 40).next()),
    ];
    for (name, shape) in shapes {
        for (width, height) in [(81, 61), (1, 1), (16, 16), (7, 100)] {
            let pixels = rgba(Kind::Mixed, width, height, shape);
            let file = encode(&picture(&pixels, width, height), &Options::default()).unwrap();
            let (decoded_width, decoded_height, decoded) = decode_rgba(&file);
            assert_eq!((decoded_width, decoded_height), (width, height));
            assert!(alpha(&decoded) == alpha(&pixels), "{name} {width}x{height}: libwebp sees another alpha");
            assert!(alpha(&other_decoder(&file)) == alpha(&pixels), "{name} {width}x{height}: image-webp does");
        }
    }
}

#[test]
fn opaque_rgba_has_no_alpha_chunk() {
    let opaque = rgba(Kind::Mixed, 60, 50, |_, _| 255);
    let plain = rgb(Kind::Mixed, 60, 50);
    for options in [Options::default(), LOSSLESS] {
        let file = encode(&picture(&opaque, 60, 50), &options).unwrap();
        assert_eq!(file, encode(&picture(&plain, 60, 50), &options).unwrap());
    }
}

#[test]
fn hidden_colours_cost_nothing() {
    let shape = |x: u32, _: u32| if x < 100 { 255 } else { 0 };
    let noisy = rgba(Kind::Noise, 200, 100, shape);
    let calm = rgba(Kind::Noise, 200, 100, shape);
    let calm: Vec<u8> =
        calm.chunks_exact(4).flat_map(|p| if p[3] == 0 { [0; 4] } else { [p[0], p[1], p[2], p[3]] }).collect();
    let size = |pixels: &[u8]| encode(&picture(pixels, 200, 100), &Options::default()).unwrap().len();
    let half = encode(&picture(&rgb(Kind::Noise, 100, 100), 100, 100), &Options::default()).unwrap().len();
    assert!(size(&noisy) < half * 11 / 10, "{} {half}", size(&noisy));
    assert!(size(&noisy).abs_diff(size(&calm)) < half / 20);
}

#[test]
fn lossless_keeps_every_visible_pixel() {
    for kind in KINDS {
        let opaque = rgb(kind, 77, 41);
        let decoded = decode_rgba(&encode(&picture(&opaque, 77, 41), &LOSSLESS).unwrap()).2;
        assert!(decoded.chunks_exact(4).flat_map(|p| &p[..3]).eq(&opaque), "{kind:?}");
        let pixels = rgba(kind, 77, 41, |x, y| (x * y) as u8);
        let seen: Vec<u8> =
            pixels.chunks_exact(4).flat_map(|p| if p[3] == 0 { [0; 4] } else { [p[0], p[1], p[2], p[3]] }).collect();
        let file = encode(&picture(&pixels, 77, 41), &LOSSLESS).unwrap();
        assert!(decode_rgba(&file).2 == seen, "{kind:?}");
        assert!(other_decoder(&file) == seen, "{kind:?}");
    }
}

#[test]
fn a_colour_profile_is_stored() {
    let profile = b"a colour profile of odd length.";
    for lossless in [false, true] {
        for pixels in [rgb(Kind::Edges, 30, 20), rgba(Kind::Edges, 30, 20, |x, _| x as u8)] {
            let options = Options { lossless, icc_profile: Some(profile), ..Options::default() };
            let file = encode(&picture(&pixels, 30, 20), &options).unwrap();
            let mut decoder = image_webp::WebPDecoder::new(Cursor::new(&file)).unwrap();
            assert_eq!(decoder.icc_profile().unwrap().unwrap(), profile);
            assert_eq!(decoder.has_alpha(), pixels.len() == 30 * 20 * 4);
            assert_eq!(decode_rgba(&file).0, 30);
        }
    }
}

/// Planes of one colour each.
fn planes(y: &[u8], cb: &[u8], cr: &[u8], width: u32, height: u32, range: Range, chroma: Chroma) -> Vec<u8> {
    let (y_stride, chroma_stride) = match chroma {
        Chroma::Half => (width as usize + 5, width.div_ceil(2) as usize + 3),
        Chroma::Full => (width as usize + 5, width as usize + 3),
    };
    let slices = PlaneSlices { y, cb, cr, y_stride, chroma_stride, range, chroma };
    let options = Options { quality: 100, ..Options::default() };
    encode(&Picture { width, height, pixels: Pixels::Planes(slices) }, &options).unwrap()
}

#[test]
fn planes_are_taken_as_they_are_or_brought_into_range() {
    for chroma in [Chroma::Half, Chroma::Full] {
        for (range, expected) in [(Range::Limited, [200, 90, 160]), (Range::Full, [188, 95, 156])] {
            let file = planes(&[200; 4000], &[90; 4000], &[160; 4000], 37, 29, range, chroma);
            for (plane, expected) in decode_planes(&file, true).iter().zip(expected) {
                assert!(
                    plane.iter().all(|&value| value.abs_diff(expected) <= 1),
                    "{range:?} {chroma:?} {:?}",
                    plane[0]
                );
            }
        }
    }
}

#[test]
fn an_animation_plays_as_written() {
    let options = AnimationOptions { loop_count: 3, background: [1, 2, 3, 4], icc_profile: Some(b"profile") };
    let mut animation = Animation::new(100, 80, &options).unwrap();
    assert!(animation.is_empty());
    let first = rgb(Kind::Gradient, 100, 80);
    let second = rgba(Kind::Flat, 31, 21, |x, _| if x < 15 { 0 } else { 255 });
    let third = rgb(Kind::Edges, 60, 40);
    let frame = |pixels, width, height, x, y, duration| Frame {
        picture: picture(pixels, width, height),
        x,
        y,
        duration,
        blend: Blend::Over,
        dispose: Dispose::Keep,
    };
    animation.add(&frame(&first, 100, 80, 0, 0, 40), &Options::default()).unwrap();
    animation.add(&frame(&second, 31, 21, 10, 20, 50), &Options::default()).unwrap();
    let third_frame =
        Frame { blend: Blend::Replace, dispose: Dispose::Background, ..frame(&third, 60, 40, 40, 40, 60) };
    animation.add(&third_frame, &LOSSLESS).unwrap();
    let length = animation.len();
    let file = animation.finish().unwrap();
    assert_eq!(file.len(), length);
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(&file)).unwrap();
    assert!(decoder.is_animated() && decoder.has_alpha());
    assert_eq!((decoder.dimensions(), decoder.num_frames()), ((100, 80), 3));
    assert_eq!(decoder.loop_count(), image_webp::LoopCount::Times(3.try_into().unwrap()));
    let mut canvas = vec![0; 100 * 80 * 4];
    let mut durations = Vec::new();
    let mut frames = Vec::new();
    for _ in 0..3 {
        durations.push(decoder.read_frame(&mut canvas).unwrap());
        frames.push(canvas.clone());
    }
    assert_eq!(durations, [40, 50, 60]);
    let at = |frame: &[u8], x: usize, y: usize| frame[(y * 100 + x) * 4..][..4].to_vec();
    // Where the second frame is transparent, the first shows through; elsewhere it covers.
    assert_eq!(at(&frames[1], 12, 30), at(&frames[0], 12, 30));
    assert!(at(&frames[1], 35, 30).iter().zip([200, 30, 90, 255]).all(|(a, b)| a.abs_diff(b) < 12));
    let exact = &third[(5 * 60 + 7) * 3..][..3];
    assert_eq!(&at(&frames[2], 47, 45)[..3], exact);
}

#[test]
fn what_cannot_be_is_refused() {
    let pixels = [0; 300];
    let sized = |width, height| encode(&picture(&pixels, width, height), &Options::default());
    assert!(matches!(sized(0, 1), Err(Error::Size { .. })));
    assert!(matches!(sized(1, MAX_SIDE + 1), Err(Error::Size { .. })));
    assert!(matches!(sized(10, 11), Err(Error::Length { given: 300, needed: 330 })));
    let slices = |y_stride, chroma_stride| {
        let pixels = PlaneSlices {
            y: &pixels,
            cb: &pixels[..20],
            cr: &pixels[..25],
            y_stride,
            chroma_stride,
            range: Range::Full,
            chroma: Chroma::Half,
        };
        encode(&Picture { width: 10, height: 10, pixels: Pixels::Planes(pixels) }, &Options::default())
    };
    assert!(matches!(slices(10, 5), Err(Error::Length { given: 20, needed: 25 })));
    assert!(matches!(slices(9, 3), Err(Error::Length { .. })));
    assert!(matches!(slices(usize::MAX, 5), Err(Error::Length { .. })));
    let full = Pixels::Planes(PlaneSlices {
        y: &pixels,
        cb: &pixels,
        cr: &pixels,
        y_stride: 10,
        chroma_stride: 10,
        range: Range::Full,
        chroma: Chroma::Full,
    });
    assert!(matches!(encode(&Picture { width: 10, height: 10, pixels: full }, &LOSSLESS), Err(Error::LosslessPlanes)));
    let none = AnimationOptions::default();
    assert!(matches!(Animation::new(0, 1, &none), Err(Error::Size { .. })));
    assert!(matches!(Animation::new(1, 1, &none).unwrap().finish(), Err(Error::NoFrames)));
    let mut animation = Animation::new(11, 11, &none).unwrap();
    for (x, y) in [(1, 0), (0, 1), (2, 0), (0, 2), (u32::MAX - 1, 0)] {
        let frame =
            Frame { picture: picture(&pixels, 10, 10), x, y, duration: 1, blend: Blend::Over, dispose: Dispose::Keep };
        assert!(matches!(animation.add(&frame, &Options::default()), Err(Error::Frame { .. })), "{x},{y}");
    }
}
