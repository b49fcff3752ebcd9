//! The scores of another implementation, for pictures damaged in every usual way.

use std::f64::consts::PI;

use score::Reference;
use ssimulacra2::{ColorPrimaries, Rgb, TransferCharacteristic, compute_frame_ssimulacra2};

/// How far scores may be from each other. The other's recursive filter gathers rounding errors along each row, and near
/// 100 the scale magnifies them: against a computation in double precision it is 0.64 off for the faintest blur here,
/// and ours 0.07.
fn tolerance(score: f64) -> f64 {
    if score > 96.0 { 0.8 } else { 0.5 }
}

#[derive(Clone)]
struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    fn at(&self, x: isize, y: isize, channel: usize) -> f64 {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.rgb[(y * self.width + x) * 3 + channel].into()
    }

    /// Another, each of whose values is made of a place and a channel of this one.
    fn map(&self, mut value: impl FnMut(isize, isize, usize) -> f64) -> Self {
        let places = (0..self.height * self.width * 3).map(|i| (i / 3 % self.width, i / 3 / self.width, i % 3));
        let rgb = places.map(|(x, y, channel)| value(x as isize, y as isize, channel).round() as u8).collect();
        Self { rgb, ..*self }
    }
}

struct Random(u32);

impl Random {
    /// From -1 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.0 >> 8) / f64::from(1 << 23) - 1.0
    }
}

/// Something like a photograph: detail at every size, a sky, and a few hard edges.
fn scene(width: usize, height: usize, seed: u32) -> Picture {
    let mut random = Random(seed);
    let waves: Vec<[f64; 5]> = (0..24)
        .map(|i| {
            let frequency = 0.01 * 1.22f64.powi(i);
            let (angle, phase) = (random.next() * PI, random.next() * PI);
            [frequency * angle.cos(), frequency * angle.sin(), phase, 30.0 / (1.0 + f64::from(i) * 0.3), random.next()]
        })
        .collect();
    let base = Picture { width, height, rgb: vec![0; width * height * 3] };
    base.map(|x, y, channel| {
        let (x, y) = (x as f64, y as f64);
        let is_sky = y < height as f64 * 0.3 + (x * 0.05).sin() * 9.0;
        let tint = [150.0, 120.0, 90.0][channel] + y * 0.1;
        let detail: f64 = waves
            .iter()
            .map(|[a, b, phase, height, color]| {
                (a * x + b * y + phase + color * channel as f64).sin() * height * if is_sky { 0.06 } else { 0.5 }
            })
            .sum();
        let shape = if (x - 60.0).hypot(y - 70.0) < 25.0 { [90.0, -60.0, -40.0][channel] } else { 0.0 };
        (tint + detail + shape + random.next() * 3.0).clamp(0.0, 255.0)
    })
}

fn noise(picture: &Picture, strength: f64) -> Picture {
    let mut random = Random(99);
    picture.map(|x, y, channel| (picture.at(x, y, channel) + random.next() * strength).clamp(0.0, 255.0))
}

fn blur(picture: &Picture, sigma: f64) -> Picture {
    let reach = (sigma * 3.0).ceil() as isize;
    let tap = |d: isize| (-((d * d) as f64) / (2.0 * sigma * sigma)).exp();
    let sum: f64 = (-reach..=reach).map(tap).sum();
    let along = picture.map(|x, y, c| (-reach..=reach).map(|d| tap(d) * picture.at(x + d, y, c)).sum::<f64>() / sum);
    along.map(|x, y, c| (-reach..=reach).map(|d| tap(d) * along.at(x, y + d, c)).sum::<f64>() / sum)
}

