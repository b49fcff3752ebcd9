//! How much each sample of the source counts in each of the result.

use std::ops::Range;

/// How far the filter reaches, in samples of the smaller plane. [`lanczos`] holds for no other number.
pub const LOBES: f64 = 3.0;

/// The filter: sinc(x) sinc(x / 3). Of sines of the system there would be two for each weight, which takes long, and they
/// differ between systems. This one has one of its own, and is the same everywhere.
pub fn lanczos(x: f64) -> f64 {
    let third = x.abs() / LOBES;
    if third >= 1.0 {
        return 0.0;
    }
    let angle = std::f64::consts::PI * third;
    // Nearer to the middle both sines are as good as their angles.
    if angle < 1e-6 {
        return 1.0;
    }
    let sine = sine_to_quarter(if third > 0.5 { std::f64::consts::PI * (1.0 - third) } else { angle });
    // The sine of three times the angle.
    let triple = sine * (3.0 - 4.0 * sine * sine);
    sine * triple / (LOBES * angle * angle)
}

/// The sine of an angle from 0 to a quarter of a turn: its series up to the term of degree 19.
fn sine_to_quarter(angle: f64) -> f64 {
    /// 1, -1 / 3!, 1 / 5! and so on.
    const FACTORS: [f64; 10] = {
        let mut factors = [1.0; 10];
        let mut i = 1;
        while i < 10 {
            let n = 2.0 * i as f64;
            factors[i] = -factors[i - 1] / (n * (n + 1.0));
            i += 1;
        }
        factors
    };
    // Terms two and two and so on, so that few wait for others.
    let square = angle * angle;
    let fourth = square * square;
    let pair = |i: usize| FACTORS[i] + FACTORS[i + 1] * square;
    let (low, high) = (pair(0) + fourth * pair(2), pair(4) + fourth * pair(6));
    angle * (low + fourth * fourth * (high + fourth * fourth * pair(8)))
}

/// What samples along one axis are made of.
#[derive(Debug)]
pub(crate) struct Axis {
    windows: Vec<Window>,
    /// Weights of all windows, two and two; the last of a window may be none.
    pairs: Vec<[i16; 2]>,
    /// What the weights are whole numbers of: 2 to the power of minus this many.
    precision: u32,
}

/// The samples of the source that one of the result is made of.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    samples: Range<usize>,
    pairs: Range<usize>,
}

impl Window {
    /// The first sample.
    pub(crate) fn first(&self) -> usize {
        self.samples.start
    }
}

impl Axis {
    /// `length` samples from `start` on, of `n_samples` that there are, become `n_results`.
    ///
    /// Weights are rounded to as many bits as 16 have room for, as in `fast_image_resize`: its sums are made of the same
    /// whole numbers.
    pub(crate) fn new(n_samples: usize, start: f64, length: f64, n_results: usize) -> Self {
        if n_results as f64 == length && start == start.round() {
            let window = |idx| Window { samples: start as usize + idx..start as usize + idx + 1, pairs: 0..1 };
            return Self { windows: (0..n_results).map(window).collect(), pairs: vec![[1, 0]], precision: 0 };
        }
        let step = length / n_results as f64;
        let stretch = step.max(1.0);
        let (reach, shrink) = (LOBES * stretch, 1.0 / stretch);
        let mut exact: Vec<f64> = Vec::with_capacity(n_results * (2 * reach.ceil() as usize + 1));
        let mut windows = Vec::with_capacity(n_results);
        let mut greatest = 0.0_f64;
        for result in 0..n_results {
            let middle = start + (result as f64 + 0.5) * step;
            let begins = (middle - reach).floor().max(0.0) as usize;
            let end = (middle + reach).ceil().min(n_samples as f64) as usize;
            let begin = exact.len();
            let (mut first, mut sum) = (begins, 0.0);
            for sample in begins..end {
                let weight = lanczos((sample as f64 - (middle - 0.5)) * shrink);
                if weight == 0.0 && exact.len() == begin {
                    first += 1;
                } else {
                    exact.push(weight);
                    sum += weight;
                }
            }
            while exact.len() > begin && exact.last() == Some(&0.0) {
                exact.pop();
            }
            if sum != 0.0 {
                exact[begin..].iter_mut().for_each(|weight| *weight /= sum);
            }
            for weight in &exact[begin..] {
                greatest = if *weight > greatest { *weight } else { greatest };
            }
            windows.push(Window { samples: first..first + exact.len() - begin, pairs: 0..0 });
        }
        let precision = (0..22).find(|bits| rounded(greatest * f64::from(2 << bits)) >= 1 << 15).unwrap_or(21);
        let unit = f64::from(1_u32 << precision);
        let mut pairs = Vec::with_capacity(exact.len() / 2 + n_results);
        let mut rest = &exact[..];
        for window in &mut windows {
            let (weights, behind) = rest.split_at(window.samples.len());
            rest = behind;
            let whole = |weight: &f64| rounded(weight * unit) as i16;
            let begin = pairs.len();
            pairs.extend(weights.chunks(2).map(|pair| [whole(&pair[0]), pair.get(1).map_or(0, whole)]));
            window.pairs = begin..pairs.len();
        }
        Self { windows, pairs, precision }
    }

    /// Samples of the result.
    pub(crate) fn len(&self) -> usize {
        self.windows.len()
    }

    /// The samples of the source that count.
    pub(crate) fn span(&self) -> Range<usize> {
        let first = self.windows.iter().map(|window| window.samples.start).min();
        let end = self.windows.iter().map(|window| window.samples.end).max();
        first.unwrap_or(0)..end.unwrap_or(0)
    }

    /// For each sample of the result what it is made of.
    pub(crate) fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// The weights of a window.
    #[inline]
    pub(crate) fn pairs(&self, window: &Window) -> &[[i16; 2]] {
        &self.pairs[window.pairs.clone()]
    }

    /// Bits that sums have behind the point.
    pub(crate) fn precision(&self) -> u32 {
        self.precision
    }

    /// A half, to round by.
    pub(crate) fn half(&self) -> i32 {
        (1 << self.precision) >> 1
    }
}

/// The nearest whole number, away from zero of two.
fn rounded(number: f64) -> i32 {
    (number.abs() + 0.5).floor().copysign(number) as i32
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn the_filter_is_lanczos() {
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        for step in -40_000..=40_000 {
            let x = f64::from(step) / 10_000.0;
            let expected = if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 };
            assert!((lanczos(x) - expected).abs() < 1e-14, "{x}: {} {expected}", lanczos(x));
        }
    }
}
