//! BMP and ICO through `image`.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::ico::IcoDecoder;
use image::error::ImageError;
use image::{ColorType, ImageDecoder};

use super::Decoded;
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

pub(super) fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, PixelError> {
    finished(BmpDecoder::new(Cursor::new(file)).map_err(error)?, limits)
}

/// The largest picture of an icon.
pub(super) fn decode_icon(file: &[u8], limits: &Limits) -> Result<Decoded, PixelError> {
    let single = largest(file).ok_or_else(|| PixelError::corrupt("no picture"))?;
    finished(IcoDecoder::new(Cursor::new(&single)).map_err(error)?, limits)
}

/// An icon with nothing but the largest picture: of the largest area, and of those the one with the most colours.
fn largest(file: &[u8]) -> Option<Vec<u8>> {
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

    let mut icon = b"\0\0\x01\0\x01\0".to_vec();
    icon.extend(&entry[..8]);
    icon.extend(u32::try_from(picture.len()).ok()?.to_le_bytes());
    icon.extend(22_u32.to_le_bytes());
    icon.extend(picture);
    Some(icon)
}

fn finished(decoder: impl ImageDecoder, limits: &Limits) -> Result<Decoded, PixelError> {
    let (width, height) = decoder.dimensions();
    let n_pixels = u64::from(width) * u64::from(height);
    if n_pixels > limits.max_pixels {
        return Err(PixelError::TooManyPixels { limit: limits.max_pixels, actual: n_pixels });
    }
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
    Ok(Decoded { raster, extent: (0.0, 0.0), profile: None, is_lossless: true })
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
