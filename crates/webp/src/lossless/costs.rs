//! What symbols will cost once they have codes, in 256ths of a bit: estimated from how often they occur.

use super::stream::{LENGTHS, SYMBOLS, prefix, symbols};

/// How often each symbol of each of the five codes occurs.
pub type Counts = [Vec<u32>; 5];

/// What a symbol of a length or distance costs before anything is known.
const UNKNOWN: u32 = 6 * 256;

/// The costs of the symbols of the five codes.
pub struct Costs {
    codes: [Vec<u32>; 5],
}

impl Costs {
    /// The costs if all pixels were literals.
    pub fn of_literals(pixels: &[u32]) -> Self {
        let mut counts: Counts = SYMBOLS.map(|symbols| vec![0; symbols]);
        for &pixel in pixels {
            symbols(pixel).into_iter().zip(&mut counts).for_each(|(symbol, counts)| counts[symbol] += 1);
        }
        let mut costs = Self::new(&counts);
        costs.codes[0][LENGTHS..].fill(UNKNOWN);
        costs.codes[4].fill(UNKNOWN);
        costs
    }

    /// The costs for symbols that occur so often.
    pub fn new(counts: &Counts) -> Self {
        let costs = |counts: &Vec<u32>| {
            let total: u32 = counts.iter().sum();
            // The only symbol of a code is free, any other takes at least a bit.
            let least = if counts.contains(&total) { 0 } else { 256 };
            counts.iter().map(|&count| (log2(total.max(1)) - log2(count.max(1))).max(least)).collect()
        };
        Self { codes: [&counts[0], &counts[1], &counts[2], &counts[3], &counts[4]].map(costs) }
    }

    /// The cost of a pixel.
    #[inline]
    pub fn literal(&self, pixel: u32) -> u32 {
        symbols(pixel).into_iter().zip(&self.codes).map(|(symbol, costs)| costs[symbol]).sum()
    }

    /// The cost of a copy.
    pub fn copy(&self, length: usize, code: usize) -> u32 {
        let (length, _, length_bits) = prefix(length);
        let (distance, _, distance_bits) = prefix(code);
        self.codes[0][LENGTHS + length] + self.codes[4][distance] + 256 * (length_bits + distance_bits)
    }
}

/// `256 * log2(x)`, cut off: the digits come one by one from repeated squaring.
fn log2(x: u32) -> u32 {
    let whole = x.ilog2();
    let mut mantissa = u64::from(x) << (31 - whole);
    let mut result = whole;
    for _ in 0..8 {
        mantissa = (mantissa * mantissa) >> 31;
        let bit = mantissa >> 32;
        mantissa >>= bit;
        result = (result << 1) | bit as u32;
    }
    result
}
