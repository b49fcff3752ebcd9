//! JPEG, by our own decoder: as planes, which is all that some plans need, or as pixels.
//!
//! Damaged files are decoded as far as they go, as browsers do: what is missing is gray, or coarse. Only a file of which
//! nothing can be decoded is corrupt.

use jpeg::{Error, Options, PixelLayout, Planes, Scale};
use probe::Probe;

use super::{Decoded, Decoder, Input, MAX_PROFILE_BYTES, Shrink, ratio_to};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// The planes of a picture.
pub(in crate::pixels) fn planes(input: &Input) -> Result<Planes, PixelError> {
    jpeg::decode(input.file, &options(input.shrink())).map_err(error)
}

/// Its colour profile, if it has one that is not too large.
pub(in crate::pixels) fn profile(file: &[u8]) -> Option<Vec<u8>> {
    jpeg::icc_profile(file, MAX_PROFILE_BYTES)
}

/// JPEG.
pub(super) struct Jpeg;

impl Decoder for Jpeg {
    fn shrink(&self, input: &Input) -> Shrink {
        input.least.map_or(Shrink::None, |size| Shrink::for_ratio(ratio_to(size, input.probe)))
    }

    /// Planes of the shrunk picture, and the pixels that are made of them; of a progressive one the coefficients that
    /// matter at that size, too.
    fn decoding_bytes(&self, input: &Input) -> u64 {
        let Ok(header) = jpeg::Header::read(input.file) else { return 0 };
        let shrink = self.shrink(input);
        let n = u64::from(shrink.divisor());
        let pixels = u64::from(header.width).div_ceil(n) * u64::from(header.height).div_ceil(n);
        let pixel_bytes = pixels * header.components.len() as u64;
        jpeg::decoding_bytes(&header, &options(shrink)).saturating_add(pixel_bytes)
    }

    fn decode(&self, input: &Input, _limits: &Limits) -> Result<Decoded, PixelError> {
        let pixels = planes(input)?.into_pixels();
        let layout = match pixels.layout {
            PixelLayout::Gray => Layout::Gray,
            PixelLayout::Rgb => Layout::Rgb,
            PixelLayout::Cmyk => Layout::Cmyk,
        };
        let side = |side: usize| u32::try_from(side).map_err(PixelError::corrupt);
        let raster = Raster::new(side(pixels.width)?, side(pixels.height)?, layout, pixels.samples)?;
        Ok(Decoded::whole(raster, profile(input.file), false))
    }
}

fn options(shrink: Shrink) -> Options {
    let scale = match shrink {
        Shrink::None => Scale::Full,
        Shrink::Half => Scale::Half,
        Shrink::Quarter => Scale::Quarter,
        Shrink::Eighth => Scale::Eighth,
    };
    Options { scale, tolerate_damage: true, ..Options::default() }
}

/// Whether others' decoders read it too: those of JPEGs inside of SVG and TIFF.
pub(super) fn is_common(probe: &Probe) -> bool {
    probe.bits == 8 && !probe.is_arithmetic
}

fn error(error: Error) -> PixelError {
    match error {
        Error::Unsupported(found) => PixelError::Unsupported { found: format!("a JPEG with {found}") },
        other => PixelError::corrupt(other),
    }
}
