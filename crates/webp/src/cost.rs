//! What things cost in 256ths of a bit: tokens, levels and modes, under given probabilities.
//!
//! The cost of a level in a place is a table look-up; the tables are made anew whenever the probabilities move.

use crate::modes::{BLOCK_MODES, BLOCK_PATHS, CHROMA_PATHS, CHROMA_PROBABILITIES, LUMA_PATHS, LUMA_PROBABILITIES};
use crate::tables::{BANDS, CATEGORY_3, CATEGORY_4, CATEGORY_5, CATEGORY_6, CoefficientProbabilities};

/// Levels above this one cost what it does, apart from their extra bits.
const MAX_VARIABLE: usize = 67;

/// `256 * log2(256 / p)`, rounded.
const BIT_COSTS: [u16; 257] = {
    let mut costs = [0; 257];
    let mut p = 1;
    while p <= 256 {
        costs[p] = (8 * 256 - log2_256(p as u64)) as u16;
        p += 1;
    }
    costs[0] = costs[1];
    costs
};

/// `256 * log2(x)`, rounded, for x from 1 to 256: the digits come one by one from repeated squaring.
const fn log2_256(x: u64) -> u64 {
    let whole = 63 - x.leading_zeros() as u64;
    let mut mantissa = x << (31 - whole);
    let mut result = whole;
    let mut digit = 0;
    while digit < 9 {
        mantissa = (mantissa * mantissa) >> 31;
        let bit = mantissa >> 32;
        mantissa >>= bit;
        result = (result << 1) | bit;
        digit += 1;
    }
    (result + 1) >> 1
}

/// The cost of one boolean that is false with probability `prob / 256`.
#[inline(always)]
pub const fn bit_cost(bit: bool, prob: u8) -> u32 {
    BIT_COSTS[if bit { 256 - prob as usize } else { prob as usize }] as u32
}

/// The part of a level's cost that no probability changes: its sign and its extra bits.
static FIXED_COSTS: [u16; 2048] = {
    let mut costs = [0; 2048];
    let mut level = 1;
    while level < 2048 {
        costs[level] = (256 + extra_cost(level as u32)) as u16;
        level += 1;
    }
    costs
};

const fn extra_cost(level: u32) -> u32 {
    match level {
        0..5 => 0,
        5..7 => bits_cost(level - 5, &[159]),
        7..11 => bits_cost(level - 7, &[165, 145]),
        11..19 => bits_cost(level - 11, &CATEGORY_3),
        19..35 => bits_cost(level - 19, &CATEGORY_4),
        35..67 => bits_cost(level - 35, &CATEGORY_5),
        _ => bits_cost(level - 67, &CATEGORY_6),
    }
}

const fn bits_cost(value: u32, probs: &[u8]) -> u32 {
    let mut cost = 0;
    let mut i = 0;
    while i < probs.len() {
        cost += bit_cost((value >> (probs.len() - 1 - i)) & 1 != 0, probs[i]);
        i += 1;
    }
    cost
}

/// The cost of the tokens that say how large a level above zero is, up to its extra bits.
fn size_cost(level: usize, p: &[u8; 11]) -> u32 {
    if level == 1 {
        return bit_cost(false, p[2]);
    }
    let many = bit_cost(true, p[2]);
    many + match level {
        2 => bit_cost(false, p[3]) + bit_cost(false, p[4]),
        3 | 4 => bit_cost(false, p[3]) + bit_cost(true, p[4]) + bit_cost(level == 4, p[5]),
        5..=10 => bit_cost(true, p[3]) + bit_cost(false, p[6]) + bit_cost(level > 6, p[7]),
        11..=34 => bit_cost(true, p[3]) + bit_cost(true, p[6]) + bit_cost(false, p[8]) + bit_cost(level > 18, p[9]),
        _ => bit_cost(true, p[3]) + bit_cost(true, p[6]) + bit_cost(true, p[8]) + bit_cost(level > 66, p[10]),
    }
}

/// The cost of each level after each kind of level, in one band of one block type.
type BandCosts = [[u16; MAX_VARIABLE + 1]; 3];

