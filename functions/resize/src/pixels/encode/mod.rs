//! From pixels to a file. The same pixels give the same bytes every time.

pub(super) mod gif;
mod indexed;
mod quantise;
pub(super) mod webp;

use jpeg::Process;
use jpeg::encode::{Chroma, CodeChoice, Options, Picture, Samples};
use transform::{Format, Output, Quality, Render};

use super::PixelError;
use super::quality;
use super::raster::{Layout, Raster};

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

/// From this quality on JPEG keeps colour at full resolution, as in libvips.
pub(super) const FULL_CHROMA_QUALITY: u8 = 90;

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

/// How a JPEG spreads its coefficients over scans.
pub(super) fn process(is_progressive: bool) -> Process {
    if is_progressive { Process::Progressive } else { Process::Sequential }
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

/// Encodes `raster`, which has no opacity if `output` is JPEG, and is never `Cmyk`.
pub(super) fn encoded(raster: &Raster, output: Output) -> Result<Encoded, PixelError> {
    let bytes = match output {
        Output::Jpeg { quality: Quality::Fixed(quality), progressive } => {
            let chroma = if quality >= FULL_CHROMA_QUALITY { Chroma::Full } else { Chroma::Quarter };
            jpeg(raster, &Options { quality, chroma, process: process(progressive), ..Options::default() })?
        }
        Output::Png { colors: None } => png(raster, PngEffort::Delivery)?,
        Output::Png { colors: Some(colors) } => indexed::indexed_png(raster, colors.into())?,
        Output::Gif => gif::still(raster)?,
        Output::WebPLossless => webp::lossless(raster)?,
        Output::WebP { quality: Quality::Fixed(quality) } => webp::lossy(raster, quality)?,
        Output::Avif { quality: Quality::Fixed(quality) } => avif(raster, quality)?,
        Output::Jpeg { quality: Quality::Auto, .. }
        | Output::WebP { quality: Quality::Auto }
        | Output::Avif { quality: Quality::Auto } => return quality::searched(raster, output),
    };
    Ok(Encoded { bytes, format: output.format(), width: raster.width(), height: raster.height() })
}

/// The quality of rungs that are JPEG. With half the colour resolution, which is whole again once the rung is halved.
const RUNG_QUALITY: u8 = 92;

/// Encodes a rung: quick to write and quicker to read, and without loss if `is_lossless`. PNG for that, because it
/// decodes in a third of the time of WebP.
pub(super) fn encoded_rung(raster: &Raster, is_lossless: bool) -> Result<Encoded, PixelError> {
    let (format, bytes) = if is_lossless {
        (Format::Png, png(raster, PngEffort::Rung)?)
    } else {
        let codes = CodeChoice::Standard;
        let options = Options { quality: RUNG_QUALITY, chroma: Chroma::Quarter, codes, ..Options::default() };
        (Format::Jpeg, jpeg(raster, &options)?)
    };
    Ok(Encoded { bytes, format, width: raster.width(), height: raster.height() })
}

fn jpeg(raster: &Raster, options: &Options) -> Result<Vec<u8>, PixelError> {
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

fn avif(raster: &Raster, quality: u8) -> Result<Vec<u8>, PixelError> {
    let layout = match raster.layout() {
        Layout::Gray => avif::Layout::Gray,
        Layout::Rgb => avif::Layout::Rgb,
        Layout::Rgba => avif::Layout::Rgba,
        Layout::Cmyk => return Err(PixelError::encode("AVIF has no ink")),
    };
    let pixels = avif::Pixels { width: raster.width(), height: raster.height(), layout, bytes: raster.pixels() };
    let options = avif::Options { quality, ..avif::Options::default() };
    avif::encode(&pixels, &options).map_err(PixelError::encode)
}

/// How a PNG is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PngEffort {
    /// 2 % larger than by the crate's default, in half the time.
    Delivery,
    /// A quarter larger again, in a sixth of the time, and decoded in half of it.
    Rung,
}

fn png(raster: &Raster, effort: PngEffort) -> Result<Vec<u8>, PixelError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, raster.width(), raster.height());
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(match raster.layout() {
        Layout::Gray => png::ColorType::Grayscale,
        Layout::Rgb => png::ColorType::Rgb,
        Layout::Rgba => png::ColorType::Rgba,
        Layout::Cmyk => return Err(PixelError::encode("PNG has no ink")),
    });
    match effort {
        PngEffort::Rung => encoder.set_compression(png::Compression::Fastest),
        PngEffort::Delivery => {
            encoder.set_deflate_compression(png::DeflateCompression::Level(3));
            encoder.set_filter(png::Filter::Adaptive);
        }
    }
    let mut writer = encoder.write_header().map_err(PixelError::encode)?;
    writer.write_image_data(raster.pixels()).map_err(PixelError::encode)?;
    writer.finish().map_err(PixelError::encode)?;
    Ok(bytes)
}
