//! What a picture is like before it is coded: how well each macroblock hides quantisation noise, and from that up to
//! four segments with quantisers and loop filters of their own (RFC 6386, sections 9.3, 9.6 and 15).
//!
//! A macroblock's susceptibility comes from the histogram of its transform coefficients after a cheap prediction: where
//! large coefficients are common relative to the most common one, noise is masked. The values are clustered into
//! segments; those that mask more get coarser steps. Quality means what it does for libwebp's users.

use crate::macroblock::{CHROMA, Source};
use crate::modes::WholeMode;
use crate::options::Tuning;
use crate::predict::{Block, Edges};
use crate::quant::{ChromaDeltas, Segment};
use crate::simd::I16x8;
use crate::tables::AC_STEPS;
use crate::transform::{difference, forward};

/// The most segments a frame can have.
pub const MAX_SEGMENTS: usize = 4;

/// Coefficients are counted in bins of eight, those above the last in the last.
const BINS: usize = 32;

/// Clustering stops after so many rounds.
const ROUNDS: usize = 6;

/// The susceptibility of macroblocks, gathered one by one.
pub struct Analysis {
    /// By macroblock: 0 hides noise best, 255 not at all.
    alphas: Vec<u8>,
    chroma_sum: u64,
}

/// How a frame is divided.
pub struct Segmentation {
    /// One to four.
    pub segments: Vec<Segment>,
    /// The segment of each macroblock.
    pub map: Vec<u8>,
    /// The chroma quantisers' distance.
    pub deltas: ChromaDeltas,
}

impl Analysis {
    /// For so many macroblocks.
    pub fn new(macroblocks: usize) -> Self {
        Self { alphas: Vec::with_capacity(macroblocks), chroma_sum: 0 }
    }

    /// Takes in the next macroblock; the edges are source pixels.
    pub fn add(&mut self, blocks: &[Block; 24], luma: &Edges<16>, chroma: &[Edges<8>; 2]) {
        let mut prediction = [[0; 16]; 24];
        let (mut best_luma, mut best_chroma) = (0, 0);
        for mode in [WholeMode::Dc, WholeMode::TrueMotion] {
            luma.predict(mode, &mut prediction[..CHROMA]);
            let (u, v) = prediction[CHROMA..].split_at_mut(4);
            chroma[0].predict(mode, u);
            chroma[1].predict(mode, v);
            best_luma = best_luma.max(susceptibility(&blocks[..CHROMA], &prediction[..CHROMA]));
            best_chroma = best_chroma.max(susceptibility(&blocks[CHROMA..], &prediction[CHROMA..]));
        }
        self.alphas.push(255 - ((3 * best_luma + best_chroma + 2) >> 2).min(255) as u8);
        self.chroma_sum += u64::from(best_chroma);
    }

    /// Divides the frame.
    pub fn finish(self, quality: u8, tuning: &Tuning) -> Segmentation {
        let macroblocks = self.alphas.len().max(1) as u64;
        let deltas = chroma_deltas((self.chroma_sum / macroblocks) as i32, tuning.noise_shaping);
        let clusters = cluster(&self.alphas, usize::from(tuning.segments).clamp(1, MAX_SEGMENTS));
        let (low, high) =
            (clusters.centers[0], clusters.centers[clusters.centers.len() - 1].max(clusters.centers[0] + 1));
        let base = compression(quality);
        let amplitude = 0.9 * f64::from(tuning.noise_shaping) / 100.0 / 128.0;
        let mut segments: Vec<Segment> = Vec::new();
        // Segments whose quantisers come out the same are one.
        let mut merged = [0; MAX_SEGMENTS];
        for (center, target) in clusters.centers.iter().zip(&mut merged) {
            let alpha = (255 * (center - clusters.mean) / (high - low)).clamp(-127, 127);
            let beta = (255 * (center - low) / (high - low)).clamp(0, 255);
            let level = libm::pow(base, 1.0 - amplitude * f64::from(alpha));
            let index = (127.0 * (1.0 - level)).clamp(0.0, 127.0) as u8;
            let filter = filter_level(index, beta, tuning.filter_strength);
            let same = segments.iter().position(|segment| (segment.index, segment.filter_level) == (index, filter));
            *target = same.unwrap_or(segments.len()) as u8;
            if same.is_none() {
                segments.push(Segment::new(index, filter, deltas, u32::from(tuning.noise_shaping)));
            }
        }
        let map = self.alphas.iter().map(|&alpha| merged[usize::from(clusters.nearest[usize::from(alpha)])]).collect();
        Segmentation { segments, map, deltas }
    }
}

