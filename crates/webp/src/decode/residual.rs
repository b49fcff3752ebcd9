//! The coefficients of a macroblock: RFC 6386, section 13.

use super::bits::BoolDecoder;
use super::header::{Probabilities, Segment, Steps};
use crate::macroblock::{CHROMA, LUMA_DC, NonZero, kind};
use crate::tables::{CATEGORY_3, CATEGORY_4, CATEGORY_5, CATEGORY_6, ZIGZAG};
use crate::transform::inverse_wht;

/// The coefficients of two blocks side by side, row by row: four of the first and four of the second.
pub type PairCoefficients = [i16; 32];

/// The coefficients of a macroblock, times their steps.
pub struct Coefficients {
    /// Eight pairs of luma, two of each chroma plane.
    pub pairs: [PairCoefficients; 12],
    /// Of each block, where its last coefficient ends in the order in which they are coded: 0 if there is none, 1 if
    /// there is DC alone.
    pub ends: [u8; 24],
}

impl Coefficients {
    /// Nothing but zeros.
    pub fn new() -> Self {
        Self { pairs: [[0; 32]; 12], ends: [0; 24] }
    }

    /// Makes all of them zero.
    pub fn clear(&mut self) {
        if !self.is_empty() {
            *self = Self::new();
        }
    }

    /// Whether all of them are zero.
    pub fn is_empty(&self) -> bool {
        self.ends == [0; 24]
    }

    /// Reads a macroblock over one that was cleared. `above` and `left` say which blocks next to it have coefficients,
    /// and then which of its own have.
    pub fn read(
        &mut self,
        bits: &mut BoolDecoder,
        probabilities: &Probabilities,
        segment: &Segment,
        is_whole: bool,
        (above, left): (&mut NonZero, &mut NonZero),
    ) {
        // In registers while the blocks are read.
        let mut reader = *bits;
        let (kind, first) = if is_whole { (kind::LUMA_AC, 1) } else { (kind::LUMA, 0) };
        if is_whole {
            let mut levels = [0; 16];
            let context = above.flags[8] + left.flags[8];
            let probs = &probabilities[kind::LUMA_DC];
            let end = read_block(&mut reader, probs, context, 0, &segment.luma_dc, |at, value| levels[at] = value);
            let is_coded = u8::from(end > 0);
            (above.flags[8], left.flags[8]) = (is_coded, is_coded);
            if is_coded != 0 {
                for (i, dc) in inverse_wht(&levels).into_iter().enumerate() {
                    self.pairs[i / 2][i % 2 * 4] = dc;
                    self.ends[i] = u8::from(dc != 0);
                }
            }
        }
        let mut block = |i: usize, probs, first, steps, above: &mut u8, left: &mut u8| {
            let pair = &mut self.pairs[i / 2];
            let half = i % 2 * 4;
            // The index is less than 32 anyway.
            let put = |at: usize, value| pair[(at / 4 * 8 + at % 4 + half) & 31] = value;
            let end = read_block(&mut reader, probs, *above + *left, first, steps, put);
            let is_coded = u8::from(end > first);
            (*above, *left) = (is_coded, is_coded);
            if is_coded != 0 {
                self.ends[i] = end as u8;
            }
        };
        for i in 0..CHROMA {
            let (above, left) = (&mut above.flags[i % 4], &mut left.flags[i / 4]);
            block(i, &probabilities[kind], first, &segment.luma, above, left);
        }
        for i in CHROMA..LUMA_DC {
            let plane = 4 + (i - CHROMA) / 4 * 2;
            let (above, left) = (&mut above.flags[plane + i % 2], &mut left.flags[plane + i % 4 / 2]);
            block(i, &probabilities[kind::CHROMA], 0, &segment.chroma, above, left);
        }
        *bits = reader;
    }
}

/// Reads the coefficients of a block from position `first` on, gives each with where it stands in its block, row by
/// row, and returns the position after the last one.
#[inline(always)]
fn read_block(
    bits: &mut BoolDecoder,
    probs: &[[[u8; 11]; 3]; 17],
    context: u8,
    first: usize,
    steps: &Steps,
    mut put: impl FnMut(usize, i16),
) -> usize {
    let mut at = first;
    let mut node = &probs[at][usize::from(context)];
    while at < 16 {
        if !bits.get(node[0]) {
            return at;
        }
        while !bits.get(node[1]) {
            at += 1;
            if at == 16 {
                return 16;
            }
            node = &probs[at][0];
        }
        let (level, context) = if bits.get(node[2]) { (large(bits, node), 2) } else { (1, 1) };
        let level = if bits.get(128) { -level } else { level };
        // As it is stored in 16 bits; no sound file has more.
        put(ZIGZAG[at], (level * steps[usize::from(at > 0)]) as i16);
        at += 1;
        node = &probs[at][context];
    }
    16
}

/// A level of more than one (section 13.2).
fn large(bits: &mut BoolDecoder, node: &[u8; 11]) -> i32 {
    let extra = |bits: &mut BoolDecoder, probs: &[u8]| {
        probs.iter().fold(0, |value, prob| value << 1 | i32::from(bits.get(*prob)))
    };
    if !bits.get(node[3]) {
        return match () {
            () if !bits.get(node[4]) => 2,
            () if !bits.get(node[5]) => 3,
            () => 4,
        };
    }
    if !bits.get(node[6]) {
        return if bits.get(node[7]) { 7 + extra(bits, &[165, 145]) } else { 5 + extra(bits, &[159]) };
    }
    match (bits.get(node[8]), node) {
        (false, node) if !bits.get(node[9]) => 11 + extra(bits, &CATEGORY_3),
        (false, _) => 19 + extra(bits, &CATEGORY_4),
        (true, node) if !bits.get(node[10]) => 35 + extra(bits, &CATEGORY_5),
        (true, _) => 67 + extra(bits, &CATEGORY_6),
    }
}
