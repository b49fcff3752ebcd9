//! How much a picture looks like another: SSIMULACRA2, version 2.1.
//!
//! 100 is the same picture. By the metric's own scale 90 is what nobody can tell apart, 70 high quality, 50 medium, 30
//! low; far below zero is another picture.
//!
//! Both pictures become XYB, which is close to what the eye tells apart, at six scales, each half of the one before. At
//! each, three maps are made of each component: structure that differs (SSIM without its term for brightness), edges
//! that came (ringing, blocks) and edges that went (blur). Their means and 4-norms are weighed with numbers that were
//! fitted to people's opinions, and summed.
//!
//! Only `+ - * /` and square roots are used on pixels, in a fixed order, and so a score is the same to the bit natively
//! and in wasm. Against the usual implementation one thing is different in how, not in what: the recursive Gaussian is
//! a kernel of nine taps when its poles are multiplied out, and that is how it is computed.
//!
//! # Layout
//! `planes` makes XYB at every scale, `blur` is the Gaussian, `compare` the maps and their norms, `pool` the weights.
//!
//! # Memory
//! A [`Reference`] holds 39 bytes for each pixel, and a comparison takes 15 more while it runs.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod blur;
mod compare;
mod planes;
mod pool;

use compare::{Component, Norms};
use planes::{Linear, Transfer};

/// Why pictures were not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// A side is zero.
    #[error("the picture is empty")]
    Empty,
    /// Not three bytes for each pixel.
    #[error("the picture has {actual} bytes instead of {expected}")]
    Length {
        /// Bytes that the sides ask for.
        expected: usize,
        /// Bytes that came.
        actual: usize,
    },
}

/// A picture that others are compared with. What depends on it alone is computed once.
#[derive(Debug, Clone)]
pub struct Reference {
    width: usize,
    height: usize,
    transfer: Transfer,
    scales: Vec<[Component; 3]>,
}

impl Reference {
    /// Takes rows of sRGB from the top, three bytes a pixel, without gaps; sides in pixels.
    ///
    /// A side below eight pixels is made eight by repeating its last pixel.
    ///
    /// # Errors
    /// See [`ScoreError`].
    pub fn new(rgb: &[u8], width: usize, height: usize) -> Result<Self, ScoreError> {
        check(rgb, width, height)?;
        let transfer = Transfer::new();
        let mut scales = Vec::new();
        let linear = Linear::new(rgb, width, height, &transfer);
        let n_scales = linear.n_scales();
        for_each_scale(linear, n_scales, |scale, xyb| {
            let (width, height) = (xyb.width, xyb.height);
            let mut component = 0;
            scales.push(xyb.planes.map(|plane| {
                let weights = pool::weights(component, scale, n_scales);
                component += 1;
                Component::new(plane, width, height, weights)
            }));
        });
        Ok(Self { width, height, transfer, scales })
    }

    /// How much `rgb`, of the same size, looks like this picture: 100 for the same, less for less.
    ///
    /// # Errors
    /// `Length` when it is not of the same size.
    pub fn score(&self, rgb: &[u8]) -> Result<f64, ScoreError> {
        check(rgb, self.width, self.height)?;
        let mut norms: Vec<[Norms; 3]> = Vec::with_capacity(self.scales.len());
        let linear = Linear::new(rgb, self.width, self.height, &self.transfer);
        for_each_scale(linear, self.scales.len(), |scale, xyb| {
            let reference = &self.scales[scale];
            norms.push([0, 1, 2].map(|component| reference[component].compare(&xyb.planes[component])));
        });
        Ok(pool::pooled(&norms))
    }
}

fn check(rgb: &[u8], width: usize, height: usize) -> Result<(), ScoreError> {
    if width == 0 || height == 0 {
        return Err(ScoreError::Empty);
    }
    // Sides whose product is beyond all memory can have no bytes to match.
    let expected = width.saturating_mul(height).saturating_mul(3);
    if rgb.len() != expected {
        return Err(ScoreError::Length { expected, actual: rgb.len() });
    }
    Ok(())
}

/// Calls `visit` with the picture in XYB at each scale, from the largest. Each is let go before the next but one is made.
fn for_each_scale(linear: Linear, n_scales: usize, mut visit: impl FnMut(usize, Linear)) {
    let mut current = Some(linear);
    for scale in 0..n_scales {
        let Some(linear) = current.take() else { return };
        if scale + 1 < n_scales {
            current = Some(linear.halved());
        }
        visit(scale, linear.into_xyb());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture with slopes, edges and some noise.
    fn picture(width: usize, height: usize) -> Vec<u8> {
        let mut random: u32 = 7;
        let pixel = |i: usize| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y) = (i % width, i / width);
            let edge = if (x / 9 + y / 7) % 3 == 0 { 90 } else { 20 };
            let noise = (random >> 28) as usize;
            [(edge + x * 2) % 200 + noise, (edge + y) % 220 + noise, (x + y) % 180 + edge / 2].map(|value| value as u8)
        };
        (0..width * height).flat_map(pixel).collect()
    }

    /// The same with every value moved towards a multiple of `step`.
    fn coarse(rgb: &[u8], step: u8) -> Vec<u8> {
        rgb.iter().map(|value| value / step * step).collect()
    }

    #[test]
    fn the_same_picture_scores_a_hundred() {
        for (width, height) in [(1, 1), (8, 8), (9, 300), (64, 48), (3, 40)] {
            let rgb = picture(width, height);
            let reference = Reference::new(&rgb, width, height).unwrap();
            assert_eq!(reference.score(&rgb), Ok(100.0), "{width}x{height}");
        }
    }

    #[test]
    fn more_damage_scores_less() {
        for (width, height) in [(2, 3), (7, 100), (8, 8), (65, 47)] {
            let rgb = picture(width, height);
            let reference = Reference::new(&rgb, width, height).unwrap();
            let scores = [8, 24, 64].map(|step| reference.score(&coarse(&rgb, step)).unwrap());
            assert!(100.0 > scores[0] && scores[0] > scores[1] && scores[1] > scores[2], "{scores:?}");
        }
    }

    /// The same bits on every machine: these were computed natively on x86-64 and in wasm.
    #[test]
    fn scores_are_the_same_to_the_bit_everywhere() {
        let bits = |width: usize, height: usize, step: u8| {
            let rgb = picture(width, height);
            Reference::new(&rgb, width, height).unwrap().score(&coarse(&rgb, step)).unwrap().to_bits()
        };
        assert_eq!(
            [bits(97, 61, 6), bits(160, 90, 20), bits(5, 33, 12)],
            [4_635_773_674_155_418_824, 4_632_714_445_583_517_930, 4_636_296_620_784_526_190]
        );
    }

    #[test]
    fn pictures_of_other_sizes_are_refused() {
        let rgb = picture(16, 8);
        assert_eq!(Reference::new(&rgb, 16, 9).err(), Some(ScoreError::Length { expected: 432, actual: 384 }));
        assert_eq!(Reference::new(&[], 0, 9).err(), Some(ScoreError::Empty));
        assert!(Reference::new(&rgb, usize::MAX, 9).is_err());
        let reference = Reference::new(&rgb, 16, 8).unwrap();
        assert_eq!(reference.score(&rgb[3..]), Err(ScoreError::Length { expected: 384, actual: 381 }));
    }
}
