//! Coefficients as tokens, RFC 6386, section 13: recorded once, counted, and written when the best probabilities are
//! known.

use crate::bool_coder::BoolEncoder;
use crate::cost::bit_cost;
use crate::tables::{
    BANDS, CATEGORY_3, CATEGORY_4, CATEGORY_5, CATEGORY_6, CoefficientProbabilities, DEFAULT_COEFFICIENTS,
    UPDATE_COEFFICIENTS,
};

/// Tokens in a page of the record: pages spare the copies of a growing vector.
const PAGE: usize = 1 << 15;

/// The most tokens that one block makes: each of 16 coefficients is at most 11 tree branches and 12 bits.
const MOST_IN_BLOCK: usize = 16 * 24;

/// Set in a token whose lower bits are its probability itself.
const FIXED: u16 = 1 << 14;
/// Set in a token that is true.
const TRUE: u16 = 1 << 15;

/// How often each branch was taken: false, and in all.
type Counts = [[u32; 2]; 4 * 8 * 3 * 11];

/// The recorded tokens of a frame.
pub struct Tokens {
    pages: Vec<Vec<u16>>,
    page: Vec<u16>,
    counts: Box<Counts>,
}

impl Tokens {
    /// An empty record.
    pub fn new() -> Self {
        Self { pages: Vec::new(), page: Vec::with_capacity(PAGE), counts: Box::new([[0; 2]; 4 * 8 * 3 * 11]) }
    }

    /// Records a block; see [`crate::cost::LevelCosts::block`] for the arguments.
    pub fn block(&mut self, kind: usize, first: usize, context: usize, levels: &[i16; 16], mask: u32) {
        if self.page.len() + MOST_IN_BLOCK > PAGE {
            self.pages.push(std::mem::replace(&mut self.page, Vec::with_capacity(PAGE)));
        }
        let mut at = branch(kind, BANDS[first], context);
        if mask >> first == 0 {
            self.adaptive(at, false);
            return;
        }
        let last = 31 - mask.leading_zeros() as usize;
        self.adaptive(at, true);
        for n in first..=(last & 15) {
            let level = u32::from(levels[n].unsigned_abs());
            self.adaptive(at + 1, level != 0);
            if level == 0 {
                at = branch(kind, BANDS[n + 1], 0);
                continue;
            }
            self.level(at, level);
            self.fixed(levels[n] < 0, 128);
            at = branch(kind, BANDS[n + 1], if level > 1 { 2 } else { 1 });
            if n < 15 {
                self.adaptive(at, n < last);
            }
        }
    }

    /// The branches below "not zero" (section 13.2).
    #[inline(always)]
    fn level(&mut self, at: usize, level: u32) {
        self.adaptive(at + 2, level > 1);
        if level == 1 {
            return;
        }
        self.adaptive(at + 3, level > 4);
        match level {
            2..=4 => {
                self.adaptive(at + 4, level > 2);
                if level > 2 {
                    self.adaptive(at + 5, level > 3);
                }
            }
            5..=10 => {
                self.adaptive(at + 6, false);
                self.adaptive(at + 7, level > 6);
                if level > 6 { self.extra(level - 7, &[165, 145]) } else { self.extra(level - 5, &[159]) }
            }
            _ => self.large_level(at, level),
        }
    }

    fn large_level(&mut self, at: usize, level: u32) {
        self.adaptive(at + 6, true);
        self.adaptive(at + 8, level > 34);
        if level <= 34 {
            self.adaptive(at + 9, level > 18);
            if level > 18 { self.extra(level - 19, &CATEGORY_4) } else { self.extra(level - 11, &CATEGORY_3) }
        } else {
            self.adaptive(at + 10, level > 66);
            if level > 66 { self.extra(level - 67, &CATEGORY_6) } else { self.extra(level - 35, &CATEGORY_5) }
        }
    }

    #[inline(always)]
    fn adaptive(&mut self, at: usize, bit: bool) {
        let count = &mut self.counts[at];
        count[0] += u32::from(!bit);
        count[1] += 1;
        self.page.push(at as u16 | if bit { TRUE } else { 0 });
    }

