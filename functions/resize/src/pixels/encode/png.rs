//! PNG in full colours, through `png`.

use png::{BitDepth, ColorType, Compression, DeflateCompression, Encoder, Filter};

use crate::pixels::PixelError;
use crate::pixels::raster::{Layout, Raster};

/// PNG as a plan asks for it.
pub(super) struct Png;

impl super::Encoder for Png {
    fn encode(&self, raster: &Raster) -> Result<Vec<u8>, PixelError> {
        encoded(raster, Effort::Delivery)
    }
}

/// A rung that is PNG.
pub(super) struct Rung;

impl super::Encoder for Rung {
    fn encode(&self, raster: &Raster) -> Result<Vec<u8>, PixelError> {
        encoded(raster, Effort::Rung)
    }
}

/// How much is done for fewer bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// 2 % larger than by the crate's default, in half the time.
    Delivery,
    /// A quarter larger again, in a sixth of the time, and decoded in half of it.
    Rung,
}

fn encoded(raster: &Raster, effort: Effort) -> Result<Vec<u8>, PixelError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, raster.width(), raster.height());
    encoder.set_depth(BitDepth::Eight);
    encoder.set_color(match raster.layout() {
        Layout::Gray => ColorType::Grayscale,
        Layout::Rgb => ColorType::Rgb,
        Layout::Rgba => ColorType::Rgba,
        Layout::Cmyk => return Err(PixelError::encode("PNG has no ink")),
    });
    match effort {
        Effort::Rung => encoder.set_compression(Compression::Fastest),
        Effort::Delivery => {
            encoder.set_deflate_compression(DeflateCompression::Level(3));
            encoder.set_filter(Filter::Adaptive);
        }
    }
    let mut writer = encoder.write_header().map_err(PixelError::encode)?;
    writer.write_image_data(raster.pixels()).map_err(PixelError::encode)?;
    writer.finish().map_err(PixelError::encode)?;
    Ok(bytes)
}
