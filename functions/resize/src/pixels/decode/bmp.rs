//! BMP and ICO through `image`.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::ico::IcoDecoder;
use image::error::ImageError;
use image::{ColorType, ImageDecoder};

use super::{Decoded, Decoder, Input};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// BMP.
pub(super) struct Bmp;

impl Decoder for Bmp {
    fn decode(&self, input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
        finished(BmpDecoder::new(Cursor::new(input.file)).map_err(error)?, limits)
    }
}

/// ICO: the largest picture of an icon.
pub(super) struct Ico;

impl Decoder for Ico {
    fn decode(&self, input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
        let (entry, picture) = largest(input.file).ok_or_else(|| PixelError::corrupt("no picture"))?;
        if picture.starts_with(b"\x89PNG") {
            return super::png::decode(picture, limits);
        }
        // An icon of this picture alone, because the crate chooses otherwise.
        let length = u32::try_from(picture.len()).map_err(|_| PixelError::corrupt("too large"))?;
        let single = [b"\0\0\x01\0\x01\0", entry, &length.to_le_bytes(), &22_u32.to_le_bytes(), picture].concat();
        finished(IcoDecoder::new(Cursor::new(&single)).map_err(error)?, limits)
    }
}

/// The picture of the largest area, and of those the one with the most colours; behind what the directory says of it.
fn largest(file: &[u8]) -> Option<(&[u8], &[u8])> {
    const FIRST: usize = 6;
    const ENTRY: usize = 16;
    let n_entries = u16::from_le_bytes(*file.get(4..)?.first_chunk()?);
    let entries = file.get(FIRST..)?.chunks_exact(ENTRY).take(n_entries.into());
    let side = |side: u8| if side == 0 { 256 } else { u32::from(side) };
    let rank = |entry: &[u8]| (side(entry[0]) * side(entry[1]), u16::from_le_bytes([entry[6], entry[7]]));
    // Of equals the first, as the probe has it.
    let entry = entries.rev().max_by_key(|entry| rank(entry))?;
    let number = |at: usize| usize::try_from(u32::from_le_bytes(*entry.get(at..)?.first_chunk()?)).ok();
    let picture = file.get(number(12)?..)?;
    let picture = picture.get(..number(8)?).unwrap_or(picture);
    Some((&entry[..8], picture))
}

fn finished(decoder: impl ImageDecoder, limits: &Limits) -> Result<Decoded, PixelError> {
    let (width, height) = decoder.dimensions();
    let n_pixels = u64::from(width) * u64::from(height);
    limits.check_pixels(n_pixels)?;
    let color = decoder.color_type();
    let n_bytes = usize::try_from(decoder.total_bytes()).map_err(|_| PixelError::corrupt("too large"))?;
    let mut pixels = vec![0; n_bytes];
    decoder.read_image(&mut pixels).map_err(error)?;
    let (layout, pixels) = match color {
        ColorType::L8 => (Layout::Gray, pixels),
        ColorType::Rgb8 => (Layout::Rgb, pixels),
        ColorType::Rgba8 => (Layout::Rgba, pixels),
        other => return Err(PixelError::Unsupported { found: format!("a bitmap of {other:?}") }),
    };
    let raster = Raster::new(width, height, layout, pixels)?;
    Ok(Decoded::whole(raster, None, true))
}

fn error(error: ImageError) -> PixelError {
    match error {
        ImageError::IoError(_) => PixelError::corrupt("the file ends before the picture does"),
        ImageError::Unsupported(what) => {
            PixelError::Unsupported { found: format!("a bitmap of a kind that is not read ({what})") }
        }
        other => PixelError::corrupt(other),
    }
}

#[cfg(test)]
mod tests {
    use image::ExtendedColorType;
    use image::codecs::bmp::BmpEncoder;

    use crate::pixels::decode::{Input, decode};
    use crate::pixels::raster::{Layout, Raster};
    use crate::pixels::samples::*;
    use crate::pixels::{Limits, PixelError};

    fn decoded(file: &[u8]) -> Result<Raster, PixelError> {
        let probe = probe::probe(file)?;
        Ok(decode(&Input::whole(file, &probe), &Limits::default())?.raster)
    }

