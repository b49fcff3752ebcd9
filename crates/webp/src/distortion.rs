//! How far pixels are from the source: squared error, Hadamard sums, and texture.
//!
//! All work on pairs of 4x4 blocks, and give one number for each of the two.

use crate::simd::I16x8;
use crate::transform::{Pair, difference};

/// How much each Hadamard frequency counts towards texture: the eye sees the low ones.
const WEIGHTS: [[i16; 8]; 4] = [
    [38, 32, 20, 9, 38, 32, 20, 9],
    [32, 28, 17, 7, 32, 28, 17, 7],
    [20, 17, 10, 4, 20, 17, 10, 4],
    [9, 7, 4, 2, 9, 7, 4, 2],
];

/// The sum of the squared differences.
#[inline(always)]
pub fn squared_error(a: &Pair, b: &Pair) -> (u32, u32) {
    let d = difference(a, b);
    let (first, second) = I16x8::dot_pair(d, d);
    (first as u32, second as u32)
}

/// The sum of the magnitudes of the differences' Hadamard transform (16 times the mean for a flat difference).
#[inline(always)]
pub fn hadamard_sum(a: &Pair, b: &Pair) -> (u32, u32) {
    let down = I16x8::transpose(hadamard_pass(&difference(a, b)));
    // |x + y| + |x - y| is twice the larger of |x| and |y|: the last step needs no sums.
    let s = [down[0].add(down[2]), down[1].add(down[3]), down[0].sub(down[2]), down[1].sub(down[3])];
    let sum = s[0].abs().max(s[1].abs()).add(s[2].abs().max(s[3].abs()));
    let two = I16x8::splat(2);
    let zero = I16x8::splat(0);
    let (first, second) = I16x8::dot_pair([sum, zero, zero, zero], [two, zero, zero, zero]);
    (first as u32, second as u32)
}

/// The weighted texture of the pixels.
#[inline(always)]
pub fn texture(pixels: &Pair) -> (i32, i32) {
    let spectrum = hadamard_pass(&I16x8::transpose(hadamard_pass(pixels)));
    let magnitudes = [spectrum[0].abs(), spectrum[1].abs(), spectrum[2].abs(), spectrum[3].abs()];
    I16x8::dot_pair(magnitudes, WEIGHTS.map(I16x8::from_array))
}

/// The change of texture in units that go with squared error.
#[inline(always)]
pub fn texture_change(source: i32, other: i32) -> u32 {
    source.abs_diff(other) >> 5
}

#[inline(always)]
fn hadamard_pass(x: &Pair) -> Pair {
    let (a0, a1, a2, a3) = (x[0].add(x[2]), x[1].add(x[3]), x[1].sub(x[3]), x[0].sub(x[2]));
    [a0.add(a1), a3.add(a2), a3.sub(a2), a0.sub(a1)]
}
