//! Gaussian blur, and unsharp masking made from it.
//!
//! A small Gaussian is computed as it is written down; a larger one as three running averages, whose cost does not
//! grow with sigma and whose shape is at most six percent lower at its peak. In between, samples have seven
//! bits below the point, so that rounding does not add up. Past the edge the outermost pixels repeat. Colours are
//! weighted by their opacity.

use transform::Sigma;

use super::PixelError;
use super::raster::{Layout, Raster};
use super::resize::{premultiply, unpremultiply};

/// From this sigma on, in pixels, running averages take over: below it their corners show.
const MIN_AVERAGED_SIGMA: f32 = 2.0;

/// Bits below the point of a sample.
const SAMPLE_BITS: u32 = 7;

/// Parts that one is divided into, in weights and reciprocals.
const ONE: u32 = 1 << 16;

/// The picture, blurred.
pub(super) fn blurred(mut raster: Raster, sigma: Sigma) -> Result<Raster, PixelError> {
    let has_alpha = raster.layout() == Layout::Rgba;
    if has_alpha {
        premultiply(&mut raster)?;
    }
    let samples = gaussian(&raster, sigma.pixels());
    for (pixel, sample) in raster.pixels_mut().iter_mut().zip(samples) {
        *pixel = rounded(sample);
    }
    if has_alpha {
        unpremultiply(&mut raster)?;
    }
    Ok(raster)
}

/// The picture with the difference from its blur added once more. Opacity stays as it is.
pub(super) fn sharpened(mut raster: Raster, sigma: Sigma) -> Result<Raster, PixelError> {
    if raster.layout() == Layout::Rgba {
        return sharpened_with_alpha(raster, sigma);
    }
    let samples = gaussian(&raster, sigma.pixels());
    for (channel, blurred) in raster.pixels_mut().iter_mut().zip(samples) {
        *channel = away_from(*channel, rounded(blurred).into());
    }
    Ok(raster)
}

/// Colours move away from the average of the colours around them, each counted by its opacity.
fn sharpened_with_alpha(mut raster: Raster, sigma: Sigma) -> Result<Raster, PixelError> {
    let mut weighted = raster.clone();
    premultiply(&mut weighted)?;
    let samples = gaussian(&weighted, sigma.pixels());
    drop(weighted);
    for (pixel, blurred) in raster.pixels_mut().chunks_exact_mut(4).zip(samples.chunks_exact(4)) {
        let alpha = u32::from(blurred[3]);
        if alpha == 0 {
            continue;
        }
        for (channel, blurred) in pixel.iter_mut().zip(&blurred[..3]) {
            *channel = away_from(*channel, ((u32::from(*blurred) * 255 + alpha / 2) / alpha).min(255));
        }
    }
    Ok(raster)
}

/// `value`, as much further from `average` as it is already.
fn away_from(value: u8, average: u32) -> u8 {
    (2 * u32::from(value)).saturating_sub(average).min(255) as u8
}

fn rounded(sample: u16) -> u8 {
    ((u32::from(sample) + (1 << (SAMPLE_BITS - 1))) >> SAMPLE_BITS).min(255) as u8
}

/// All samples, blurred.
fn gaussian(raster: &Raster, sigma: f32) -> Vec<u16> {
    let mut plane = Plane {
        samples: raster.pixels().iter().map(|pixel| u16::from(*pixel) << SAMPLE_BITS).collect(),
        stride: raster.stride(),
        n_channels: raster.layout().channels(),
    };
    if sigma < MIN_AVERAGED_SIGMA {
        plane.convolve(&weights(sigma));
    } else {
        let average = Average::for_gaussian(sigma);
        (0..N_AVERAGES).for_each(|_| plane.average(&average));
    }
    plane.samples
}

/// Half of a Gaussian, from its middle outward to three sigmas, in parts of [`ONE`] that sum up to it.
fn weights(sigma: f32) -> Vec<u32> {
    let radius = (sigma * 3.0).ceil() as usize;
    let heights: Vec<f64> = (0..=radius).map(|x| libm::exp(-0.5 * (x as f64 / f64::from(sigma)).powi(2))).collect();
    let sum = heights[0] + 2.0 * heights[1..].iter().sum::<f64>();
    let mut weights: Vec<u32> = heights.iter().map(|height| (height / sum * f64::from(ONE)).round() as u32).collect();
    // What rounding lost or won goes to the middle.
    weights[0] = ONE - 2 * weights[1..].iter().sum::<u32>();
    weights
}

/// Running averages in a row that stand for a Gaussian.
const N_AVERAGES: usize = 3;

/// Samples of a picture, in rows.
struct Plane {
    samples: Vec<u16>,
    /// Samples of a row.
    stride: usize,
    /// Samples of a pixel.
    n_channels: usize,
}

