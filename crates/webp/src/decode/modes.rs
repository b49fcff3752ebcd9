//! What the first partition says of each macroblock: RFC 6386, sections 10 and 11, 19.3.

use super::bits::BoolDecoder;
use super::header::Header;
use crate::macroblock::LumaMode;
use crate::modes::{BLOCK_MODES, CHROMA_PROBABILITIES, LUMA_PROBABILITIES, WholeMode};

/// The modes of a macroblock.
pub struct Modes {
    /// Which segment it is in, 0 to 3.
    pub segment: u8,
    /// Whether it is marked as one without coefficients.
    pub is_skipped: bool,
    /// How luma is predicted.
    pub luma: LumaMode,
    /// How chroma is predicted.
    pub chroma: WholeMode,
}

/// Reads the modes of macroblocks, row by row.
pub struct ModeReader<'a> {
    bits: BoolDecoder<'a>,
    /// The block modes above, four a macroblock, and to the left.
    above: Vec<[u8; 4]>,
    left: [u8; 4],
}

impl<'a> ModeReader<'a> {
    /// A reader of what follows the header of a frame with so many macroblocks in a row.
    pub fn new(bits: BoolDecoder<'a>, columns: usize) -> Self {
        Self { bits, above: vec![[0; 4]; columns], left: [0; 4] }
    }

    /// Whether the partition ended before what was read last.
    pub fn is_past_end(&self) -> bool {
        self.bits.is_past_end()
    }

    /// The modes of the next macroblock, which is in this column.
    pub fn read(&mut self, column: usize, header: &Header) -> Modes {
        if column == 0 {
            self.left = [0; 4];
        }
        let bits = &mut self.bits;
        let segment = header.segment_tree.map_or(0, |tree| match bits.get(tree[0]) {
            false => u8::from(bits.get(tree[1])),
            true => 2 + u8::from(bits.get(tree[2])),
        });
        let is_skipped = header.skip.is_some_and(|prob| bits.get(prob));
        let [whole_prob, late_prob, vertical_prob, true_motion_prob] = LUMA_PROBABILITIES;
        let luma = if bits.get(whole_prob) {
            let mode = match bits.get(late_prob) {
                false if bits.get(vertical_prob) => WholeMode::Vertical,
                false => WholeMode::Dc,
                true if bits.get(true_motion_prob) => WholeMode::TrueMotion,
                true => WholeMode::Horizontal,
            };
            (self.above[column], self.left) = ([mode.as_block_mode(); 4], [mode.as_block_mode(); 4]);
            LumaMode::Whole(mode)
        } else {
            LumaMode::Blocks(self.blocks(column))
        };
        let chroma = self.chroma();
        Modes { segment, is_skipped, luma, chroma }
    }

    fn blocks(&mut self, column: usize) -> [u8; 16] {
        let mut modes = [0; 16];
        let above = &mut self.above[column];
        for (row, left) in modes.as_chunks_mut::<4>().0.iter_mut().zip(&mut self.left) {
            for (mode, above) in row.iter_mut().zip(above.iter_mut()) {
                *mode = block_mode(&mut self.bits, &BLOCK_MODES[usize::from(*above)][usize::from(*left)]);
                (*above, *left) = (*mode, *mode);
            }
        }
        modes
    }

    fn chroma(&mut self) -> WholeMode {
        let [not_dc_prob, not_vertical_prob, true_motion_prob] = CHROMA_PROBABILITIES;
        match () {
            () if !self.bits.get(not_dc_prob) => WholeMode::Dc,
            () if !self.bits.get(not_vertical_prob) => WholeMode::Vertical,
            () if !self.bits.get(true_motion_prob) => WholeMode::Horizontal,
            () => WholeMode::TrueMotion,
        }
    }
}

/// The tree whose paths are [`crate::modes::BLOCK_PATHS`].
#[inline(always)]
fn block_mode(bits: &mut BoolDecoder, probs: &[u8; 9]) -> u8 {
    match () {
        () if !bits.get(probs[0]) => 0,
        () if !bits.get(probs[1]) => 1,
        () if !bits.get(probs[2]) => 2,
        () if !bits.get(probs[3]) => match () {
            () if !bits.get(probs[4]) => 3,
            () if !bits.get(probs[5]) => 5,
            () => 6,
        },
        () if !bits.get(probs[6]) => 4,
        () if !bits.get(probs[7]) => 7,
        () if !bits.get(probs[8]) => 8,
        () => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bool_coder::BoolEncoder;
    use crate::modes::BLOCK_PATHS;

    #[test]
    fn each_path_leads_to_its_mode() {
        let probs = [231, 120, 48, 89, 115, 113, 120, 152, 112];
        for (mode, path) in BLOCK_PATHS.iter().enumerate() {
            let mut encoder = BoolEncoder::new(0);
            path.iter().for_each(|&(node, bit)| encoder.put(bit, probs[usize::from(node)]));
            let bytes = encoder.finish();
            assert_eq!(usize::from(block_mode(&mut BoolDecoder::new(&bytes), &probs)), mode);
        }
    }
}
