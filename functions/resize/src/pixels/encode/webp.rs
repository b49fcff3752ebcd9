//! WebP, lossy and lossless, by our own encoder.

use std::borrow::Cow;

use webp::{Options, Picture, Pixels};

use crate::pixels::PixelError;
use crate::pixels::raster::{Layout, Raster};

/// With loss; `quality` from 1 to 100 on the scale of libwebp.
pub(super) fn lossy(raster: &Raster, quality: u8) -> Result<Vec<u8>, PixelError> {
    encoded(raster, Options { quality, ..Options::default() })
}

/// Without loss.
pub(super) fn lossless(raster: &Raster) -> Result<Vec<u8>, PixelError> {
    encoded(raster, Options { lossless: true, ..Options::default() })
}

fn encoded(raster: &Raster, options: Options) -> Result<Vec<u8>, PixelError> {
    let colored = match raster.layout() {
        Layout::Gray => Cow::Owned(raster.clone().into_rgb()),
        Layout::Rgb | Layout::Rgba => Cow::Borrowed(raster),
        Layout::Cmyk => return Err(PixelError::encode("WebP has no ink")),
    };
    let bytes = colored.pixels();
    let pixels = if colored.layout() == Layout::Rgba { Pixels::Rgba(bytes) } else { Pixels::Rgb(bytes) };
    let picture = Picture { width: raster.width(), height: raster.height(), pixels };
    webp::encode(&picture, &options).map_err(PixelError::encode)
}
