//! The frame header and the modes of macroblocks: the first partition (RFC 6386, sections 9.2 to 9.11, 10, 11, 19.2).

use crate::analysis::Segmentation;
use crate::bool_coder::BoolEncoder;
use crate::macroblock::LumaMode;
use crate::modes::{
    BLOCK_MODES, BLOCK_PATHS, CHROMA_PATHS, CHROMA_PROBABILITIES, LUMA_PATHS, LUMA_PROBABILITIES, WholeMode,
};
use crate::tables::{CoefficientProbabilities, DEFAULT_COEFFICIENTS, UPDATE_COEFFICIENTS};

/// What the first partition says of a macroblock.
#[derive(Debug, Clone, Copy)]
pub struct Modes {
    /// How luma is predicted.
    pub luma: LumaMode,
    /// How chroma is predicted.
    pub chroma: WholeMode,
    /// Whether it has no coefficients.
    pub is_empty: bool,
}

/// The bytes of the first partition.
pub fn first_partition(
    segmentation: &Segmentation,
    probs: &CoefficientProbabilities,
    modes: &[Modes],
    columns: usize,
) -> Vec<u8> {
    let mut encoder = BoolEncoder::new(modes.len() * 4 + 256);
    // The colour space, and that pixels need clamping.
    encoder.put_literal(0, 2);
    let tree = write_segments(&mut encoder, segmentation);
    // The normal loop filter with sharpness 0; levels are the segments'.
    encoder.put_literal(0, 1);
    // With level 0 here decoders filter nothing at all.
    let level = segmentation.segments.iter().map(|segment| segment.filter_level).max().unwrap_or(0);
    encoder.put_literal(level.into(), 6);
    encoder.put_literal(0, 3);
    // No filter adjustments, and one partition of coefficients.
    encoder.put_literal(0, 1);
    encoder.put_literal(0, 2);
    write_quantizers(&mut encoder, segmentation);
    // The probabilities are for this frame only.
    encoder.put_literal(0, 1);
    write_probabilities(&mut encoder, probs);
    let skip = write_skip(&mut encoder, modes);
    let mut writer = ModeWriter { encoder, above: vec![0; columns * 4], left: [0; 4] };
    for (i, modes) in modes.iter().enumerate() {
        if let Some(probs) = tree {
            write_segment(&mut writer.encoder, segmentation.map[i], probs);
        }
        if let Some(prob) = skip {
            writer.encoder.put(modes.is_empty, prob);
        }
        writer.write(i % columns, modes);
    }
    writer.encoder.finish()
}

/// Writes the segments, and gives the probabilities of the tree that says which one a macroblock is in.
fn write_segments(encoder: &mut BoolEncoder, segmentation: &Segmentation) -> Option<[u8; 3]> {
    let segments = &segmentation.segments;
    encoder.put(segments.len() > 1, 128);
    if segments.len() < 2 {
        return None;
    }
    // The map and the values follow, and the values are absolute.
    encoder.put_literal(0b111, 3);
    for i in 0..4 {
        encoder.put_optional_signed(segments.get(i).map_or(0, |segment| segment.index).into(), 7);
    }
    for i in 0..4 {
        encoder.put_optional_signed(segments.get(i).map_or(0, |segment| segment.filter_level).into(), 6);
    }
    let mut counts = [0u32; 4];
    segmentation.map.iter().for_each(|&segment| counts[usize::from(segment & 3)] += 1);
    let tree = [
        probability(counts[0] + counts[1], counts[2] + counts[3]),
        probability(counts[0], counts[1]),
        probability(counts[2], counts[3]),
    ];
    for prob in tree {
        encoder.put(prob != 255, 128);
        if prob != 255 {
            encoder.put_literal(prob.into(), 8);
        }
    }
    Some(tree)
}

fn write_segment(encoder: &mut BoolEncoder, segment: u8, tree: [u8; 3]) {
    encoder.put(segment >= 2, tree[0]);
    encoder.put(segment & 1 != 0, tree[1 + usize::from(segment >= 2)]);
}

fn write_quantizers(encoder: &mut BoolEncoder, segmentation: &Segmentation) {
    encoder.put_literal(segmentation.segments.first().map_or(0, |segment| segment.index).into(), 7);
    let deltas = segmentation.deltas;
    for delta in [0, 0, 0, deltas.dc, deltas.ac] {
        encoder.put_optional_signed(delta, 4);
    }
}

fn write_probabilities(encoder: &mut BoolEncoder, probs: &CoefficientProbabilities) {
    let flat = |probs: &CoefficientProbabilities| probs.as_flattened().as_flattened().as_flattened().to_vec();
    let old = flat(&DEFAULT_COEFFICIENTS);
    for ((prob, old), update) in flat(probs).into_iter().zip(old).zip(flat(&UPDATE_COEFFICIENTS)) {
        encoder.put(prob != old, update);
        if prob != old {
            encoder.put_literal(prob.into(), 8);
        }
    }
}

/// Says whether macroblocks without coefficients are marked, and with which probability.
fn write_skip(encoder: &mut BoolEncoder, modes: &[Modes]) -> Option<u8> {
    let empty = modes.iter().filter(|modes| modes.is_empty).count() as u32;
    encoder.put(empty > 0, 128);
    if empty == 0 {
        return None;
    }
    let prob = probability(modes.len() as u32 - empty, empty);
    encoder.put_literal(prob.into(), 8);
    Some(prob)
}

/// The probability of false, 1 to 255.
fn probability(no: u32, yes: u32) -> u8 {
    let all = u64::from(no) + u64::from(yes);
    (u64::from(no) * 255 + all / 2).checked_div(all).unwrap_or(255).clamp(1, 255) as u8
}

struct ModeWriter {
    encoder: BoolEncoder,
    /// The block modes above, four a macroblock, and to the left.
    above: Vec<u8>,
    left: [u8; 4],
}

impl ModeWriter {
    fn write(&mut self, column: usize, modes: &Modes) {
        if column == 0 {
            self.left = [0; 4];
        }
        match modes.luma {
            LumaMode::Whole(mode) => self.path(LUMA_PATHS[mode as usize], &LUMA_PROBABILITIES),
            LumaMode::Blocks(blocks) => self.blocks(column, &blocks),
        }
        let blocks = modes.luma.block_modes();
        for i in 0..4 {
            self.above[column * 4 + i] = blocks[12 + i];
            self.left[i] = blocks[i * 4 + 3];
        }
        self.path(CHROMA_PATHS[modes.chroma as usize], &CHROMA_PROBABILITIES);
    }

    fn blocks(&mut self, column: usize, blocks: &[u8; 16]) {
        self.encoder.put(false, LUMA_PROBABILITIES[0]);
        for (i, &mode) in blocks.iter().enumerate() {
            let above = if i < 4 { self.above[column * 4 + i] } else { blocks[i - 4] };
            let left = if i % 4 == 0 { self.left[i / 4] } else { blocks[i - 1] };
            self.path(BLOCK_PATHS[usize::from(mode)], &BLOCK_MODES[usize::from(above)][usize::from(left)]);
        }
    }

    fn path(&mut self, path: &[(u8, bool)], probs: &[u8]) {
        for &(node, bit) in path {
            self.encoder.put(bit, probs[usize::from(node)]);
        }
    }
}
