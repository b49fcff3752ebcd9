//! A macroblock predicted block by block, while it is being decided.

use crate::cost::bit_cost;
use crate::macroblock::Surroundings;
use crate::modes::LUMA_PROBABILITIES;
use crate::predict::{Block, bottom, right};

/// What a measured choice comes to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measure {
    /// In 256ths of a bit.
    pub rate: u32,
    /// Squared error, and texture.
    pub distortion: u32,
}

impl Measure {
    /// The score at a price.
    pub fn score(self, lambda: u64) -> u64 {
        u64::from(self.rate) * lambda + 256 * u64::from(self.distortion)
    }
}

/// The blocks of a macroblock decided so far, and the edges of the next.
pub struct BlockState {
    /// What they come to together.
    pub measure: Measure,
    /// What their modes cost.
    pub header: u32,
    /// Their modes.
    pub modes: [u8; 16],
    /// Their coefficients.
    pub levels: [[i16; 16]; 16],
    /// Which of those are not zero.
    pub masks: [u32; 16],
    /// What the decoder will see.
    pub pixels: [Block; 16],
    /// The corner, sixteen pixels above the row of blocks, and the four after them.
    pub above: [u8; 21],
    /// The column to the left of the next block.
    pub left: [u8; 4],
    /// The pixel above that column.
    pub corner: u8,
    /// The modes above the next blocks.
    pub modes_above: [u8; 4],
    /// The mode to the left of the next block.
    pub mode_left: u8,
    /// Which blocks above have coefficients.
    pub nonzero_above: [u8; 4],
    /// Which blocks to the left have.
    pub nonzero_left: [u8; 4],
}

impl BlockState {
    /// Before the first block.
    pub fn new(around: &Surroundings) -> Self {
        let mut above = [around.luma.corner; 21];
        above[1..17].copy_from_slice(&around.luma.above);
        above[17..].copy_from_slice(&around.above_right);
        let flags = (around.nonzero.0.flags, around.nonzero.1.flags);
        Self {
            measure: Measure { rate: bit_cost(false, LUMA_PROBABILITIES[0]), distortion: 0 },
            header: 0,
            modes: [0; 16],
            levels: [[0; 16]; 16],
            masks: [0; 16],
            pixels: [[0; 16]; 16],
            above,
            left: std::array::from_fn(|i| around.luma.left[i]),
            corner: around.luma.corner,
            modes_above: around.modes.0,
            mode_left: around.modes.1[0],
            nonzero_above: std::array::from_fn(|i| flags.0[i]),
            nonzero_left: std::array::from_fn(|i| flags.1[i]),
        }
    }

    /// Moves on to the block after `index`.
    #[inline(always)]
    pub fn advance(&mut self, index: usize, around: &Surroundings) {
        let (x, y) = (index % 4, index / 4);
        self.modes_above[x] = self.modes[index];
        self.mode_left = self.modes[index];
        let flag = u8::from(self.masks[index] != 0);
        (self.nonzero_above[x], self.nonzero_left[y]) = (flag, flag);
        if x < 3 {
            self.corner = self.above[4 + x * 4];
            self.left = right(&self.pixels[index]);
        } else if y < 3 {
            let left = &around.luma.left;
            self.corner = left[y * 4 + 3];
            self.left = std::array::from_fn(|i| left[y * 4 + 4 + i]);
            self.mode_left = around.modes.1[y + 1];
            self.above[0] = self.corner;
            for i in 0..4 {
                self.above[1 + i * 4..5 + i * 4].copy_from_slice(&bottom(&self.pixels[y * 4 + i]));
            }
        }
    }
}
