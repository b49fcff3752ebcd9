//! Scaling in linear light: bright details keep their brightness when they become smaller.
//!
//! Lanczos with three lobes, like the usual scaling, but on amounts of light in `f32`, weighted by opacity. A loop of
//! our own: `fast_image_resize` has no faster one for more than eight bits in wasm. Sums are made tap after tap in
//! plain `f32` arithmetic, so that every machine gets the same bytes.

use std::collections::VecDeque;

use scale::{LOBES, lanczos};

use super::light::light_of;
use crate::pixels::PixelError;
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::resize::{Area, resized_copy, whole_of};

/// `area` of the raster, scaled to `width` by `height` pixels in linear light. Ink is scaled as it is.
pub(in crate::pixels) fn resized_in_light(
    raster: &Raster,
    area: Area,
    width: u32,
    height: u32,
) -> Result<Raster, PixelError> {
    if area == whole_of(raster) && (raster.width(), raster.height()) == (width, height) {
        return Ok(raster.clone());
    }
    match raster.layout() {
        Layout::Gray => scaled::<1, 1>(raster, area, width, height),
        Layout::Rgb => scaled::<3, 4>(raster, area, width, height),
        Layout::Rgba => scaled::<4, 4>(raster, area, width, height),
        Layout::Cmyk => resized_copy(raster, area, width, height),
    }
}

/// Scales pixels of `N` bytes as `M` numbers each. Only the rows that the next row is made of are held.
fn scaled<const N: usize, const M: usize>(
    raster: &Raster,
    area: Area,
    width: u32,
    height: u32,
) -> Result<Raster, PixelError> {
    let mut result = Raster::zeroed(width, height, raster.layout())?;
    let columns = taps(raster.width(), area.left, area.width, width);
    let rows = taps(raster.height(), area.top, area.height, height);
    let tables = Tables::new();
    let mut source_rows = raster.pixels().chunks_exact(raster.stride());
    let mut held: VecDeque<Vec<[f32; M]>> = VecDeque::new();
    let mut first_held = 0;
    let mut light = vec![[0.0; M]; raster.width() as usize];
    let stride = result.stride();
    for (taps, to) in rows.iter().zip(result.pixels_mut().chunks_exact_mut(stride)) {
        while first_held < taps.first {
            // Rows above the window are not even scaled.
            if held.pop_front().is_none() {
                source_rows.next();
            }
            first_held += 1;
        }
        while held.len() < taps.weights.len() {
            let Some(row) = source_rows.next() else { break };
            light.iter_mut().zip(row.as_chunks::<N>().0).for_each(|(to, from)| *to = tables.light(from));
            held.push_back(columns.iter().map(|taps| weighted(taps, &light)).collect());
        }
        let mut sums = vec![[0.0; M]; width as usize];
        for (row, weight) in held.iter().zip(&taps.weights) {
            for (sum, from) in sums.iter_mut().zip(row) {
                for i in 0..M {
                    sum[i] += weight * from[i];
                }
            }
        }
        to.as_chunks_mut::<N>().0.iter_mut().zip(&sums).for_each(|(to, from)| *to = tables.codes(from));
    }
    Ok(result)
}

fn weighted<const M: usize>(taps: &Taps, row: &[[f32; M]]) -> [f32; M] {
    let mut sum = [0.0; M];
    for (weight, from) in taps.weights.iter().zip(&row[taps.first..]) {
        for i in 0..M {
            sum[i] += weight * from[i];
        }
    }
    sum
}

/// The pixels that one pixel of the result is made of.
struct Taps {
    first: usize,
    /// Their shares; the sum is 1.
    weights: Vec<f32>,
}

/// For each of `n_results` pixels that stand for the part of `n_pixels` from `start` on.
fn taps(n_pixels: u32, start: f64, length: f64, n_results: u32) -> Vec<Taps> {
    let step = length / f64::from(n_results);
    let stretch = step.max(1.0);
    let last = f64::from(n_pixels) - 1.0;
    (0..n_results)
        .map(|result| {
            let center = start + (f64::from(result) + 0.5) * step;
            let first = (center - LOBES * stretch).floor().clamp(0.0, last);
            let end = (center + LOBES * stretch).ceil().clamp(first + 1.0, last + 1.0);
            let weight = |pixel: usize| lanczos((pixel as f64 + 0.5 - center) / stretch);
            let weights: Vec<f64> = (first as usize..end as usize).map(weight).collect();
            let sum: f64 = weights.iter().sum();
            Taps { first: first as usize, weights: weights.iter().map(|weight| (weight / sum) as f32).collect() }
        })
        .collect()
}

/// Steps of light that a code is looked up by.
const N_STEPS: usize = 4096;

/// sRGB codes as light, and back to the nearest code.
struct Tables {
    light: [f32; 256],
    /// The code of each step of light.
    codes: Vec<u8>,
    /// The light from which on a code is rounded up to this one.
    thresholds: [f32; 257],
}

impl Tables {
    fn new() -> Self {
        let threshold = |code: usize| match code {
            0 => 0.0,
            256 => f32::INFINITY,
            _ => light_of((code as f64 - 0.5) / 255.0) as f32,
        };
        let thresholds: [f32; 257] = std::array::from_fn(threshold);
        let mut code = 0;
        let code_of = |step: usize| {
            while step as f32 / N_STEPS as f32 >= thresholds[code + 1] {
                code += 1;
            }
            code as u8
        };
        let codes = (0..=N_STEPS).map(code_of).collect();
        Self { light: std::array::from_fn(|code| light_of(code as f64 / 255.0) as f32), codes, thresholds }
    }

