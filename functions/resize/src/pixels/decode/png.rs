//! PNG through `png`; every bit depth and colour type as eight bits of gray, RGB or RGBA.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, DecodingError, Transformations};

use super::{Decoded, Input, MAX_PROFILE_BYTES, eight_bits};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// PNG.
pub(super) struct Png;

impl super::Decoder for Png {
    fn decode(&self, input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
        decode(input.file, limits)
    }
}

/// Also for the PNG in an icon.
pub(super) fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, PixelError> {
    // The crate counts rows and profiles against its limit, the picture is counted before this.
    let max_bytes = usize::try_from(limits.max_memory_bytes).unwrap_or(usize::MAX).min(64 << 20);
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), png::Limits { bytes: max_bytes });
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().map_err(error)?;
    let n_bytes = reader.output_buffer_size().ok_or_else(|| PixelError::corrupt("too large"))?;
    let mut pixels = vec![0; n_bytes];
    let info = reader.next_frame(&mut pixels).map_err(error)?;
    pixels.truncate(info.buffer_size());
    match info.bit_depth {
        BitDepth::Eight => {}
        BitDepth::Sixteen => {
            eight_bits(&mut pixels);
            pixels.shrink_to_fit();
        }
        _ => return Err(PixelError::corrupt("a bit depth that could not be converted")),
    }
    let (layout, pixels) = match info.color_type {
        ColorType::Grayscale => (Layout::Gray, pixels),
        ColorType::Rgb => (Layout::Rgb, pixels),
        ColorType::Rgba => (Layout::Rgba, pixels),
        ColorType::GrayscaleAlpha => {
            (Layout::Rgba, pixels.chunks_exact(2).flat_map(|pixel| [pixel[0], pixel[0], pixel[0], pixel[1]]).collect())
        }
        ColorType::Indexed => return Err(PixelError::corrupt("a palette that could not be expanded")),
    };
    // A file that says it is sRGB is taken at its word, as the standard asks; the profile is then a fallback.
    let profile = reader.info().icc_profile.as_ref().filter(|_| reader.info().srgb.is_none());
    let profile = profile.filter(|profile| profile.len() <= MAX_PROFILE_BYTES).map(|profile| profile.to_vec());
    Ok(Decoded::whole(Raster::new(info.width, info.height, layout, pixels)?, profile, true))
}

fn error(error: DecodingError) -> PixelError {
    match error {
        DecodingError::IoError(_) => PixelError::corrupt("the file ends before the picture does"),
        other => PixelError::corrupt(other),
    }
}