/// Blocks of eight by eight whose frequencies are rounded, the higher the coarser, as in JPEG.
fn blocks(picture: &Picture, step: f64) -> Picture {
    let cosine = |at: usize, k: usize| {
        let scale = if k == 0 { 0.125f64.sqrt() } else { 0.5 };
        scale * ((2 * at + 1) as f64 * k as f64 * PI / 16.0).cos()
    };
    let mut coded = picture.clone();
    for (top, left) in (0..picture.height).step_by(8).flat_map(|y| (0..picture.width).step_by(8).map(move |x| (y, x))) {
        for channel in 0..3 {
            let sample = |x, y| picture.at((left + x) as isize, (top + y) as isize, channel);
            let mut block = [[0.0; 8]; 8];
            for (v, row) in block.iter_mut().enumerate() {
                for (u, value) in row.iter_mut().enumerate() {
                    let products = (0..64).map(|i| sample(i % 8, i / 8) * cosine(i % 8, u) * cosine(i / 8, v));
                    let step = step * (1.0 + (u + v) as f64 * 0.5);
                    *value = (products.sum::<f64>() / step).round() * step;
                }
            }
            for (x, y) in (0..64).map(|i| (i % 8, i / 8)) {
                if left + x < picture.width && top + y < picture.height {
                    let products = (0..64).map(|i| block[i / 8][i % 8] * cosine(x, i % 8) * cosine(y, i / 8));
                    let value = products.sum::<f64>().clamp(0.0, 255.0).round() as u8;
                    coded.rgb[((top + y) * picture.width + left + x) * 3 + channel] = value;
                }
            }
        }
    }
    coded
}

/// Fewer steps of each colour.
fn steps(picture: &Picture, step: f64) -> Picture {
    picture.map(|x, y, channel| ((picture.at(x, y, channel) / step).round() * step).min(255.0))
}

/// Colour at a fraction of its resolution.
fn coarse_colour(picture: &Picture, size: isize) -> Picture {
    picture.map(|x, y, channel| {
        let mean = |x, y| (picture.at(x, y, 0) + picture.at(x, y, 1) + picture.at(x, y, 2)) / 3.0;
        let (corner_x, corner_y) = (x / size * size, y / size * size);
        (picture.at(corner_x, corner_y, channel) - mean(corner_x, corner_y) + mean(x, y)).clamp(0.0, 255.0)
    })
}

fn brighter(picture: &Picture, by: f64) -> Picture {
    picture.map(|x, y, channel| (picture.at(x, y, channel) * by).min(255.0))
}

fn shifted(picture: &Picture, by: isize) -> Picture {
    picture.map(|x, y, channel| picture.at(x - by, y, channel))
}

fn damaged(picture: &Picture) -> Vec<(String, Picture)> {
    let mut all = Vec::new();
    let mut add = |name: &str, strength: f64, picture: Picture| all.push((format!("{name} {strength}"), picture));
    for strength in [2.0, 6.0, 15.0, 40.0] {
        add("noise", strength, noise(picture, strength));
    }
    for sigma in [0.4, 0.7, 1.2, 2.5] {
        add("blur", sigma, blur(picture, sigma));
    }
    for step in [3.0, 8.0, 16.0, 30.0, 60.0] {
        add("blocks", step, blocks(picture, step));
    }
    for step in [4.0, 12.0, 32.0] {
        add("steps", step, steps(picture, step));
    }
    for size in [2, 4, 8] {
        add("coarse colour", size as f64, coarse_colour(picture, size));
    }
    for by in [0.97, 1.1] {
        add("brighter", by, brighter(picture, by));
    }
    add("shifted", 1.0, shifted(picture, 1));
    all
}

fn ours(reference: &Picture, other: &Picture) -> f64 {
    Reference::new(&reference.rgb, reference.width, reference.height).unwrap().score(&other.rgb).unwrap()
}

fn theirs(reference: &Picture, other: &Picture) -> f64 {
    let [reference, other] = [reference, other].map(|picture| {
        let pixels = picture.rgb.as_chunks::<3>().0.iter().map(|pixel| pixel.map(|value| f32::from(value) / 255.0));
        let (transfer, primaries) = (TransferCharacteristic::SRGB, ColorPrimaries::BT709);
        Rgb::new(pixels.collect(), picture.width, picture.height, transfer, primaries).unwrap()
    });
    compute_frame_ssimulacra2(reference, other).unwrap()
}

fn check(width: usize, height: usize, seed: u32) {
    let reference = scene(width, height, seed);
    for (name, other) in damaged(&reference) {
        let (ours, theirs) = (ours(&reference, &other), theirs(&reference, &other));
        assert!((ours - theirs).abs() < tolerance(ours), "{width}x{height} {name}: {ours} instead of {theirs}");
    }
}

#[test]
fn scores_are_those_of_another_implementation() {
    check(256, 192, 1);
    check(201, 263, 2);
}

/// Fewer than six scales.
#[test]
fn scores_of_small_pictures_are_those_of_another_implementation() {
    for (width, height) in [(8, 8), (9, 40), (16, 16), (33, 21), (100, 61)] {
        check(width, height, 3);
    }
}