/// The costs of coefficients.
pub struct LevelCosts {
    levels: Box<[[BandCosts; 8]; 4]>,
    /// The cost of "the block ends here", by type, band and context.
    ends: [[[u16; 3]; 8]; 4],
    /// The cost of "it does not".
    goes_on: [[[u16; 3]; 8]; 4],
}

impl LevelCosts {
    /// The costs under the probabilities.
    pub fn new(probs: &CoefficientProbabilities) -> Self {
        let mut costs =
            Self { levels: Box::new([[[[0; 68]; 3]; 8]; 4]), ends: [[[0; 3]; 8]; 4], goes_on: [[[0; 3]; 8]; 4] };
        costs.update(probs);
        costs
    }

    /// Makes the tables anew.
    pub fn update(&mut self, probs: &CoefficientProbabilities) {
        for (kind, bands) in probs.iter().enumerate() {
            for (band, contexts) in bands.iter().enumerate() {
                for (context, p) in contexts.iter().enumerate() {
                    // After a zero there is no end, so that it is not asked for.
                    let goes_on = bit_cost(true, p[0]);
                    let base = if context > 0 { goes_on } else { 0 };
                    let table = &mut self.levels[kind][band][context];
                    table[0] = (base + bit_cost(false, p[1])) as u16;
                    for (level, cost) in table.iter_mut().enumerate().skip(1) {
                        *cost = (base + bit_cost(true, p[1]) + size_cost(level, p)) as u16;
                    }
                    self.ends[kind][band][context] = bit_cost(false, p[0]) as u16;
                    self.goes_on[kind][band][context] = goes_on as u16;
                }
            }
        }
    }

    /// The cost of a block. `mask` has a bit set for each level that is not zero, `first` is the first position coded.
    #[inline]
    pub fn block(&self, kind: usize, first: usize, context: usize, levels: &[i16; 16], mask: u32) -> u32 {
        let (tables, ends) = (&self.levels[kind & 3], &self.ends[kind & 3]);
        let mut band = usize::from(BANDS[first]);
        if mask >> first == 0 {
            return u32::from(ends[band][context]);
        }
        let last = 31 - mask.leading_zeros() as usize;
        let mut cost = if context == 0 { u32::from(self.goes_on[kind & 3][band][0]) } else { 0 };
        let mut context = context;
        for n in first..=(last & 15) {
            let level = usize::from(levels[n].unsigned_abs()) & 2047;
            cost += u32::from(tables[band][context][level.min(MAX_VARIABLE)]) + u32::from(FIXED_COSTS[level]);
            context = level.min(2);
            band = usize::from(BANDS[n + 1]) & 7;
        }
        if last < 15 { cost + u32::from(ends[band][context]) } else { cost }
    }
}

/// The cost of each mode of a 4x4 block, by the mode above and the mode to the left.
pub static BLOCK_MODE_COSTS: [[[u16; 10]; 10]; 10] = {
    let mut costs = [[[0; 10]; 10]; 10];
    let mut i = 0;
    while i < 1000 {
        let (above, left, mode) = (i / 100, i / 10 % 10, i % 10);
        costs[above][left][mode] = path_cost(BLOCK_PATHS[mode], &BLOCK_MODES[above][left]);
        i += 1;
    }
    costs
};

/// The cost of each mode of a whole macroblock: DC, vertical, horizontal, TrueMotion.
pub static LUMA_MODE_COSTS: [u16; 4] = {
    let mut costs = [0; 4];
    let mut mode = 0;
    while mode < 4 {
        costs[mode] = path_cost(LUMA_PATHS[mode], &LUMA_PROBABILITIES);
        mode += 1;
    }
    costs
};

/// The cost of each chroma mode, in the same order.
pub static CHROMA_MODE_COSTS: [u16; 4] = {
    let mut costs = [0; 4];
    let mut mode = 0;
    while mode < 4 {
        costs[mode] = path_cost(CHROMA_PATHS[mode], &CHROMA_PROBABILITIES);
        mode += 1;
    }
    costs
};

const fn path_cost(path: &[(u8, bool)], probs: &[u8]) -> u16 {
    let mut cost = 0;
    let mut i = 0;
    while i < path.len() {
        cost += bit_cost(path[i].1, probs[path[i].0 as usize]);
        i += 1;
    }
    cost as u16
}