impl Plane {
    /// Convolves rows, then columns, with the symmetric kernel of which `weights` is the right half.
    fn convolve(&mut self, weights: &[u32]) {
        let (stride, n_channels) = (self.stride, self.n_channels);
        let n_pixels = stride / n_channels;
        let mut sums = vec![0_u32; stride];
        for row in self.samples.chunks_exact_mut(stride) {
            sums.fill(ONE / 2);
            for (offset, weight) in weights.iter().enumerate() {
                for x in 0..n_pixels {
                    let left = x.saturating_sub(offset) * n_channels;
                    let right = (x + offset).min(n_pixels - 1) * n_channels;
                    for channel in 0..n_channels {
                        let pair = u32::from(row[left + channel]) + u32::from(row[right + channel]);
                        sums[x * n_channels + channel] += weight * if offset == 0 { pair / 2 } else { pair };
                    }
                }
            }
            row.iter_mut().zip(&sums).for_each(|(sample, sum)| *sample = (sum / ONE) as u16);
        }

        let n_rows = self.samples.len() / stride;
        let source = self.samples.clone();
        for (y, row) in self.samples.chunks_exact_mut(stride).enumerate() {
            sums.fill(ONE / 2);
            for (offset, weight) in weights.iter().enumerate() {
                let upper = y.saturating_sub(offset) * stride;
                let lower = (y + offset).min(n_rows - 1) * stride;
                // The middle is both its upper and its lower neighbour, so half its weight each.
                let (upper_weight, lower_weight) =
                    if offset == 0 { (weight - weight / 2, weight / 2) } else { (*weight, *weight) };
                let rows = source[upper..upper + stride].iter().zip(&source[lower..lower + stride]);
                for (sum, (above, below)) in sums.iter_mut().zip(rows) {
                    *sum += upper_weight * u32::from(*above) + lower_weight * u32::from(*below);
                }
            }
            row.iter_mut().zip(&sums).for_each(|(sample, sum)| *sample = (sum / ONE) as u16);
        }
    }

    /// Averages every sample with its neighbours, in rows and then in columns.
    fn average(&mut self, average: &Average) {
        let (stride, n_channels) = (self.stride, self.n_channels);
        let radius = average.radius;
        let n_pixels = stride / n_channels;
        let mut copy = vec![0_u16; stride];
        for row in self.samples.chunks_exact_mut(stride) {
            copy.copy_from_slice(row);
            for channel in 0..n_channels {
                let at = |x: usize| u32::from(copy[x.min(n_pixels - 1) * n_channels + channel]);
                let mut sum = at(0) * (radius as u32 + 1) + (1..=radius).map(at).sum::<u32>();
                for x in 0..n_pixels {
                    let (before, after) = (at(x.saturating_sub(radius + 1)), at(x + radius + 1));
                    row[x * n_channels + channel] = average.of(sum, before + after);
                    sum = sum + after - at(x.saturating_sub(radius));
                }
            }
        }

        let n_rows = self.samples.len() / stride;
        let source = self.samples.clone();
        let row_at = |y: usize| {
            let start = y.min(n_rows - 1) * stride;
            &source[start..start + stride]
        };
        let mut sums: Vec<u32> = row_at(0).iter().map(|sample| u32::from(*sample) * (radius as u32 + 1)).collect();
        for y in 1..=radius {
            sums.iter_mut().zip(row_at(y)).for_each(|(sum, sample)| *sum += u32::from(*sample));
        }
        for (y, row) in self.samples.chunks_exact_mut(stride).enumerate() {
            let neighbours = row_at(y.saturating_sub(radius + 1)).iter().zip(row_at(y + radius + 1));
            let leaving = row_at(y.saturating_sub(radius));
            for (((sample, sum), (before, after)), leaving) in
                row.iter_mut().zip(&mut sums).zip(neighbours).zip(leaving)
            {
                *sample = average.of(*sum, u32::from(*before) + u32::from(*after));
                *sum = *sum + u32::from(*after) - u32::from(*leaving);
            }
        }
    }
}

/// A running average of the samples up to a radius, and of a part of the two next ones, so that its variance can be
/// any (the extended box filter of Gwosdek and others, 2011).
struct Average {
    /// Samples that count whole, to each side.
    radius: usize,
    /// How much the two next ones count, in parts of [`Average::PARTS`].
    edge_parts: u32,
    /// One divided by the weight of all, in parts of 2 to the power of [`Average::BITS`].
    reciprocal: u64,
}

impl Average {
    const PARTS: u32 = 256;
    const BITS: u32 = 40;