    fn bmp(raster: &Raster) -> Vec<u8> {
        let mut file = Vec::new();
        let color = match raster.layout() {
            Layout::Gray => ExtendedColorType::L8,
            Layout::Rgb => ExtendedColorType::Rgb8,
            Layout::Rgba | Layout::Cmyk => ExtendedColorType::Rgba8,
        };
        BmpEncoder::new(&mut file).encode(raster.pixels(), raster.width(), raster.height(), color).unwrap();
        file
    }

    /// An icon of these pictures, each with what the directory says of its sides.
    fn icon(pictures: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let mut file = [0, 0, 1, 0, pictures.len() as u8, 0].to_vec();
        let mut at = 6 + 16 * pictures.len();
        for (width, height, picture) in pictures {
            file.extend([*width, *height, 0, 0, 1, 0, 32, 0]);
            file.extend((picture.len() as u32).to_le_bytes());
            file.extend((at as u32).to_le_bytes());
            at += picture.len();
        }
        pictures.iter().for_each(|(_, _, picture)| file.extend_from_slice(picture));
        file
    }

    /// A bitmap of 24 bits as icons have it: no file header, and a mask below.
    fn masked(side: u8, color: [u8; 3], mask: u8) -> Vec<u8> {
        let mut picture = 40_u32.to_le_bytes().to_vec();
        picture.extend(u32::from(side).to_le_bytes());
        picture.extend((2 * u32::from(side)).to_le_bytes());
        picture.extend([1, 0, 24, 0]);
        picture.extend([0; 24]);
        let [red, green, blue] = color;
        picture.extend([blue, green, red].repeat(usize::from(side) * usize::from(side)));
        let mask_row = [vec![mask; usize::from(side).div_ceil(8)], vec![0; 4 - usize::from(side) / 8]].concat();
        picture.extend(mask_row.repeat(side.into()));
        picture
    }

    #[test]
    fn bitmaps_come_back_as_they_were() {
        for raster in [opaque(), quadrants(WIDTH, HEIGHT, CLEAR), quadrants(7, 5, WHITE)] {
            let found = decoded(&bmp(&raster)).unwrap();
            assert_eq!(found, raster.without_useless_alpha());
        }
        let gray = Raster::new(3, 2, Layout::Gray, vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(decoded(&bmp(&gray)).unwrap().into_rgb(), gray.into_rgb());
    }

    #[test]
    fn the_largest_picture_of_an_icon_is_shown() {
        let (red, green) = (masked(8, [255, 0, 0], 0), masked(16, [0, 255, 0], 0xF0));
        let large = png_of(&quadrants(300, 200, CLEAR));
        let found = decoded(&icon(&[(8, 8, &red), (16, 16, &green)])).unwrap();
        assert_eq!((found.width(), found.height()), (16, 16));
        // The mask makes the left half of every eight pixels transparent.
        assert_eq!(found.pixels()[3], 0);
        assert_eq!(found.pixels()[16..20], [0, 255, 0, 255]);
        let found = decoded(&icon(&[(0, 0, &large), (8, 8, &red)])).unwrap();
        assert_eq!(found, quadrants(300, 200, CLEAR));
        let palette = png((2, 1), (png::ColorType::Grayscale, png::BitDepth::One), &[0x40], |_| {});
        assert_eq!(decoded(&icon(&[(2, 1, &palette)])).unwrap().pixels(), [0, 255]);
    }

    #[test]
    fn damage_never_panics() {
        let mut random = 1_u32;
        for sound in [bmp(&opaque()), icon(&[(8, 8, &masked(8, [1, 2, 3], 9)), (0, 0, &png_of(&opaque()))])] {
            for _ in 0..2000 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let mut broken = sound.clone();
                let at = (random >> 8) as usize % broken.len().min(200);
                broken[at] = (random >> 24) as u8;
                let Ok(probe) = probe::probe(&broken) else { continue };
                let limits = Limits { max_pixels: 10_000, ..Limits::default() };
                let _ = decode(&Input::whole(&broken, &probe), &limits);
            }
        }
    }
}
