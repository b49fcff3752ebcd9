//! Scales planes of bytes, by Lanczos with three lobes.
//!
//! First all columns become as high as is wanted, and the plane is laid on its side; then its rows, which are columns now,
//! become as long, and it is laid on its side again: both times the same work on many columns at once. What comes out is
//! what `fast_image_resize` makes of the same filter, to the bit, in less time in wasm.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod weights;

use std::ops::Range;

use simd::{Simd, Vector};

use self::weights::{Axis, Window};
pub use self::weights::{LOBES, lanczos};

/// A part of a plane, in samples and fractions of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Samples to the left of it.
    pub left: f64,
    /// Samples above it.
    pub top: f64,
    /// Samples across.
    pub width: f64,
    /// Samples down.
    pub height: f64,
}

/// Scales planes of one size to another. Planes that belong together share the weights.
#[derive(Debug)]
pub struct Scaler {
    source: (usize, usize),
    columns: Axis,
    rows: Axis,
}

impl Scaler {
    /// For planes of `width` by `height` samples, of which `area` becomes `new_width` by `new_height`. The area has to lie
    /// inside of the plane.
    pub fn new((width, height): (usize, usize), area: Area, (new_width, new_height): (usize, usize)) -> Self {
        Self {
            source: (width, height),
            columns: Axis::new(height, area.top, area.height, new_height),
            rows: Axis::new(width, area.left, area.width, new_width),
        }
    }

    /// Scales the samples of a plane, which lie row by row; none, if they are not as many as was said, or there are none.
    ///
    /// Holds beside them as many as the plane is wide by the new height, and the result.
    pub fn scaled(&self, samples: &[u8]) -> Option<Vec<u8>> {
        let (width, height) = self.source;
        if samples.is_empty() || samples.len() != width * height {
            return None;
        }
        // Columns that no result needs are left alone.
        let needed = self.rows.span();
        let n_left_out = needed.start;
        let on_its_side = self.columns.scaled(samples, 0, width, needed);
        let n_rows = self.columns.len();
        Some(self.rows.scaled(&on_its_side, n_left_out, n_rows, 0..n_rows))
    }
}

/// Samples of a side that are turned at once.
const SIDE: usize = 16;

/// Columns that are summed at once.
const STEP: usize = 2 * SIDE;

/// Rows that are held before they are turned: as many as make whole lines of a cache.
const STRIP: usize = 4 * SIDE;

impl Axis {
    /// `columns` of a plane that is `width` samples wide, each scaled, and laid on its side: they are rows then. Of the
    /// plane's rows, the first `n_left_out` are not there.
    fn scaled(&self, samples: &[u8], n_left_out: usize, width: usize, columns: Range<usize>) -> Vec<u8> {
        self.scaled_by::<Vector>(samples, n_left_out, width, columns)
    }

    fn scaled_by<V: Simd>(&self, samples: &[u8], n_left_out: usize, width: usize, columns: Range<usize>) -> Vec<u8> {
        let (n_columns, length) = (columns.len(), self.len());
        let mut result = vec![0; n_columns * length];
        let source = |window: &Window| &samples[(window.first() - n_left_out) * width + columns.start..];
        if n_columns < STEP || length < SIDE {
            for (column, row) in result.chunks_exact_mut(length.max(1)).enumerate() {
                for (window, to) in self.windows().iter().zip(row) {
                    *to = self.sample(window, &source(window)[column..], width);
                }
            }
            return result;
        }
        let mut strips = vec![[[[0; SIDE]; 2]; STRIP]; n_columns.div_ceil(STEP)];
        for first in (0..length).step_by(STRIP) {
            let first = first.min(length - SIDE);
            let windows = &self.windows()[first..length.min(first + STRIP)];
            for (row, window) in windows.iter().enumerate() {
                let source = source(window);
                for (start, strip) in starts(n_columns, STEP).zip(&mut strips) {
                    strip[row] = self.samples::<V>(window, &source[start..], width);
                }
            }
            for (start, strip) in starts(n_columns, STEP).zip(&strips) {
                let rows = &mut result[start * length..(start + STEP) * length];
                lay_down::<V>(&strip[..windows.len()], rows, length, first);
            }
        }
        result
    }

    /// One sample: the sum of those from the beginning of `source` down, by their weights.
    fn sample(&self, window: &Window, source: &[u8], width: usize) -> u8 {
        let column = source.iter().step_by(width).map(|sample| i32::from(*sample));
        let weights = self.pairs(window).as_flattened().iter().map(|weight| i32::from(*weight));
        let sum: i32 = column.zip(weights).map(|(sample, weight)| sample * weight).sum();
        ((sum + self.half()) >> self.precision()).clamp(0, 255) as u8
    }

    /// As many samples side by side as are summed at once.
    #[inline(always)]
    fn samples<V: Simd>(&self, window: &Window, source: &[u8], width: usize) -> [[u8; SIDE]; 2] {
        let [mut left, mut right] = [[V::splat32(self.half()); 4]; 2];
        let mut row = 0;
        for [even, odd] in self.pairs(window) {
            let weights = V::pair(*even, *odd);
            // The last row of the plane has none below it, and the weight of that is none.
            let below = if *odd == 0 { row } else { row + width };
            let ([upper, upper_right], [lower, lower_right]) = (load::<V>(source, row), load::<V>(source, below));
            left = added(left, upper, lower, weights);
            right = added(right, upper_right, lower_right, weights);
            row += 2 * width;
        }
        [left, right].map(|sums| {
            let [a, b, c, d] = sums.map(|sum| sum.shift32_by(self.precision()));
            let mut samples = [0; SIDE];
            a.pack16(b).pack8(c.pack16(d)).store8(&mut samples);
            samples
        })
    }
}

