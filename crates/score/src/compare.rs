//! The three maps of a component at one scale, and their norms.

use crate::blur::{REACH, RowBlur};
use crate::pool::Weights;

/// Keeps the quotient of small variances from jumping about.
const STABILISER: f32 = 0.0009;
/// Sums that run side by side, so that they can be one vector.
const LANES: usize = 8;

/// The mean and the 4-norm of each map.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Norms {
    /// Structure that differs.
    pub(crate) structure: [f64; 2],
    /// Edges where there were none.
    pub(crate) artifacts: [f64; 2],
    /// Edges that are gone.
    pub(crate) lost: [f64; 2],
}

/// What a comparison needs of the reference: one component at one scale.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    width: usize,
    height: usize,
    values: Vec<f32>,
    means: Vec<f32>,
    /// Empty where the weights of the structure are zero, as they are for two of three at full size.
    variances: Vec<f32>,
}

impl Component {
    /// `values` are rows of `width` without gaps.
    pub(crate) fn new(values: Vec<f32>, width: usize, height: usize, weights: &Weights) -> Self {
        let has_structure = weights.structure() != [0.0; 2];
        let mut means = vec![0.0; values.len()];
        blurred(&values, &values, width, |y, row| means[y * width..][..width].copy_from_slice(row), |value, _| value);
        let mut variances = Vec::new();
        if has_structure {
            variances.reserve_exact(values.len());
            let means = &means;
            let variance = |y: usize, row: &[f32]| {
                let means = &means[y * width..][..width];
                variances.extend(row.iter().zip(means).map(|(square, mean)| square - mean * mean));
            };
            blurred(&values, &values, width, variance, |a, b| a * b);
        }
        Self { width, height, values, means, variances }
    }

    /// Compares with the same component of another picture. The norms of a map without weight stay zero.
    pub(crate) fn compare(&self, values: &[f32]) -> Norms {
        let width = self.width;
        let has_structure = !self.variances.is_empty();
        let mut mean_blur = RowBlur::new(width);
        let mut square_blur = RowBlur::new(width);
        let mut product_blur = RowBlur::new(width);
        let [mut means, mut squares, mut products] = [0; 3].map(|_| vec![0.0f32; width]);
        let mut maps = [0; 3].map(|_| vec![0.0f32; width]);
        let mut sums = [[0.0f64; 2]; 3];
        for incoming in 0..self.height + REACH {
            let ours = self.values.get(incoming * width..(incoming + 1) * width);
            let theirs = values.get(incoming * width..(incoming + 1) * width);
            mean_blur.push(theirs.map(|row| row.iter().copied()));
            if has_structure {
                square_blur.push(theirs.map(|row| row.iter().map(|value| value * value)));
                product_blur.push(theirs.zip(ours).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b)));
            }
            let Some(y) = incoming.checked_sub(REACH) else { continue };
            let at = y * width..(y + 1) * width;
            let [structure, artifacts, lost] = &mut maps;
            mean_blur.blurred(&mut means);
            let ours = Pair { values: &self.values[at.clone()], means: &self.means[at.clone()] };
            edges(ours, Pair { values: &values[at.clone()], means: &means }, artifacts, lost);
            if has_structure {
                square_blur.blurred(&mut squares);
                product_blur.blurred(&mut products);
                let variances = &self.variances[at];
                differences([ours.means, variances, &means, &squares, &products], structure);
            }
            for (sums, map) in sums.iter_mut().zip(&maps) {
                add(sums, map);
            }
        }
        let n_pixels = (width * self.height) as f64;
        let [structure, artifacts, lost] =
            sums.map(|[sum, fourth]| [sum / n_pixels, (fourth / n_pixels).sqrt().sqrt()]);
        Norms { structure, artifacts, lost }
    }
}

/// A row, and the same blurred.
#[derive(Clone, Copy)]
struct Pair<'a> {
    values: &'a [f32],
    means: &'a [f32],
}

/// Blurs what `combine` makes of two planes, and hands on each row.
fn blurred(a: &[f32], b: &[f32], width: usize, mut emit: impl FnMut(usize, &[f32]), combine: fn(f32, f32) -> f32) {
    let mut blur = RowBlur::new(width);
    let mut row = vec![0.0; width];
    for incoming in 0..a.len() / width + REACH {
        let at = incoming * width..(incoming + 1) * width;
        let both = a.get(at.clone()).zip(b.get(at));
        blur.push(both.map(|(a, b)| a.iter().zip(b).map(|(a, b)| combine(*a, *b))));
        if let Some(y) = incoming.checked_sub(REACH) {
            blur.blurred(&mut row);
            emit(y, &row);
        }
    }
}

/// How much the structure differs: 0 where it is the same. `rows` are our means and variances, and their means, blurred
/// squares and blurred products with ours.
fn differences(rows: [&[f32]; 5], map: &mut [f32]) {
    let n = map.len();
    let [means, variances, their_means, squares, products] = rows.map(|row| &row[..n]);
    for x in 0..n {
        let (ours, theirs) = (means[x], their_means[x]);
        let distance = ours - theirs;
        let brightness = 1.0 - distance * distance;
        let covariance = 2.0 * (products[x] - ours * theirs) + STABILISER;
        let variance = variances[x] + (squares[x] - theirs * theirs) + STABILISER;
        map[x] = positive(1.0 - brightness * covariance / variance);
    }
}

/// How much stronger and how much weaker their edges are. An edge is what differs from its surroundings.
fn edges(ours: Pair, theirs: Pair, artifacts: &mut [f32], lost: &mut [f32]) {
    let n = artifacts.len();
    let lost = &mut lost[..n];
    let [values, means, their_values, their_means] =
        [ours.values, ours.means, theirs.values, theirs.means].map(|row| &row[..n]);
    for x in 0..n {
        let edge = (values[x] - means[x]).abs();
        let their_edge = (their_values[x] - their_means[x]).abs();
        let change = (1.0 + their_edge) / (1.0 + edge) - 1.0;
        artifacts[x] = positive(change);
        lost[x] = positive(-change);
    }
}

/// The number, or zero. Written so that no zero has a sign.
#[inline(always)]
fn positive(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

/// Adds a row, and its fourth powers. Within a row in single precision, in eight lanes whose order is fixed.
fn add(sums: &mut [f64; 2], row: &[f32]) {
    let (mut plain, mut fourth) = ([0.0f32; LANES], [0.0f32; LANES]);
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            let square = chunk[lane] * chunk[lane];
            plain[lane] += chunk[lane];
            fourth[lane] += square * square;
        }
    }
    for (lane, value) in rest.iter().enumerate() {
        plain[lane] += value;
        fourth[lane] += value * value * value * value;
    }
    for lane in 0..LANES {
        sums[0] += f64::from(plain[lane]);
        sums[1] += f64::from(fourth[lane]);
    }
}
