//! The choice of prediction modes for a macroblock.
//!
//! A mode's score is its rate times a price plus its distortion: squared error, and for luma the change of texture. To
//! measure it the block is transformed, quantised and rebuilt. As that is dear, the modes are first ranked by the
//! Hadamard sum of what they leave over, and only the best are measured.

use crate::cost::{BLOCK_MODE_COSTS, CHROMA_MODE_COSTS, LUMA_MODE_COSTS, LevelCosts, bit_cost};
use crate::distortion::{hadamard_sum, squared_error, texture, texture_change};
use crate::macroblock::{CHROMA, Decision, LUMA_DC, Levels, LumaMode, Source, Surroundings, kind};
use crate::modes::{LUMA_PROBABILITIES, WholeMode};
use crate::predict::{Block, bottom, predict_block, right};
use crate::quant::Segment;
use crate::simd::I16x8;
use crate::transform::{Pair, difference, forward, forward_wht, inverse, inverse_wht};

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    /// Measured modes of the whole macroblock, 1 to 4.
    pub whole: usize,
    /// Measured modes of each 4x4 block, 0 to 10; 0 for no such macroblocks.
    pub blocks: usize,
    /// Measured modes of chroma, 1 to 4.
    pub chroma: usize,
    /// The most bits that one macroblock's block modes may take, in 256ths.
    pub header_limit: u32,
    /// Only the modes that take the fewest bits to say.
    pub lean: bool,
}

/// What a measured choice comes to.
#[derive(Debug, Clone, Copy, Default)]
struct Measure {
    /// In 256ths of a bit.
    rate: u32,
    /// Squared error, and texture.
    distortion: u32,
}

impl Measure {
    fn score(self, lambda: u64) -> u64 {
        u64::from(self.rate) * lambda + 256 * u64::from(self.distortion)
    }
}

/// A block whose coefficients are nearly all zero costs this much more when a direction was needed for that: flat areas
/// look better with plain prediction.
const FLAT_PENALTY: u32 = 140;

/// Everything that stays the same while a macroblock is decided.
pub struct Chooser<'a> {
    /// The pixels.
    pub source: &'a Source,
    /// What is around.
    pub around: &'a Surroundings,
    /// The quantisers and prices.
    pub segment: &'a Segment,
    /// The costs of coefficients.
    pub costs: &'a LevelCosts,
    /// How much to try.
    pub search: Search,
}

