//! AVIF: the still picture of a file.

use avif::AvifError;
use probe::LimitError;

use super::{Decoded, Decoder, Input};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// AVIF.
pub(super) struct Avif;

impl Decoder for Avif {
    fn decode(&self, input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
        let most = avif::Limits { max_pixels: limits.max_pixels, max_memory_bytes: limits.max_memory_bytes };
        let picture = avif::decode(input.file, &most).map_err(error)?;
        let layout = match picture.layout {
            avif::Layout::Gray => Layout::Gray,
            avif::Layout::Rgb => Layout::Rgb,
            avif::Layout::Rgba => Layout::Rgba,
        };
        let raster = Raster::new(picture.width, picture.height, layout, picture.bytes)?;
        Ok(Decoded::whole(raster, picture.icc, false))
    }
}

fn error(error: AvifError) -> PixelError {
    match error {
        AvifError::Unsupported { found } => PixelError::Unsupported { found: format!("an AVIF with {found}") },
        AvifError::TooManyPixels { limit, actual } => LimitError::TooManyPixels { limit, actual }.into(),
        AvifError::TooMuchMemory { limit, actual } => LimitError::TooMuchMemory { limit, actual }.into(),
        other => PixelError::corrupt(other),
    }
}