    /// The average that, done `N_AVERAGES` times, has the variance of a Gaussian of this sigma.
    fn for_gaussian(sigma: f32) -> Self {
        let variance = f64::from(sigma) * f64::from(sigma) / N_AVERAGES as f64;
        let radius = (((12.0 * variance + 1.0).sqrt() - 1.0) / 2.0).floor();
        let width = 2.0 * radius + 1.0;
        let edge = width * (radius * (radius + 1.0) - 3.0 * variance) / (6.0 * (variance - (radius + 1.0).powi(2)));
        let edge_parts = (edge * f64::from(Self::PARTS)).round() as u32;
        let weight = width as u64 * u64::from(Self::PARTS) + 2 * u64::from(edge_parts);
        Self { radius: radius as usize, edge_parts, reciprocal: (1 << Self::BITS) / weight + 1 }
    }

    /// The average, from the sum of those that count whole and the sum of the two next ones. Sums of 201 samples of
    /// 15 bits, the most there are, leave room.
    fn of(&self, sum: u32, edges: u32) -> u16 {
        let total = u64::from(sum * Self::PARTS + edges * self.edge_parts);
        ((total * self.reciprocal + (1 << (Self::BITS - 1))) >> Self::BITS) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sigma(text: &str) -> Sigma {
        let options = format!("blur={text}").parse().unwrap();
        let source = transform::Source::still(1, 1, transform::Format::Png, false);
        match transform::Plan::resolve(&options, &source, transform::Accept::default()) {
            Ok(transform::Plan::Render(render)) => render.blur().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_point_becomes_a_gaussian() {
        let check = |text: &str, tolerance: f64| {
            let s = f64::from(sigma(text).pixels());
            let side = (s * 10.0) as usize | 1;
            // A line of white, so that the spread across it is one Gaussian.
            let mut pixels = vec![0; side * side];
            (0..side).for_each(|y| pixels[y * side + side / 2] = 255);
            let raster = Raster::new(side as u32, side as u32, Layout::Gray, pixels).unwrap();
            let samples = gaussian(&raster, s as f32);
            let row = &samples[side * (side / 2)..][..side];
            for (x, sample) in row.iter().enumerate() {
                let distance = x as f64 - (side / 2) as f64;
                let height = (-0.5 * (distance / s).powi(2)).exp() / (s * std::f64::consts::TAU.sqrt());
                let found = f64::from(*sample) / f64::from(255 << SAMPLE_BITS);
                let peak = 1.0 / (s * std::f64::consts::TAU.sqrt());
                assert!((found - height).abs() <= peak * tolerance, "sigma {s}, {distance}: {found} for {height}");
            }
        };
        check("0.8", 0.04);
        check("1.5", 0.01);
        check("2", 0.065);
        check("7.3", 0.065);
        check("40", 0.065);
    }

    #[test]
    fn an_even_surface_stays_as_it_is() {
        for (text, layout) in [("0.3", Layout::Gray), ("1.9", Layout::Rgb), ("2", Layout::Rgba), ("100", Layout::Rgb)] {
            for value in [0, 1, 128, 254, 255] {
                let mut raster = Raster::zeroed(5, 3, layout).unwrap();
                raster.pixels_mut().chunks_exact_mut(layout.channels()).for_each(|pixel| {
                    pixel.fill(value);
                    pixel[layout.channels() - 1] = if layout == Layout::Rgba { 255 } else { value };
                });
                assert_eq!(blurred(raster.clone(), sigma(text)).unwrap(), raster, "sigma {text}, {value}");
                assert_eq!(sharpened(raster.clone(), sigma(text)).unwrap(), raster, "sigma {text}, {value}");
            }
        }
    }

    #[test]
    fn what_cannot_be_seen_does_not_bleed() {
        // Opaque white beside invisible red: the blur has fading white and no pink.
        let pixels = [[255, 255, 255, 255], [255, 0, 0, 0]].map(|pixel| pixel.repeat(8)).concat();
        let raster = Raster::new(16, 1, Layout::Rgba, pixels).unwrap();
        for pixel in blurred(raster, sigma("2")).unwrap().pixels().chunks(4) {
            assert!(pixel[3] == 0 || pixel[..3] == [255; 3], "{pixel:?}");
        }
    }

    #[test]
    fn sharpening_deepens_an_edge() {
        let row = [[100_u8; 8], [150; 8]].concat();
        let raster = Raster::new(16, 1, Layout::Gray, row).unwrap();
        let sharp = sharpened(raster, sigma("1")).unwrap();
        assert!(sharp.pixels()[7] < 90 && sharp.pixels()[8] > 160, "{:?}", sharp.pixels());
        assert_eq!((sharp.pixels()[0], sharp.pixels()[15]), (100, 150));
    }
}
