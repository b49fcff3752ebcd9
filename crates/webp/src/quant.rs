//! Quantisers: steps from the quality, reciprocals, rounding, and the prices that go with them (RFC 6386, sections 9.6
//! and 14.1).

use crate::simd::I16x8;
use crate::tables::{AC_STEPS, DC_STEPS};
use crate::transform::Pair;

/// The largest level that a token can carry with what the decoder's 16 bits allow.
const MAX_LEVEL: i16 = 2047;

/// How much luma coefficients are raised before rounding, in 2048ths of the step, row by row: keeps texture.
const SHARPEN: [i32; 16] = [0, 30, 60, 90, 30, 60, 90, 90, 60, 90, 90, 90, 90, 90, 90, 90];

/// What a quantiser is for; each rounds in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    /// Luma, with or without its DC coefficient.
    Luma,
    /// The DC coefficients of luma, transformed once more.
    LumaDc,
    /// Both chroma planes.
    Chroma,
}

impl Plane {
    /// What is added before a division by the step is cut off, in 256ths of the step: for DC, and for AC.
    const fn rounding(self) -> [i32; 2] {
        match self {
            Plane::Luma => [96, 110],
            Plane::LumaDc => [96, 108],
            Plane::Chroma => [110, 115],
        }
    }
}

/// A quantiser for sixteen coefficients.
#[derive(Clone)]
pub struct Quantizer {
    steps: Pair,
    reciprocals: Pair,
    /// What is added before the division, which rounds to the nearest by itself: mostly negative.
    offsets: Pair,
    /// The steps of DC and of AC.
    pub step: [u16; 2],
}

impl Quantizer {
    fn new(plane: Plane, dc: u16, ac: u16) -> Self {
        let mut quantizer = Self {
            steps: [I16x8::splat(0); 4],
            reciprocals: [I16x8::splat(0); 4],
            offsets: [I16x8::splat(0); 4],
            step: [dc, ac],
        };
        for row in 0..4 {
            let lane = |f: &dyn Fn(usize) -> i32| I16x8::from_array(std::array::from_fn(|i| f(row * 4 + i % 4) as i16));
            let step = |i: usize| i32::from(if i == 0 { dc } else { ac });
            quantizer.steps[row] = lane(&step);
            quantizer.reciprocals[row] = lane(&|i| (32768 + step(i) / 2) / step(i));
            quantizer.offsets[row] = lane(&|i| {
                let sharpen = if plane == Plane::Luma { (SHARPEN[i] * step(i)) >> 11 } else { 0 };
                sharpen - (((128 - plane.rounding()[usize::from(i > 0)]) * step(i) + 128) >> 8)
            });
        }
        quantizer
    }

    /// The mean step.
    fn mean(&self) -> u32 {
        (u32::from(self.step[0]) + 15 * u32::from(self.step[1]) + 8) >> 4
    }

    /// The levels of a pair of blocks of coefficients.
    #[inline(always)]
    pub fn quantize(&self, coefficients: &Pair) -> Pair {
        let mut levels = *coefficients;
        for (i, level) in levels.iter_mut().enumerate() {
            let magnitude = level.abs().add(self.offsets[i]).mul_fraction(self.reciprocals[i]);
            *level = magnitude.min(I16x8::splat(MAX_LEVEL)).with_sign_of(*level);
        }
        levels
    }

    /// The coefficients that the decoder makes of the levels.
    #[inline(always)]
    pub fn dequantize(&self, levels: &Pair) -> Pair {
        [
            levels[0].mul(self.steps[0]),
            levels[1].mul(self.steps[1]),
            levels[2].mul(self.steps[2]),
            levels[3].mul(self.steps[3]),
        ]
    }
}

/// What a bit costs, in 256ths of a squared error over 256ths of a bit, for each decision.
#[derive(Debug, Clone, Copy)]
pub struct Lambdas {
    /// Among the modes of a 4x4 block.
    pub block: u64,
    /// Among the modes of a whole macroblock.
    pub whole: u64,
    /// Among the modes of chroma.
    pub chroma: u64,
    /// Between one prediction for the macroblock and sixteen.
    pub mode: u64,
    /// How much a change of texture counts, in 256ths of a squared error.
    pub texture: u64,
    /// What 256 bits cost against a Hadamard sum, for choosing candidates.
    pub candidate: u32,
}

/// Everything that one segment's quantiser index decides.
#[derive(Clone)]
pub struct Segment {
    /// The quantiser index, 0 to 127.
    pub index: u8,
    /// The loop filter's level, 0 to 63.
    pub filter_level: u8,
    /// For luma.
    pub luma: Quantizer,
    /// For the transformed luma DC.
    pub luma_dc: Quantizer,
    /// For chroma.
    pub chroma: Quantizer,
    /// The prices.
    pub lambda: Lambdas,
}

/// The differences of chroma's quantiser indices from luma's, the same in all segments.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChromaDeltas {
    /// For the DC coefficient, -15 to 15.
    pub dc: i32,
    /// For the AC coefficients, -15 to 15.
    pub ac: i32,
}

impl Segment {
    /// The segment with the quantiser index; `texture` is how much texture counts, 0 to 100.
    pub fn new(index: u8, filter_level: u8, deltas: ChromaDeltas, texture: u32) -> Self {
        let at = |delta: i32, last: i32| (i32::from(index) + delta).clamp(0, last) as usize;
        let luma = Quantizer::new(Plane::Luma, DC_STEPS[at(0, 127)], AC_STEPS[at(0, 127)]);
        let dc_ac = (u32::from(AC_STEPS[at(0, 127)]) * 155 / 100).max(8) as u16;
        let luma_dc = Quantizer::new(Plane::LumaDc, DC_STEPS[at(0, 127)] * 2, dc_ac);
        let chroma = Quantizer::new(Plane::Chroma, DC_STEPS[at(deltas.dc, 117)], AC_STEPS[at(deltas.ac, 127)]);
        let (y, y2, uv) = (u64::from(luma.mean()), u64::from(luma_dc.mean()), u64::from(chroma.mean()));
        let lambda = Lambdas {
            block: ((3 * y * y) >> 7).max(1),
            whole: (3 * y2 * y2).max(1),
            chroma: ((3 * uv * uv) >> 6).max(1),
            mode: ((y * y) >> 7).max(1),
            texture: (u64::from(texture) * y) >> 5,
            candidate: (95 * y as u32).max(1),
        };
        Self { index, filter_level, luma, luma_dc, chroma, lambda }
    }
}
