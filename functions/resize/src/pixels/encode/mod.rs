//! From pixels to a file: an [`Encoder`] for each format, in a file of its own. The same pixels give the same bytes every
//! time.

mod avif;
pub(super) mod gif;
mod indexed;
pub(super) mod jpeg;
mod png;
mod quantise;
pub(super) mod webp;

use transform::{Format, Output, Quality, Render};

use super::PixelError;
use super::quality;
use super::raster::Raster;

/// A file, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: Format,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Writes a result as its plan says: no more bytes than it may have, and in the other way if that is smaller.
pub(super) fn written(raster: &Raster, render: &Render) -> Result<Encoded, PixelError> {
    let best = match render.max_bytes() {
        None => encoded(raster, render.output())?,
        Some(most) => encoded_within(raster, render.output(), most as usize)?,
    };
    or_smaller(best, render, |other| encoded(raster, other))
}

/// `best`, or what `encode` makes in the plan's other way, if that is smaller.
pub(super) fn or_smaller(
    best: Encoded,
    render: &Render,
    encode: impl FnOnce(Output) -> Result<Encoded, PixelError>,
) -> Result<Encoded, PixelError> {
    let Some(other) = render.alternative() else { return Ok(best) };
    let other = encode(other)?;
    Ok(if other.bytes.len() < best.bytes.len() { other } else { best })
}

/// The highest quality up to that of `output`, or up to what a search finds, at which the file has no more than `most`
/// bytes; the lowest there is where none has.
pub(super) fn encoded_within(raster: &Raster, output: Output, most: usize) -> Result<Encoded, PixelError> {
    let (highest, first) = match output.quality() {
        None => return encoded(raster, output),
        Some(Quality::Fixed(quality)) => (quality, encoded(raster, output)?),
        Some(Quality::Auto) => quality::found(raster, output)?,
    };
    if first.bytes.len() <= most {
        return Ok(first);
    }
    // Sizes grow with quality, as good as always.
    let (mut fits, mut too_high) = (1, highest);
    let mut best = encoded(raster, output.at(1))?;
    while too_high - fits > 1 {
        let quality = fits.midpoint(too_high);
        let attempt = encoded(raster, output.at(quality))?;
        if attempt.bytes.len() <= most {
            (fits, best) = (quality, attempt);
        } else {
            too_high = quality;
        }
    }
    Ok(best)
}

/// What writes files of one format; its fields are the options.
pub(super) trait Encoder {
    /// The file of a picture that has no opacity if the format is JPEG, and is never `Cmyk`.
    ///
    /// # Errors
    /// `Encode`.
    fn encode(&self, raster: &Raster) -> Result<Vec<u8>, PixelError>;
}

/// The encoder that writes as a plan says; none where the quality is still to be found.
fn encoder(output: Output) -> Option<Box<dyn Encoder>> {
    Some(match output {
        Output::Jpeg { quality: Quality::Fixed(quality), progressive } => Box::new(jpeg::Jpeg { quality, progressive }),
        Output::Png { colors: None } => Box::new(png::Png),
        Output::Png { colors: Some(colors) } => Box::new(indexed::IndexedPng { colors: colors.into() }),
        Output::Gif => Box::new(gif::Gif),
        Output::WebPLossless => Box::new(webp::WebP { quality: None }),
        Output::WebP { quality: Quality::Fixed(quality) } => Box::new(webp::WebP { quality: Some(quality) }),
        Output::Avif { quality: Quality::Fixed(quality) } => Box::new(avif::Avif { quality }),
        Output::Jpeg { quality: Quality::Auto, .. }
        | Output::WebP { quality: Quality::Auto }
        | Output::Avif { quality: Quality::Auto } => return None,
    })
}

/// Encodes `raster`, which has no opacity if `output` is JPEG, and is never `Cmyk`.
pub(super) fn encoded(raster: &Raster, output: Output) -> Result<Encoded, PixelError> {
    match encoder(output) {
        Some(encoder) => encoded_by(&*encoder, raster, output.format()),
        None => quality::searched(raster, output),
    }
}

/// Encodes a rung: quick to write and quicker to read, and without loss if `is_lossless`. PNG for that, because it
/// decodes in a third of the time of WebP.
pub(super) fn encoded_rung(raster: &Raster, is_lossless: bool) -> Result<Encoded, PixelError> {
    if is_lossless {
        encoded_by(&png::Rung, raster, Format::Png)
    } else {
        encoded_by(&jpeg::Rung, raster, Format::Jpeg)
    }
}

fn encoded_by(encoder: &dyn Encoder, raster: &Raster, format: Format) -> Result<Encoded, PixelError> {
    Ok(Encoded { bytes: encoder.encode(raster)?, format, width: raster.width(), height: raster.height() })
}