/// Adds the samples of two rows by their weights.
#[inline(always)]
fn added<V: Simd>([a, b, c, d]: [V; 4], upper: V, lower: V, weights: V) -> [V; 4] {
    let zero = V::splat32(0);
    let (low, high) = (upper.zip_low8(lower), upper.zip_high8(lower));
    [
        a.add32(low.zip_low8(zero).dot(weights)),
        b.add32(low.zip_high8(zero).dot(weights)),
        c.add32(high.zip_low8(zero).dot(weights)),
        d.add32(high.zip_high8(zero).dot(weights)),
    ]
}

#[inline(always)]
fn load<V: Simd>(source: &[u8], start: usize) -> [V; 2] {
    match source[start..start + STEP].as_chunks().0 {
        [left, right] => [V::load8(left), V::load8(right)],
        _ => [V::splat32(0); 2],
    }
}

/// Where steps of a length begin; the last may overlap the one before.
fn starts(length: usize, step: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(step).map(move |start| start.min(length - step))
}

/// Turns rows of 32 samples, at least sixteen of them, into 32 rows of `length`, from `first` on.
#[inline(always)]
fn lay_down<V: Simd>(strip: &[[[u8; SIDE]; 2]], rows: &mut [u8], length: usize, first: usize) {
    for start in starts(strip.len(), SIDE) {
        let Some(tiles) = strip[start..].first_chunk::<SIDE>() else { return };
        for (half, rows) in rows.chunks_exact_mut(SIDE * length).enumerate() {
            let turned = turned(tiles.each_ref().map(|halves| V::load8(&halves[half & 1])));
            for (row, turned) in rows.chunks_exact_mut(length).zip(turned) {
                if let Some(to) = row[first + start..].first_chunk_mut() {
                    turned.store8(to);
                }
            }
        }
    }
}

/// Sixteen rows of sixteen samples, columns first: after zipping the upper half with the lower four times, each sample
/// has moved to its place.
#[inline(always)]
fn turned<V: Simd>(mut rows: [V; SIDE]) -> [V; SIDE] {
    for _ in 0..4 {
        rows = std::array::from_fn(|i| {
            let (upper, lower) = (rows[i / 2], rows[i / 2 + SIDE / 2]);
            if i % 2 == 0 { upper.zip_low8(lower) } else { upper.zip_high8(lower) }
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use fast_image_resize::images::{Image, ImageRef};
    use fast_image_resize::{Filter, FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

    use super::*;

    fn noise(width: usize, height: usize) -> Vec<u8> {
        let mut state = (width * 31 + height) as u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        // Black and white among it: there the filter goes beyond both.
        (0..width * height)
            .map(|_| random())
            .map(|sample| if sample < 60 { 0 } else { sample.saturating_mul(2) })
            .collect()
    }

    fn theirs(samples: &[u8], (width, height): (usize, usize), area: Area, new: (usize, usize)) -> Vec<u8> {
        let source = ImageRef::new(width as u32, height as u32, samples, PixelType::U8).unwrap();
        let mut target = Image::new(new.0 as u32, new.1 as u32, PixelType::U8);
        let filter = Filter::new("Lanczos", lanczos, LOBES).unwrap();
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Custom(filter))).crop(
            area.left,
            area.top,
            area.width,
            area.height,
        );
        Resizer::new().resize(&source, &mut target, &options).unwrap();
        target.into_vec()
    }

    fn check(size: (usize, usize), area: Area, new: (usize, usize)) {
        let samples = noise(size.0, size.1);
        let found = Scaler::new(size, area, new).scaled(&samples).unwrap();
        assert!(found == theirs(&samples, size, area, new), "{area:?} of {size:?} to {new:?}");
    }

    #[test]
    fn is_another_s_scaling_to_the_bit() {
        let whole =
            |(width, height): (usize, usize)| Area { left: 0.0, top: 0.0, width: width as f64, height: height as f64 };
        for size in [(1, 1), (2, 7), (31, 33), (32, 32), (64, 48), (97, 131), (257, 40), (300, 211)] {
            for new in [(1, 1), (3, 2), (16, 16), (31, 17), (32, 40), (64, 48), (129, 95), (300, 211), (7, 400)] {
                check(size, whole(size), new);
            }
        }
        let size = (257, 140);
        for (left, top, width, height) in [
            (0.0, 0.0, 256.5, 139.25),
            (10.25, 3.5, 100.0, 77.3),
            (20.0, 30.0, 128.0, 64.0),
            (255.5, 138.5, 1.5, 1.5),
            (3.0, 0.5, 40.0, 40.0),
        ] {
            for new in [(128, 64), (100, 77), (33, 35), (40, 40), (200, 150), (40, 7), (9, 64)] {
                check(size, Area { left, top, width, height }, new);
            }
        }
    }

    #[test]
    fn vectors_of_all_kinds_make_the_same_samples() {
        let samples = noise(97, 75);
        for new in [9, 20, 52, 75, 130] {
            let axis = Axis::new(75, 0.25, 74.5, new);
            let portable = axis.scaled_by::<simd::portable::Vector>(&samples, 0, 97, 3..90);
            assert_eq!(axis.scaled(&samples, 0, 97, 3..90), portable);
        }
    }

    #[test]
    fn what_is_not_there_is_not_scaled() {
        let area = Area { left: 0.0, top: 0.0, width: 4.0, height: 4.0 };
        let scaler = Scaler::new((4, 4), area, (2, 2));
        assert_eq!(scaler.scaled(&[7; 15]), None);
        assert_eq!(scaler.scaled(&[7; 16]), Some(vec![7; 4]));
        assert_eq!(Scaler::new((0, 4), area, (2, 2)).scaled(&[]), None);
    }
}
