//! From a file to pixels: one decoder per format behind one function.
//!
//! What comes out is as the file stores it: not turned, in the file's own colour space, with the profile beside it.
//! Of an animation it is the first frame, or the default image.

mod bmp;
pub(super) mod frames;
mod gif;
mod jpeg;
mod png;
#[cfg(test)]
mod tests;
mod tiff;
mod webp;

use probe::Probe;

use super::limits::decoding_bytes;
use super::raster::Raster;
use super::{Limits, PixelError};

/// The largest colour profile that is looked at, in bytes. Real ones are a few hundred bytes to 2 MB (press profiles).
pub(super) const MAX_PROFILE_BYTES: usize = 4 << 20;

/// How much smaller than stored a JPEG is decoded. Other formats know only [`Shrink::None`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Shrink {
    #[default]
    None,
    Half,
    Quarter,
    Eighth,
}

impl Shrink {
    /// The shrink to decode with when the whole is to become `ratio` times smaller.
    ///
    /// Half the size is as good as it gets from any ratio that allows it; further shrinking leaves a factor of two
    /// (of four, from an eighth) to the filter. Against the filter alone, on the photo of our benchmark: 47 dB at half
    /// with a ratio of 2.1, 49 dB at a quarter with 8.5, but 39 dB at an eighth with 8.5. libvips leaves two in every
    /// case, and sharp by default nothing, and both take the shrunk sides for whole numbers, which costs 10 dB.
    pub(super) fn for_ratio(ratio: f64) -> Self {
        match ratio {
            ratio if ratio >= 32.0 => Self::Eighth,
            ratio if ratio >= 8.0 => Self::Quarter,
            ratio if ratio >= 2.0 => Self::Half,
            _ => Self::None,
        }
    }

    /// What both sides are divided by.
    pub(super) fn divisor(self) -> u8 {
        match self {
            Self::None => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }
}

/// A decoded picture, as stored.
pub(super) struct Decoded {
    /// The pixels.
    pub(super) raster: Raster,
    /// How much of the raster the picture covers, in its pixels: a shrunk picture may end inside the last column.
    pub(super) extent: (f64, f64),
    /// The colour profile, if the file has one that is not too large.
    pub(super) profile: Option<Vec<u8>>,
    /// Whether the file's compression keeps every pixel.
    pub(super) is_lossless: bool,
}

/// Turns samples of sixteen bits, the high byte first, into samples of eight, in place and rounded.
fn eight_bits(samples: &mut Vec<u8>) {
    let n_samples = samples.len() / 2;
    for at in 0..n_samples {
        samples[at] = eighth(u16::from_be_bytes([samples[2 * at], samples[2 * at + 1]]));
    }
    samples.truncate(n_samples);
}

/// The nearest of 256 steps to one of 65,536.
fn eighth(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32_895) >> 16) as u8
}

/// Decodes the file that `probe` describes.
///
/// # Errors
/// `Corrupt` when the picture is not complete; a limit of `limits`, before anything is allocated.
pub(super) fn decode(file: &[u8], probe: &Probe, shrink: Shrink, limits: &Limits) -> Result<Decoded, PixelError> {
    limits.check(probe)?;
    let shrink = if probe.format == probe::Format::Jpeg { shrink } else { Shrink::None };
    limits.check_memory(decoding_bytes(probe, shrink))?;
    let mut decoded = match probe.format {
        probe::Format::Jpeg => jpeg::decode(file, shrink)?,
        probe::Format::Png => png::decode(file, limits)?,
        probe::Format::WebP => webp::decode(file, limits)?,
        probe::Format::Gif => gif::decode(file, limits)?,
        probe::Format::Tiff => tiff::decode(file, limits)?,
        probe::Format::Bmp => bmp::decode(file, limits)?,
        probe::Format::Ico => bmp::decode_icon(file, limits)?,
        format => return Err(PixelError::Unsupported { found: format.name().to_uppercase() }),
    };
    let n = u32::from(shrink.divisor());
    if (decoded.raster.width(), decoded.raster.height()) != (probe.width.div_ceil(n), probe.height.div_ceil(n)) {
        return Err(PixelError::corrupt("the picture is not of the size that its header says"));
    }
    decoded.extent = (f64::from(probe.width) / f64::from(n), f64::from(probe.height) / f64::from(n));
    decoded.raster = decoded.raster.without_useless_alpha();
    decoded.profile = decoded.profile.filter(|profile| profile.len() <= MAX_PROFILE_BYTES);
    Ok(decoded)
}