impl Chooser<'_> {
    /// Decides the macroblock.
    pub fn decide(&self, decision: &mut Decision) {
        let score = self.whole(decision);
        if self.search.blocks > 0 {
            self.blocks(score, decision);
        }
        self.chroma(decision);
    }

    /// The best mode for the whole macroblock, and its score on the scale that [`Chooser::blocks`] compares on.
    fn whole(&self, decision: &mut Decision) -> u64 {
        let mut predictions = [[[0; 16]; 16]; 4];
        let mut ranked = [(0, WholeMode::Dc); 4];
        for ((mode, blocks), rank) in WholeMode::ALL.into_iter().zip(&mut predictions).zip(&mut ranked) {
            self.around.luma.predict(mode, blocks);
            *rank = (self.rank(&self.source.blocks[..16], blocks, LUMA_MODE_COSTS[mode as usize]), mode);
        }
        self.order(&mut ranked);
        let mut best = (u64::MAX, Measure::default());
        let mut trial = (Levels::NONE, [[0; 16]; 16]);
        for &(_, mode) in &ranked[..self.search.whole.clamp(1, 4)] {
            let measure = self.measure_whole(mode, &predictions[mode as usize], &mut trial);
            let score = measure.score(self.segment.lambda.whole);
            if score < best.0 {
                best = (score, measure);
                decision.luma = LumaMode::Whole(mode);
                decision.coefficients.clone_from(&trial.0);
                decision.pixels[..16].copy_from_slice(&trial.1);
            }
        }
        best.1.score(self.segment.lambda.mode)
    }

    /// Puts the most promising modes first.
    fn order(&self, ranked: &mut [(u32, WholeMode); 4]) {
        if !self.search.lean {
            ranked.sort_unstable_by_key(|&(score, _)| score);
        }
    }

    /// What blocks would leave over under a prediction.
    #[inline(always)]
    fn rank(&self, source: &[Block], prediction: &[Block], mode_cost: u16) -> u32 {
        let mut sum = 0;
        for (source, prediction) in source.chunks_exact(2).zip(prediction.chunks_exact(2)) {
            let (a, b) = hadamard_sum(&pair(source), &pair(prediction));
            sum += a + b;
        }
        self.weigh(sum, mode_cost)
    }

    #[inline(always)]
    fn weigh(&self, sum: u32, mode_cost: u16) -> u32 {
        sum * 256 + ((self.segment.lambda.candidate * u32::from(mode_cost)) >> 8)
    }

    #[inline(always)]
    fn measure_whole(&self, mode: WholeMode, prediction: &[Block; 16], out: &mut (Levels, [Block; 16])) -> Measure {
        let (levels, pixels) = out;
        let mut coefficients = [[I16x8::splat(0); 4]; 8];
        let mut dc = [0; 16];
        for i in 0..8 {
            let source = pair(&self.source.blocks[2 * i..2 * i + 2]);
            coefficients[i] = forward(&difference(&source, &pair(&prediction[2 * i..2 * i + 2])));
            (dc[2 * i], dc[2 * i + 1]) = coefficients[i][0].first_and_fifth();
        }
        let dc = self.luma_dc(&dc, levels);
        let (mut error, mut change) = (0, 0);
        for i in 0..8 {
            let source = pair(&self.source.blocks[2 * i..2 * i + 2]);
            let mut transformed = coefficients[i];
            transformed[0] = transformed[0].with_first_and_fifth(0, 0);
            let quantized = self.segment.luma.quantize(&transformed);
            for (j, (block, mask)) in I16x8::zigzag(quantized).into_iter().enumerate() {
                (levels.levels[2 * i + j], levels.masks[2 * i + j]) = (block, mask);
            }
            let mut rebuilt = self.segment.luma.dequantize(&quantized);
            rebuilt[0] = rebuilt[0].with_first_and_fifth(dc[2 * i], dc[2 * i + 1]);
            let rebuilt = clamp(inverse(&rebuilt, &pair(&prediction[2 * i..2 * i + 2])));
            let (a, b) = squared_error(&source, &rebuilt);
            error += a + b;
            let (a, b) = texture(&rebuilt);
            change += texture_change(self.source.texture[2 * i], a);
            change += texture_change(self.source.texture[2 * i + 1], b);
            (pixels[2 * i], pixels[2 * i + 1]) = I16x8::store_pair(rebuilt);
        }
        let mut distortion = error + self.texture_weight(change);
        if levels.masks[..16].iter().all(|mask| mask & !1 == 0) && self.is_flat() {
            distortion *= 2;
        }
        let rate = u32::from(LUMA_MODE_COSTS[mode as usize]) + self.whole_rate(levels);
        Measure { rate, distortion }
    }

    /// Quantises the DC coefficients: the levels go to `levels`, what the decoder sees comes back.
    fn luma_dc(&self, dc: &[i16; 16], levels: &mut Levels) -> [i16; 16] {
        let t = forward_wht(dc);
        let row = |i: usize| I16x8::from_array([t[i], t[i + 1], t[i + 2], t[i + 3], 0, 0, 0, 0]);
        let quantized = self.segment.luma_dc.quantize(&[row(0), row(4), row(8), row(12)]);
        let [(block, mask), _] = I16x8::zigzag(quantized);
        (levels.levels[LUMA_DC], levels.masks[LUMA_DC]) = (block, mask);
        let rebuilt = self.segment.luma_dc.dequantize(&quantized).map(I16x8::to_array);
        inverse_wht(&std::array::from_fn(|i| rebuilt[i / 4][i % 4]))
    }

    /// Whether the source has hardly any texture: all its blocks are one colour each.
    fn is_flat(&self) -> bool {
        self.source.blocks[..16].iter().all(|block| block.iter().all(|&pixel| pixel == block[0]))
    }

    #[inline(always)]
    fn texture_weight(&self, change: u32) -> u32 {
        ((self.segment.lambda.texture * u64::from(change) + 128) >> 8) as u32
    }

    fn whole_rate(&self, levels: &Levels) -> u32 {
        let (mut above, mut left) = (self.around.nonzero.0.flags, self.around.nonzero.1.flags);
        let context = usize::from(above[8] + left[8]);
        let mut rate = self.costs.block(kind::LUMA_DC, 0, context, &levels.levels[LUMA_DC], levels.masks[LUMA_DC]);
        for i in 0..16 {
            let (x, y) = (i % 4, i / 4);
            let context = usize::from(above[x] + left[y]);
            rate += self.costs.block(kind::LUMA_AC, 1, context, &levels.levels[i], levels.masks[i]);
            let flag = u8::from(levels.masks[i] != 0);
            (above[x], left[y]) = (flag, flag);
        }
        rate
    }

    /// Tries a prediction for each block; `decision` is replaced if that is better than `limit`.
    fn blocks(&self, limit: u64, decision: &mut Decision) {
        let mut state = BlockState::new(self);
        for index in 0..16 {
            self.block(index, &mut state);
            if state.measure.score(self.segment.lambda.mode) >= limit || state.header > self.search.header_limit {
                return;
            }
        }
        decision.luma = LumaMode::Blocks(state.modes);
        decision.coefficients.levels[..16].copy_from_slice(&state.levels);
        decision.coefficients.masks[..16].copy_from_slice(&state.masks);
        decision.coefficients.levels[LUMA_DC] = [0; 16];
        decision.coefficients.masks[LUMA_DC] = 0;
        decision.pixels[..16].copy_from_slice(&state.pixels);
    }

    #[inline(always)]
    fn block(&self, index: usize, state: &mut BlockState) {
        let (x, y) = (index % 4, index / 4);
        let source = &self.source.blocks[index];
        let above: [u8; 8] = std::array::from_fn(|i| state.above[1 + x * 4 + i]);
        let predictions = predict_block(&above, &state.left, state.corner);
        let mode_costs = &BLOCK_MODE_COSTS[usize::from(state.modes_above[x])][usize::from(state.mode_left)];
        let candidates = self.candidates(source, &predictions, mode_costs);
        let context = usize::from(state.nonzero_above[x] + state.nonzero_left[y]);
        let sources = I16x8::load_pair(source, source);
        let mut best = (u64::MAX, Measure::default());
        for modes in candidates[..self.search.blocks.clamp(2, 10)].chunks_exact(2) {
            let modes = [modes[0], modes[1]];
            let rebuilt = self.rebuild(&sources, &predictions, modes);
            let changes = (texture(&rebuilt.pair), squared_error(&sources, &rebuilt.pair));
            for (i, mode) in modes.into_iter().enumerate() {
                let (texture, error) = if i == 0 { (changes.0.0, changes.1.0) } else { (changes.0.1, changes.1.1) };
                let (levels, mask) = &rebuilt.levels[i];
                let change = texture_change(self.source.texture[index], texture);
                let mut rate = u32::from(mode_costs[usize::from(mode)]);
                rate += self.costs.block(kind::LUMA, 0, context, levels, *mask);
                rate += if mode > 0 && (mask & !1).count_ones() <= 3 { FLAT_PENALTY } else { 0 };
                let measure = Measure { rate, distortion: error + self.texture_weight(change) };
                let score = measure.score(self.segment.lambda.block);
                if score < best.0 {
                    best = (score, measure);
                    (state.levels[index], state.masks[index]) = (*levels, *mask);
                    state.modes[index] = mode;
                }
            }
            let (first, second) = I16x8::store_pair(rebuilt.pair);
            if state.modes[index] == modes[0] {
                state.pixels[index] = first;
            } else if state.modes[index] == modes[1] {
                state.pixels[index] = second;
            }
        }
        state.header += u32::from(mode_costs[usize::from(state.modes[index])]);
        state.measure.rate += best.1.rate;
        state.measure.distortion += best.1.distortion;
        state.advance(index, self);
    }

    /// The modes of a block, the most promising first.
    #[inline(always)]
    fn candidates(&self, source: &Block, predictions: &[Block; 10], mode_costs: &[u16; 10]) -> [u8; 10] {
        let sources = I16x8::load_pair(source, source);
        let mut ranked = [0u32; 10];
        for i in 0..5 {
            let prediction = I16x8::load_pair(&predictions[2 * i], &predictions[2 * i + 1]);
            let (a, b) = hadamard_sum(&sources, &prediction);
            ranked[2 * i] = (self.weigh(a, mode_costs[2 * i]) << 4) | (2 * i) as u32;
            ranked[2 * i + 1] = (self.weigh(b, mode_costs[2 * i + 1]) << 4) | (2 * i + 1) as u32;
        }
        if self.search.blocks > 2 {
            ranked.sort_unstable();
        } else {
            let (mut first, mut second) = (u32::MAX, u32::MAX);
            for rank in ranked {
                second = second.min(first.max(rank));
                first = first.min(rank);
            }
            (ranked[0], ranked[1]) = (first, second);
        }
        ranked.map(|rank| (rank & 15) as u8)
    }

    #[inline(always)]
    fn rebuild(&self, sources: &Pair, predictions: &[Block; 10], modes: [u8; 2]) -> Rebuilt {
        let [first, second] = modes.map(|mode| &predictions[usize::from(mode).min(9)]);
        let prediction = I16x8::load_pair(first, second);
        let quantized = self.segment.luma.quantize(&forward(&difference(sources, &prediction)));
        let pair = clamp(inverse(&self.segment.luma.dequantize(&quantized), &prediction));
        Rebuilt { levels: I16x8::zigzag(quantized), pair }
    }

    fn chroma(&self, decision: &mut Decision) {
        let mut predictions = [[[0; 16]; 8]; 4];
        let mut ranked = [(0, WholeMode::Dc); 4];
        for ((mode, blocks), rank) in WholeMode::ALL.into_iter().zip(&mut predictions).zip(&mut ranked) {
            let (u, v) = blocks.split_at_mut(4);
            self.around.chroma[0].predict(mode, u);
            self.around.chroma[1].predict(mode, v);
            *rank = (self.rank(&self.source.blocks[CHROMA..], blocks, CHROMA_MODE_COSTS[mode as usize]), mode);
        }
        self.order(&mut ranked);
        let mut best = u64::MAX;
        let mut trial = ([([0; 16], 0); 8], [[0; 16]; 8]);
        for &(_, mode) in &ranked[..self.search.chroma.clamp(1, 4)] {
            let score =
                self.measure_chroma(mode, &predictions[mode as usize], &mut trial).score(self.segment.lambda.chroma);
            if score < best {
                best = score;
                decision.chroma = mode;
                for (i, (levels, mask)) in trial.0.iter().enumerate() {
                    decision.coefficients.levels[CHROMA + i] = *levels;
                    decision.coefficients.masks[CHROMA + i] = *mask;
                }
                decision.pixels[CHROMA..].copy_from_slice(&trial.1);
            }
        }
    }

    #[inline(always)]
    fn measure_chroma(
        &self,
        mode: WholeMode,
        prediction: &[Block; 8],
        out: &mut ([([i16; 16], u32); 8], [Block; 8]),
    ) -> Measure {
        let (levels, pixels) = out;
        let mut distortion = 0;
        for i in 0..4 {
            let source = pair(&self.source.blocks[CHROMA + 2 * i..]);
            let prediction = pair(&prediction[2 * i..]);
            let quantized = self.segment.chroma.quantize(&forward(&difference(&source, &prediction)));
            [levels[2 * i], levels[2 * i + 1]] = I16x8::zigzag(quantized);
            let rebuilt = clamp(inverse(&self.segment.chroma.dequantize(&quantized), &prediction));
            let (a, b) = squared_error(&source, &rebuilt);
            distortion += a + b;
            (pixels[2 * i], pixels[2 * i + 1]) = I16x8::store_pair(rebuilt);
        }
        let mut rate = u32::from(CHROMA_MODE_COSTS[mode as usize]);
        let (mut above, mut left) = (self.around.nonzero.0.flags, self.around.nonzero.1.flags);
        let mut ac = 0;
        for (i, (levels, mask)) in levels.iter().enumerate() {
            let (x, y) = (4 + i / 4 * 2 + i % 2, 4 + i / 4 * 2 + i % 4 / 2);
            let context = usize::from(above[x] + left[y]);
            rate += self.costs.block(kind::CHROMA, 0, context, levels, *mask);
            (above[x], left[y]) = (u8::from(*mask != 0), u8::from(*mask != 0));
            ac += (mask & !1).count_ones();
        }
        if mode != WholeMode::Dc && ac <= 2 {
            rate += 8 * FLAT_PENALTY;
        }
        Measure { rate, distortion }
    }
}

