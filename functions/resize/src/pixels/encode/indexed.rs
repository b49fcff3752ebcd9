//! PNG with a table of colours.

use png::{BitDepth, ColorType, DeflateCompression, Encoder, Filter};

use super::super::PixelError;
use super::super::raster::{Layout, Raster};
use super::quantise::{Palette, places};

/// PNG of at most so many colours, dithered where these are not all there are.
pub(super) struct IndexedPng {
    /// 2 to 256.
    pub(super) colors: usize,
}

impl super::Encoder for IndexedPng {
    fn encode(&self, raster: &Raster) -> Result<Vec<u8>, PixelError> {
        indexed_png(raster, self.colors)
    }
}

fn indexed_png(raster: &Raster, n_colors: usize) -> Result<Vec<u8>, PixelError> {
    if raster.layout() == Layout::Cmyk {
        return Err(PixelError::encode("PNG has no ink"));
    }
    let converted = (raster.layout() != Layout::Rgba).then(|| raster.clone().into_rgba());
    let raster = converted.as_ref().unwrap_or(raster);
    let palette = Palette::of(raster.pixels().as_chunks::<4>().0.iter().copied(), n_colors);
    let places = places(raster, &palette, true, |_| true, 0);

    let (depth, n_bits) = match palette.colors().len() {
        0..=2 => (BitDepth::One, 1),
        3..=4 => (BitDepth::Two, 2),
        5..=16 => (BitDepth::Four, 4),
        _ => (BitDepth::Eight, 8),
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, raster.width(), raster.height());
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(depth);
    encoder.set_palette(palette.colors().iter().flat_map(|color| color[..3].to_vec()).collect::<Vec<_>>());
    let opacity: Vec<u8> = palette.colors().iter().map(|color| color[3]).take_while(|&alpha| alpha < 255).collect();
    if !opacity.is_empty() {
        encoder.set_trns(opacity);
    }
    // Neighbouring places in a table say nothing of each other.
    encoder.set_filter(Filter::NoFilter);
    encoder.set_deflate_compression(DeflateCompression::Level(9));
    let mut writer = encoder.write_header().map_err(PixelError::encode)?;
    writer.write_image_data(&packed(&places, raster.width() as usize, n_bits)).map_err(PixelError::encode)?;
    writer.finish().map_err(PixelError::encode)?;
    Ok(bytes)
}

/// Rows of places, of so many bits each.
fn packed(places: &[u8], width: usize, n_bits: usize) -> Vec<u8> {
    if n_bits == 8 {
        return places.to_vec();
    }
    let n_in_byte = 8 / n_bits;
    let byte = |places: &[u8]| {
        let bits = places.iter().fold(0_u8, |byte, place| byte << n_bits | place);
        bits << (n_bits * (n_in_byte - places.len()))
    };
    places.chunks(width.max(1)).flat_map(|row| row.chunks(n_in_byte).map(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::Limits;
    use crate::pixels::decode::{Input, decode};
    use crate::pixels::samples::{CLEAR, WHITE, noisy, quadrants};

    fn decoded(file: &[u8]) -> (probe::Probe, Raster) {
        let probe = probe::probe(file).unwrap();
        let raster = decode(&Input::whole(file, &probe), &Limits::default()).unwrap().raster;
        (probe, raster.into_rgba())
    }

    #[test]
    fn few_colours_come_back_in_few_bits() {
        for (width, n_colors, bits) in [(8, 4, 2), (7, 4, 2), (9, 256, 2)] {
            for last in [WHITE, CLEAR] {
                let raster = quadrants(width, 6, last);
                let (probe, found) = decoded(&indexed_png(&raster, n_colors).unwrap());
                assert_eq!((probe.color, probe.bits), (probe::ColorModel::Palette, bits));
                assert_eq!(probe.has_alpha, last == CLEAR);
                assert_eq!(found, raster);
            }
        }
    }

    #[test]
    fn every_number_of_colours_is_kept_to() {
        let raster = noisy(50, 40, Layout::Rgba);
        for (n_colors, bits) in [(2, 1), (3, 2), (16, 4), (17, 8), (256, 8)] {
            let file = indexed_png(&raster, n_colors).unwrap();
            let (probe, found) = decoded(&file);
            assert_eq!(probe.bits, bits, "{n_colors}");
            let mut colors = found.pixels().as_chunks::<4>().0.to_vec();
            colors.sort_unstable();
            colors.dedup();
            assert!(colors.len() <= n_colors && colors.len() * 2 > n_colors, "{n_colors}: {}", colors.len());
            assert_eq!(file, indexed_png(&raster, n_colors).unwrap());
        }
        for layout in [Layout::Gray, Layout::Rgb] {
            assert!(!decoded(&indexed_png(&noisy(9, 9, layout), 99).unwrap()).0.has_alpha);
        }
    }
}
