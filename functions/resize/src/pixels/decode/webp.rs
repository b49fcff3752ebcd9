//! WebP: opaque lossy pictures by our own decoder, as planes, which is all that some plans need, or as pixels; through
//! `image-webp` what is lossless or has opacity, and of an animation the first frame.

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};
use webp::LossyPicture;

use super::{Decoded, Decoder, Input, MAX_PROFILE_BYTES};
use crate::pixels::container::webp::{OpaqueLossy, opaque_lossy};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// The planes of a picture.
pub(in crate::pixels) fn planes(picture: &OpaqueLossy) -> Result<LossyPicture, PixelError> {
    webp::decode(picture.frame).map_err(PixelError::corrupt)
}

/// WebP.
pub(super) struct WebP;

impl Decoder for WebP {
    fn decode(&self, input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
        if let Some(still) = opaque_lossy(input.file) {
            let picture = planes(&still)?;
            let raster = Raster::new(picture.width, picture.height, Layout::Rgb, picture.to_rgb())?;
            return Ok(Decoded::whole(raster, still.profile.map(<[u8]>::to_vec), false));
        }
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
