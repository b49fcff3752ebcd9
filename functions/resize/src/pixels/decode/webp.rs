//! WebP through `image-webp`: lossy, lossless, with and without alpha; of an animation the first frame.

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use super::{Decoded, MAX_PROFILE_BYTES};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

pub(super) fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, PixelError> {
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(error)?;
    decoder.set_memory_limit(MAX_PROFILE_BYTES);
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.max_pixels {
        return Err(PixelError::TooManyPixels { limit: limits.max_pixels, actual: pixels });
    }
    let layout = if decoder.has_alpha() { Layout::Rgba } else { Layout::Rgb };
    let mut raster = Raster::zeroed(width, height, layout)?;
    decoder.read_image(raster.pixels_mut()).map_err(error)?;
    Ok(Decoded {
        raster,
        extent: (0.0, 0.0),
        // A profile that cannot be read is no reason to refuse the picture.
        profile: decoder.icc_profile().unwrap_or_default(),
        is_lossless: !decoder.is_lossy(),
    })
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
