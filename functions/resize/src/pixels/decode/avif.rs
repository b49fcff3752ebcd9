//! AVIF: the still picture of a file.

use avif::AvifError;

use super::Decoded;
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

pub(super) fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, PixelError> {
    let most = avif::Limits { max_pixels: limits.max_pixels, max_memory_bytes: limits.max_memory_bytes };
    let picture = avif::decode(file, &most).map_err(error)?;
    let layout = match picture.layout {
        avif::Layout::Gray => Layout::Gray,
        avif::Layout::Rgb => Layout::Rgb,
        avif::Layout::Rgba => Layout::Rgba,
    };
    Ok(Decoded {
        raster: Raster::new(picture.width, picture.height, layout, picture.bytes)?,
        extent: (0.0, 0.0),
        profile: picture.icc,
        is_lossless: false,
    })
}

fn error(error: AvifError) -> PixelError {
    match error {
        AvifError::Unsupported { found } => PixelError::Unsupported { found: format!("an AVIF with {found}") },
        AvifError::TooManyPixels { limit, actual } => PixelError::TooManyPixels { limit, actual },
        AvifError::TooMuchMemory { limit, actual } => PixelError::TooMuchMemory { limit, actual },
        other => PixelError::corrupt(other),
    }
}