/// 510 times the largest bin in use over the count in the most common bin.
fn susceptibility(blocks: &[Block], prediction: &[Block]) -> u32 {
    // Four histograms, so that a count need not wait for the one before; most values are in the same bin.
    let mut counts = [[0u16; BINS]; 4];
    for (source, prediction) in blocks.chunks_exact(2).zip(prediction.chunks_exact(2)) {
        let source = I16x8::load_pair(&source[0], &source[1]);
        let prediction = I16x8::load_pair(&prediction[0], &prediction[1]);
        for line in forward(&difference(&source, &prediction)) {
            let line = line.abs().shr::<3>().min(I16x8::splat(BINS as i16 - 1)).to_array();
            for (i, bin) in line.into_iter().enumerate() {
                counts[i % 4][bin as usize & (BINS - 1)] += 1;
            }
        }
    }
    let bins: [u16; BINS] = std::array::from_fn(|i| counts[0][i] + counts[1][i] + counts[2][i] + counts[3][i]);
    let most = u32::from(bins.iter().copied().max().unwrap_or(0));
    let last = bins.iter().rposition(|&count| count > 0).unwrap_or(0) as u32;
    if most > 1 { 510 * last / most } else { 0 }
}

/// The scale from quality 0-100 to a share of what can be kept: linear in two pieces, then a cube root.
fn compression(quality: u8) -> f64 {
    let q = f64::from(quality.min(100)) / 100.0;
    let linear = if q < 0.75 { q * (2.0 / 3.0) } else { 2.0 * q - 1.0 };
    libm::cbrt(linear)
}

fn chroma_deltas(mean: i32, noise_shaping: u8) -> ChromaDeltas {
    let strength = i32::from(noise_shaping);
    // The mean is around 64 in natural pictures, 30 to 100 at the extremes; the quantiser moves by -4 to 6.
    let ac = ((mean - 64) * 10 / 70 * strength / 100).clamp(-4, 6);
    ChromaDeltas { dc: (-4 * strength / 100).clamp(-15, 15), ac }
}

/// The level of the loop filter: from the step of AC coefficients, less in segments that mask noise.
fn filter_level(index: u8, beta: i32, strength: u8) -> u8 {
    let step = i32::from(AC_STEPS[usize::from(index.min(127))] >> 2).min(63);
    let level = step * 5 * i32::from(strength) / (256 + beta);
    if level < 2 { 0 } else { level.min(63) as u8 }
}

/// Values put into groups.
struct Clusters {
    centers: Vec<i32>,
    /// The mean of the centres, by how many values they have.
    mean: i32,
    nearest: [u8; 256],
}

/// One-dimensional k-means from evenly spread centres.
fn cluster(values: &[u8], count: usize) -> Clusters {
    let mut histogram = [0i64; 256];
    values.iter().for_each(|&value| histogram[usize::from(value)] += 1);
    let low = histogram.iter().position(|&n| n > 0).unwrap_or(0);
    let high = histogram.iter().rposition(|&n| n > 0).unwrap_or(0);
    let k = count as i32;
    let mut clusters = Clusters {
        centers: (0..k).map(|i| low as i32 + (2 * i + 1) * (high - low) as i32 / (2 * k)).collect(),
        mean: 0,
        nearest: [0; 256],
    };
    for _ in 0..ROUNDS {
        let moved = clusters.round(&histogram, low..=high);
        if moved < 5 {
            break;
        }
    }
    clusters
}

impl Clusters {
    /// Assigns each value to its centre and moves the centres; says how far in all.
    fn round(&mut self, histogram: &[i64; 256], used: std::ops::RangeInclusive<usize>) -> i32 {
        let mut sums = [(0i64, 0i64); MAX_SEGMENTS];
        let mut nearest = 0;
        for value in used {
            let distance = |center: i32| (value as i32 - center).abs();
            while nearest + 1 < self.centers.len()
                && distance(self.centers[nearest + 1]) < distance(self.centers[nearest])
            {
                nearest += 1;
            }
            self.nearest[value] = nearest as u8;
            sums[nearest].0 += value as i64 * histogram[value];
            sums[nearest].1 += histogram[value];
        }
        let (mut moved, mut weighted, mut total) = (0, 0, 0);
        for (center, (sum, n)) in self.centers.iter_mut().zip(sums).filter(|(_, (_, n))| *n > 0) {
            let new = ((sum + n / 2) / n) as i32;
            moved += (new - *center).abs();
            *center = new;
            weighted += i64::from(new) * n;
            total += n;
        }
        self.mean = ((weighted + total / 2) / total.max(1)) as i32;
        moved
    }
}

/// The blocks of the source and their texture.
pub fn source(blocks: [Block; 24]) -> Source {
    let mut sums = [0; 16];
    for (two, sums) in blocks[..CHROMA].chunks_exact(2).zip(sums.chunks_exact_mut(2)) {
        (sums[0], sums[1]) = crate::distortion::texture(&I16x8::load_pair(&two[0], &two[1]));
    }
    Source { blocks, texture: sums }
}
