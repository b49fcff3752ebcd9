//! AVIF, by `rav1e`.

use super::Encoder;
use crate::pixels::PixelError;
use crate::pixels::raster::{Layout, Raster};

/// AVIF.
pub(super) struct Avif {
    /// 1 to 100.
    pub(super) quality: u8,
}

impl Encoder for Avif {
    fn encode(&self, raster: &Raster) -> Result<Vec<u8>, PixelError> {
        let layout = match raster.layout() {
            Layout::Gray => avif::Layout::Gray,
            Layout::Rgb => avif::Layout::Rgb,
            Layout::Rgba => avif::Layout::Rgba,
            Layout::Cmyk => return Err(PixelError::encode("AVIF has no ink")),
        };
        let pixels = avif::Pixels { width: raster.width(), height: raster.height(), layout, bytes: raster.pixels() };
        let options = avif::Options { quality: self.quality, ..avif::Options::default() };
        avif::encode(&pixels, &options).map_err(PixelError::encode)
    }
}
