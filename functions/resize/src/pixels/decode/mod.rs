//! From a file to pixels: a [`Decoder`] for each format, in a file of its own. What a file is, is for `probe` to say, in
//! a crate of its own: `ingest` needs that, and must not have decoders.
//!
//! What comes out is as the file stores it: not turned, in the file's own colour space, with the profile beside it.
//! Of an animation it is the first frame, or the default image.

mod avif;
mod bmp;
pub(super) mod frames;
mod gif;
#[cfg(feature = "heic")]
mod heic;
pub(super) mod jpeg;
mod jxl;
mod png;
pub(super) mod svg;
#[cfg(test)]
mod tests;
mod tiff;
pub(super) mod webp;

use probe::Probe;

use super::raster::Raster;
use super::render::ratio_to;
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

/// Whether the decoder of a format turns pictures upright itself.
pub(super) fn comes_upright(format: probe::Format) -> bool {
    matches!(format, probe::Format::JpegXl | probe::Format::Heic)
}

/// Width and height of what is decoded at full size, in pixels.
pub(super) fn decoded_size(probe: &Probe) -> (u32, u32) {
    if comes_upright(probe.format) { probe.oriented_size() } else { (probe.width, probe.height) }
}

/// A file that is to be decoded.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    /// The whole file.
    pub(super) file: &'a [u8],
    /// What its header says.
    pub(super) probe: &'a Probe,
    /// The size, upright and in pixels, to which the whole picture will be scaled: no more detail is needed, and no
    /// less wanted. None: the size of the file.
    pub(super) least: Option<(u32, u32)>,
}

impl<'a> Input<'a> {
    /// At the size of the file.
    pub(super) fn whole(file: &'a [u8], probe: &'a Probe) -> Self {
        Self { file, probe, least: None }
    }

    /// How much smaller than stored it is decoded.
    pub(super) fn shrink(&self) -> Shrink {
        decoder(self.probe.format).map_or(Shrink::None, |decoder| decoder.shrink(self))
    }

    /// The most bytes that decoding holds at once, the result included, in the worst layout that a header leaves open.
    pub(super) fn decoding_bytes(&self) -> u64 {
        decoder(self.probe.format).map_or(0, |decoder| decoder.decoding_bytes(self))
    }
}

/// What decodes the files of one format.
pub(super) trait Decoder {
    /// How much smaller than stored a picture is decoded.
    fn shrink(&self, _input: &Input) -> Shrink {
        Shrink::None
    }

    /// The most bytes that decoding holds at once, the result included, in the worst layout that a header leaves open.
    fn decoding_bytes(&self, input: &Input) -> u64 {
        input.probe.decoding_bytes
    }

    /// Decodes a picture whose header and [`decoding_bytes`](Self::decoding_bytes) are within `limits`; what comes to
    /// light only later is for the decoder to compare with them, before it allocates.
    ///
    /// # Errors
    /// `Corrupt` when the picture is not complete, `Unsupported`, or a limit.
    fn decode(&self, input: &Input, limits: &Limits) -> Result<Decoded, PixelError>;
}

/// The decoder of a format; none where nothing here decodes it.
fn decoder(format: probe::Format) -> Option<&'static dyn Decoder> {
    Some(match format {
        probe::Format::Jpeg => &jpeg::Jpeg,
        probe::Format::Png => &png::Png,
        probe::Format::WebP => &webp::WebP,
        probe::Format::Gif => &gif::Gif,
        probe::Format::Tiff => &tiff::Tiff,
        probe::Format::Bmp => &bmp::Bmp,
        probe::Format::Ico => &bmp::Ico,
        probe::Format::Avif => &avif::Avif,
        probe::Format::JpegXl => &jxl::JpegXl,
        #[cfg(feature = "heic")]
        probe::Format::Heic => &heic::Heic,
        #[cfg(not(feature = "heic"))]
        probe::Format::Heic => return None,
        probe::Format::Svg => &svg::Svg,
    })
}

/// Decodes a file.
///
/// # Errors
/// As [`Decoder::decode`]; a limit of `limits`, before anything is allocated.
pub(super) fn decode(input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
    let probe = input.probe;
    limits.check(probe)?;
    let Some(decoder) = decoder(probe.format) else {
        return Err(PixelError::Unsupported { found: probe.format.name().to_uppercase() });
    };
    limits.check_memory(decoder.decoding_bytes(input))?;
    let mut decoded = decoder.decode(input, limits)?;
    // What is drawn has no size of its own.
    if probe.format != probe::Format::Svg {
        let n = u32::from(decoder.shrink(input).divisor());
        let (width, height) = decoded_size(probe);
        if (decoded.raster.width(), decoded.raster.height()) != (width.div_ceil(n), height.div_ceil(n)) {
            return Err(PixelError::corrupt("the picture is not of the size that its header says"));
        }
        decoded.extent = (f64::from(width) / f64::from(n), f64::from(height) / f64::from(n));
    }
    decoded.raster = decoded.raster.without_useless_alpha();
    decoded.profile = decoded.profile.filter(|profile| profile.len() <= MAX_PROFILE_BYTES);
    Ok(decoded)
}

/// Of a picture that is sound, as far as one can tell, but has something that is not handled.
fn unsupported(found: impl std::fmt::Display) -> PixelError {
    PixelError::Unsupported { found: format!("a picture with {found}") }
}

impl Decoded {
    /// A raster of the size of the file.
    fn whole(raster: Raster, profile: Option<Vec<u8>>, is_lossless: bool) -> Self {
        let extent = (raster.width().into(), raster.height().into());
        Self { raster, extent, profile, is_lossless }
    }
}