    #[inline(always)]
    fn fixed(&mut self, bit: bool, prob: u8) {
        self.page.push(FIXED | u16::from(prob) | if bit { TRUE } else { 0 });
    }

    fn extra(&mut self, value: u32, probs: &[u8]) {
        for (i, &prob) in probs.iter().enumerate() {
            self.fixed((value >> (probs.len() - 1 - i)) & 1 != 0, prob);
        }
    }

    /// The best probabilities for what was recorded so far, where saying so costs less than it saves.
    pub fn probabilities(&self) -> CoefficientProbabilities {
        let mut probs = DEFAULT_COEFFICIENTS;
        let flat = probs.as_flattened_mut().as_flattened_mut().as_flattened_mut();
        let updates = UPDATE_COEFFICIENTS.as_flattened().as_flattened().as_flattened();
        for ((prob, &update), &[no, all]) in flat.iter_mut().zip(updates).zip(self.counts.iter()) {
            let best = best_probability(no, all);
            let cost = |p: u8| {
                u64::from(no) * u64::from(bit_cost(false, p)) + u64::from(all - no) * u64::from(bit_cost(true, p))
            };
            let kept = cost(*prob) + u64::from(bit_cost(false, update));
            let replaced = cost(best) + u64::from(bit_cost(true, update)) + 8 * 256;
            if replaced < kept {
                *prob = best;
            }
        }
        probs
    }

    /// Writes all tokens with the probabilities, and forgets them.
    pub fn write(self, probs: &CoefficientProbabilities) -> Vec<u8> {
        let flat = probs.as_flattened().as_flattened().as_flattened();
        let mut table = [0; 2048];
        table[..flat.len()].copy_from_slice(flat);
        let tokens = self.pages.len() * PAGE + self.page.len();
        let mut encoder = BoolEncoder::new(tokens / 8 + 64);
        for page in self.pages.into_iter().chain([self.page]) {
            for token in page {
                let prob = if token & FIXED != 0 { token as u8 } else { table[usize::from(token & 2047)] };
                encoder.put(token & TRUE != 0, prob);
            }
        }
        encoder.finish()
    }
}

/// Where the probabilities of a block type, band and context begin.
#[inline(always)]
fn branch(kind: usize, band: u8, context: usize) -> usize {
    ((kind * 8 + usize::from(band)) * 3 + context) * 11
}

/// The probability of false, 1 to 255, after `no` falses of `all`.
fn best_probability(no: u32, all: u32) -> u8 {
    let all = u64::from(all);
    (u64::from(no) * 255 + all / 2).checked_div(all).unwrap_or(255).clamp(1, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::LevelCosts;

    #[test]
    fn a_block_costs_what_its_tokens_do() {
        let costs = LevelCosts::new(&DEFAULT_COEFFICIENTS);
        let flat = DEFAULT_COEFFICIENTS.as_flattened().as_flattened().as_flattened();
        let mut state = 1u32;
        for round in 0..4000usize {
            let mut levels = [0i16; 16];
            for level in &mut levels {
                state = state.wrapping_mul(1664525).wrapping_add(1013904223);
                let size = [0, 0, 1, 4, 12, 40, 90, 2047][(state >> 13) as usize % (1 + round % 8)];
                *level = if size > 0 { (state >> 17) as i16 % (size + 1) } else { 0 };
            }
            let (kind, context) = (round % 4, round / 4 % 3);
            let first = usize::from(kind == 0);
            levels[..first].fill(0);
            let mask = (0..16).fold(0, |mask, n| mask | (u32::from(levels[n] != 0) << n));
            let mut tokens = Tokens::new();
            tokens.block(kind, first, context, &levels, mask);
            let spent: u32 = tokens
                .page
                .iter()
                .map(|&token| {
                    let prob = if token & FIXED != 0 { token as u8 } else { flat[usize::from(token & 2047)] };
                    bit_cost(token & TRUE != 0, prob)
                })
                .sum();
            assert_eq!(costs.block(kind, first, context, &levels, mask), spent, "{levels:?}");
        }
    }
}
