//! JPEG, by our own encoder.

use jpeg::Process;
use jpeg::encode::{Chroma, CodeChoice, Options, Picture, Samples};

use super::Encoder;
use crate::pixels::PixelError;
use crate::pixels::raster::{Layout, Raster};

/// From this quality on JPEG keeps colour at full resolution, as in libvips.
pub(in crate::pixels) const FULL_CHROMA_QUALITY: u8 = 90;

/// The quality of rungs. With half the colour resolution, which is whole again once the rung is halved.
const RUNG_QUALITY: u8 = 92;

/// JPEG as a plan asks for it.
pub(super) struct Jpeg {
    /// 1 to 100.
    pub(super) quality: u8,
    /// Whether it comes in scans.
    pub(super) progressive: bool,
}

impl Encoder for Jpeg {
    fn encode(&self, raster: &Raster) -> Result<Vec<u8>, PixelError> {
        let quality = self.quality;
        let chroma = if quality >= FULL_CHROMA_QUALITY { Chroma::Full } else { Chroma::Quarter };
        encoded(raster, &Options { quality, chroma, process: process(self.progressive), ..Options::default() })
    }
}

/// A rung that is JPEG.
pub(super) struct Rung;

impl Encoder for Rung {
    fn encode(&self, raster: &Raster) -> Result<Vec<u8>, PixelError> {
        let codes = CodeChoice::Standard;
        encoded(raster, &Options { quality: RUNG_QUALITY, chroma: Chroma::Quarter, codes, ..Options::default() })
    }
}

/// How a JPEG spreads its coefficients over scans.
pub(in crate::pixels) fn process(is_progressive: bool) -> Process {
    if is_progressive { Process::Progressive } else { Process::Sequential }
}

fn encoded(raster: &Raster, options: &Options) -> Result<Vec<u8>, PixelError> {
    let samples = Samples {
        samples: raster.pixels(),
        width: raster.width() as usize,
        height: raster.height() as usize,
        stride: raster.stride(),
    };
    let picture = match raster.layout() {
        Layout::Gray => Picture::Gray(samples),
        Layout::Rgb => Picture::Rgb(samples),
        Layout::Rgba | Layout::Cmyk => return Err(PixelError::encode("JPEG has neither opacity nor ink")),
    };
    jpeg::encode::encode(&picture, options).map_err(PixelError::encode)
}