/// Two candidates for one block, transformed, quantised and rebuilt.
struct Rebuilt {
    levels: [([i16; 16], u32); 2],
    pair: Pair,
}

/// The blocks of a macroblock decided so far, and the edges of the next.
struct BlockState {
    measure: Measure,
    header: u32,
    modes: [u8; 16],
    levels: [[i16; 16]; 16],
    masks: [u32; 16],
    pixels: [Block; 16],
    /// The corner, sixteen pixels above the row of blocks, and the four after them.
    above: [u8; 21],
    left: [u8; 4],
    corner: u8,
    modes_above: [u8; 4],
    mode_left: u8,
    nonzero_above: [u8; 4],
    nonzero_left: [u8; 4],
}

impl BlockState {
    fn new(chooser: &Chooser) -> Self {
        let around = chooser.around;
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
    fn advance(&mut self, index: usize, chooser: &Chooser) {
        let (x, y) = (index % 4, index / 4);
        self.modes_above[x] = self.modes[index];
        self.mode_left = self.modes[index];
        let flag = u8::from(self.masks[index] != 0);
        (self.nonzero_above[x], self.nonzero_left[y]) = (flag, flag);
        if x < 3 {
            self.corner = self.above[4 + x * 4];
            self.left = right(&self.pixels[index]);
        } else if y < 3 {
            let left = &chooser.around.luma.left;
            self.corner = left[y * 4 + 3];
            self.left = std::array::from_fn(|i| left[y * 4 + 4 + i]);
            self.mode_left = chooser.around.modes.1[y + 1];
            self.above[0] = self.corner;
            for i in 0..4 {
                self.above[1 + i * 4..5 + i * 4].copy_from_slice(&bottom(&self.pixels[y * 4 + i]));
            }
        }
    }
}

/// The first two of some blocks, as a pair.
#[inline(always)]
fn pair(blocks: &[Block]) -> Pair {
    I16x8::load_pair(&blocks[0], &blocks[1])
}

#[inline(always)]
fn clamp(pair: Pair) -> Pair {
    let (low, high) = (I16x8::splat(0), I16x8::splat(255));
    pair.map(|line| line.max(low).min(high))
}
