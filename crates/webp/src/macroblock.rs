//! One macroblock: what is known around it, and what was decided about it.

use crate::modes::WholeMode;
use crate::predict::{Block, Edges, bottom, right};

/// Where the blocks of the first chroma plane begin in a macroblock; the second follows after four.
pub const CHROMA: usize = 16;
/// The block of the transformed luma DC coefficients.
pub const LUMA_DC: usize = 24;

/// The types of blocks, in the order of the probability tables (section 13.3).
pub mod kind {
    /// Luma without DC.
    pub const LUMA_AC: usize = 0;
    /// The transformed DC coefficients of luma.
    pub const LUMA_DC: usize = 1;
    /// Chroma.
    pub const CHROMA: usize = 2;
    /// Luma with DC.
    pub const LUMA: usize = 3;
}

/// The pixels of a macroblock in blocks, and the texture of each luma block.
pub struct Source {
    /// Sixteen of luma, four of each chroma plane.
    pub blocks: [Block; 24],
    /// See [`crate::distortion::texture`].
    pub texture: [i32; 16],
}

/// Whether the blocks next to a macroblock have coefficients: four of luma, two of each chroma, the transformed DC.
#[derive(Clone, Copy, Default)]
pub struct NonZero {
    /// Zero or one each.
    pub flags: [u8; 9],
}

/// Everything around a macroblock that its coding looks at.
pub struct Surroundings {
    /// Around luma.
    pub luma: Edges<16>,
    /// The four pixels after the row above.
    pub above_right: [u8; 4],
    /// Around both chroma planes.
    pub chroma: [Edges<8>; 2],
    /// The block modes above and to the left.
    pub modes: ([u8; 4], [u8; 4]),
    /// The blocks with coefficients above and to the left.
    pub nonzero: (NonZero, NonZero),
}

/// How luma is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LumaMode {
    /// As a whole.
    Whole(WholeMode),
    /// Block by block.
    Blocks([u8; 16]),
}

impl LumaMode {
    /// The modes of the sixteen blocks, as neighbours count them.
    pub fn block_modes(&self) -> [u8; 16] {
        match self {
            LumaMode::Whole(mode) => [mode.as_block_mode(); 16],
            LumaMode::Blocks(modes) => *modes,
        }
    }
}

/// The quantised coefficients of a macroblock in coding order, and for each block the mask of those not zero.
#[derive(Clone)]
pub struct Levels {
    /// Luma, chroma, and the transformed luma DC last.
    pub levels: [[i16; 16]; 25],
    /// Bit n stands for level n.
    pub masks: [u32; 25],
}

impl Levels {
    /// Nothing but zeros.
    pub const NONE: Levels = Levels { levels: [[0; 16]; 25], masks: [0; 25] };

    /// Whether everything is zero.
    pub fn is_empty(&self) -> bool {
        self.masks == [0; 25]
    }
}

/// A decided macroblock.
#[derive(Clone)]
pub struct Decision {
    /// How luma is predicted.
    pub luma: LumaMode,
    /// How chroma is predicted.
    pub chroma: WholeMode,
    /// The coefficients.
    pub coefficients: Levels,
    /// What the decoder will see before the loop filter.
    pub pixels: [Block; 24],
}

impl Decision {
    /// A decision to be overwritten.
    pub fn empty() -> Self {
        Self {
            luma: LumaMode::Whole(WholeMode::Dc),
            chroma: WholeMode::Dc,
            coefficients: Levels::NONE,
            pixels: [[0; 16]; 24],
        }
    }

    /// The bottom row of luma.
    pub fn luma_bottom(&self) -> [u8; 16] {
        rows(&self.pixels[12..16])
    }

    /// The right column of luma.
    pub fn luma_right(&self) -> [u8; 16] {
        columns([3, 7, 11, 15].map(|block| right(&self.pixels[block])))
    }

    /// The bottom row of a chroma plane.
    pub fn chroma_bottom(&self, plane: usize) -> [u8; 8] {
        let at = CHROMA + plane * 4;
        rows(&self.pixels[at + 2..at + 4])
    }

    /// The right column of a chroma plane.
    pub fn chroma_right(&self, plane: usize) -> [u8; 8] {
        let at = CHROMA + plane * 4;
        columns([at + 1, at + 3].map(|block| right(&self.pixels[block])))
    }
}

fn rows<const N: usize>(blocks: &[Block]) -> [u8; N] {
    let mut row = [0; N];
    for (four, block) in row.chunks_exact_mut(4).zip(blocks) {
        four.copy_from_slice(&bottom(block));
    }
    row
}

fn columns<const N: usize, const M: usize>(parts: [[u8; 4]; M]) -> [u8; N] {
    let mut column = [0; N];
    column.copy_from_slice(parts.as_flattened());
    column
}
