//! WebP through `image-webp`: lossy, lossless, with and without alpha; of an animation the first frame.

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use super::{Decoded, Decoder, Input, MAX_PROFILE_BYTES};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// WebP.
pub(super) struct WebP;

impl Decoder for WebP {
    /// 11 a pixel: planes, four channels, and opacity that was compressed as four channels of its own.
    fn decoding_bytes(&self, input: &Input) -> u64 {
        input.probe.pixels.saturating_mul(11)
    }

    fn decode(&self, input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
        let mut decoder = WebPDecoder::new(Cursor::new(input.file)).map_err(error)?;
        decoder.set_memory_limit(MAX_PROFILE_BYTES);
        let (width, height) = decoder.dimensions();
        limits.check_pixels(u64::from(width) * u64::from(height))?;
        let layout = if decoder.has_alpha() { Layout::Rgba } else { Layout::Rgb };
        let mut raster = Raster::zeroed(width, height, layout)?;
        decoder.read_image(raster.pixels_mut()).map_err(error)?;
        // A profile that cannot be read is no reason to refuse the picture.
        let profile = decoder.icc_profile().unwrap_or_default();
        Ok(Decoded::whole(raster, profile, !decoder.is_lossy()))
    }
}

fn error(error: DecodingError) -> PixelError {
    match error {
        DecodingError::IoError(_) => PixelError::corrupt("the file ends before the picture does"),
        DecodingError::UnsupportedFeature(feature) => {
            PixelError::Unsupported { found: format!("a WebP with {feature}") }
        }
        other => PixelError::corrupt(other),
    }
}