    /// Amounts of light, weighted by opacity, and the opacity.
    fn light<const N: usize, const M: usize>(&self, pixel: &[u8; N]) -> [f32; M] {
        let alpha = if N == 4 { f32::from(pixel[N - 1]) / 255.0 } else { 1.0 };
        std::array::from_fn(|i| match i {
            3 => alpha,
            _ => self.light[usize::from(pixel[i])] * alpha,
        })
    }

    fn codes<const N: usize, const M: usize>(&self, pixel: &[f32; M]) -> [u8; N] {
        let alpha = if N == 4 { pixel[M - 1] } else { 1.0 };
        let opacity = (alpha.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        std::array::from_fn(|i| match i {
            3 => opacity,
            _ if opacity == 0 => 0,
            _ => self.code(pixel[i] / alpha),
        })
    }

    /// The nearest code of an amount of light, clipped to what there is.
    fn code(&self, light: f32) -> u8 {
        let light = light.clamp(0.0, 1.0);
        // Between two steps there is one threshold at most.
        let code = self.codes[(light * N_STEPS as f32) as usize];
        code + u8::from(light >= self.thresholds[usize::from(code) + 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::resize::resized;

    fn whole(raster: &Raster, width: u32, height: u32) -> Raster {
        resized_in_light(raster, whole_of(raster), width, height).unwrap()
    }

    #[test]
    fn every_code_comes_back_and_is_the_nearest() {
        let tables = Tables::new();
        for code in 0..=255 {
            assert_eq!(tables.code(tables.light[usize::from(code)]), code);
        }
        for step in 0..=50_000 {
            let light = f64::from(step) / 50_000.0;
            let off = super::super::light::code_of(light) * 255.0 - f64::from(tables.code(light as f32));
            assert!(off.abs() < 0.51, "{light}: {off}");
        }
    }

    #[test]
    fn black_and_white_lines_become_half_the_light() {
        let lines: Vec<u8> = (0..64 * 32).map(|i| if i % 2 == 0 { 255 } else { 0 }).collect();
        let lines = Raster::new(64, 32, Layout::Gray, lines).unwrap();
        // Half of the light is code 188, where the middle of the codes is 128.
        let found = whole(&lines, 16, 8);
        assert!(found.pixels()[3 * 16 + 4..3 * 16 + 12].iter().all(|code| code.abs_diff(188) <= 1), "{found:?}");
        let area = whole_of(&lines);
        let usual = resized(std::borrow::Cow::Owned(lines), area, 16, 8, false).unwrap();
        assert!(usual.pixels()[3 * 16 + 4..3 * 16 + 12].iter().all(|code| code.abs_diff(128) <= 1));
    }

    #[test]
    fn even_surfaces_stay_as_they_are() {
        for (layout, pixel) in
            [(Layout::Gray, &[77][..]), (Layout::Rgb, &[3, 100, 251]), (Layout::Rgba, &[200, 1, 90, 130])]
        {
            let raster = Raster::new(50, 40, layout, pixel.repeat(2000)).unwrap();
            for (width, height) in [(7, 5), (1, 1), (50, 11), (120, 90)] {
                let found = whole(&raster, width, height);
                assert!(found.pixels().chunks(pixel.len()).all(|found| found == pixel), "{layout:?} {width}");
            }
        }
    }

    #[test]
    fn what_cannot_be_seen_does_not_bleed() {
        let pixels = (0..40 * 40).flat_map(|i| if i % 40 < 20 { [200, 50, 50, 255] } else { [0, 255, 0, 0] });
        let found = whole(&Raster::new(40, 40, Layout::Rgba, pixels.collect()).unwrap(), 9, 9);
        for pixel in found.pixels().chunks(4) {
            assert!(pixel[3] == 0 && pixel[..3] == [0; 3] || pixel[3] > 0 && pixel[..3] == [200, 50, 50], "{pixel:?}");
        }
    }

    #[test]
    fn a_part_is_what_it_is_in_the_whole() {
        let raster = Raster::new(60, 60, Layout::Gray, (0..3600).map(|i| (i % 251) as u8).collect()).unwrap();
        let large = whole(&raster, 30, 30);
        let area = Area { left: 20.0, top: 30.0, width: 20.0, height: 10.0 };
        let part = resized_in_light(&raster, area, 10, 5).unwrap();
        for y in 0..5 {
            assert_eq!(part.pixels()[y * 10..][..10], large.pixels()[(y + 15) * 30 + 10..][..10], "{y}");
        }
    }

    #[test]
    fn near_the_usual_scaling_where_it_is_smooth() {
        let pixels = (0..90 * 60).flat_map(|i| [(i % 90 * 2 + 40) as u8, (i / 90 * 3 + 30) as u8, 128]).collect();
        let raster = Raster::new(90, 60, Layout::Rgb, pixels).unwrap();
        let light = whole(&raster, 41, 27);
        let usual = resized_copy(&raster, whole_of(&raster), 41, 27).unwrap();
        assert!(light.pixels().iter().zip(usual.pixels()).all(|(a, b)| a.abs_diff(*b) <= 2));
    }
}
