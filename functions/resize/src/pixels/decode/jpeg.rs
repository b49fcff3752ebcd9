//! JPEG through `jpeg-decoder`, which can leave out detail while it decodes; and through `zune-jpeg` for the one kind
//! that it decodes faster, which is that of our own rungs (in wasm 1440x1176 in 60 % of the time, measured). That must
//! be of one scan: where each channel has its own, version 0.5.15 leaves out the colour and says nothing.

use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

use super::{Decoded, Shrink};
use crate::pixels::PixelError;
use crate::pixels::container::jpeg::{Header, MAX_SCANS};
use crate::pixels::raster::{Layout, Raster};

pub(super) fn decode(file: &[u8], shrink: Shrink) -> Result<Decoded, PixelError> {
    let header = Header::read(file);
    if header.n_scans > MAX_SCANS {
        // Each scan may touch every pixel, however few bytes it has.
        return Err(PixelError::corrupt(format!("more than {MAX_SCANS} scans")));
    }
    if shrink == Shrink::None
        && header.is_plain_420
        && header.n_scans == 1
        && let Some(raster) = decode_420(file)
    {
        return Ok(Decoded { raster, extent: (0.0, 0.0), profile: header.profile(file), is_lossless: false });
    }
    let mut decoder = Decoder::new(file);
    decoder.read_info().map_err(error)?;
    let info = decoder.info().ok_or_else(|| PixelError::corrupt("no header"))?;
    if shrink != Shrink::None {
        let n = u16::from(shrink.divisor());
        decoder.scale(info.width.div_ceil(n), info.height.div_ceil(n)).map_err(error)?;
    }
    if let Some(transform) = color_transform(&header, info.pixel_format) {
        decoder.set_color_transform(transform);
    }
    let mut pixels = decoder.decode().map_err(error)?;
    let info = decoder.info().ok_or_else(|| PixelError::corrupt("no header"))?;
    let layout = match info.pixel_format {
        PixelFormat::L8 => Layout::Gray,
        PixelFormat::RGB24 => Layout::Rgb,
        PixelFormat::CMYK32 => Layout::Cmyk,
        PixelFormat::L16 => return Err(PixelError::Unsupported { found: "a 16-bit JPEG".to_owned() }),
    };
    if layout == Layout::Cmyk && header.adobe.is_none() {
        // The decoder takes every file for Adobe's, which store the paper instead of the ink.
        pixels.iter_mut().for_each(|ink| *ink = 255 - *ink);
    }
    Ok(Decoded {
        raster: Raster::new(info.width.into(), info.height.into(), layout, pixels)?,
        extent: (0.0, 0.0),
        profile: header.profile(file),
        is_lossless: false,
    })
}

/// `None` for whatever it does not like: the other decoder then has the last word.
fn decode_420(file: &[u8]) -> Option<Raster> {
    // Strict, because it otherwise paints the missing part of a file that was cut off.
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().ok()?;
    if decoder.input_colorspace() != Some(ColorSpace::YCbCr) {
        return None;
    }
    let (width, height) = decoder.dimensions()?;
    let pixels = decoder.decode().ok()?;
    Raster::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?, Layout::Rgb, pixels).ok()
}

/// What three channels mean, by libjpeg's rules: JFIF says luma and chroma, or else Adobe's segment decides. The
/// decoder has rules of its own, which look at the channels' numbers first and so misread Adobe's RGB.
fn color_transform(header: &Header, pixel_format: PixelFormat) -> Option<ColorTransform> {
    match (pixel_format, header.is_jfif, header.adobe) {
        (PixelFormat::RGB24, true, _) => Some(ColorTransform::YCbCr),
        (PixelFormat::RGB24, false, Some(0)) => Some(ColorTransform::RGB),
        (PixelFormat::RGB24, false, Some(_)) => Some(ColorTransform::YCbCr),
        (PixelFormat::CMYK32, _, Some(2)) => Some(ColorTransform::YCCK),
        (PixelFormat::CMYK32, _, _) => Some(ColorTransform::CMYK),
        _ => None,
    }
}

fn error(error: jpeg_decoder::Error) -> PixelError {
    match error {
        jpeg_decoder::Error::Unsupported(feature) => {
            PixelError::Unsupported { found: format!("a JPEG with {feature:?}") }
        }
        jpeg_decoder::Error::Io(_) => PixelError::corrupt("the file ends before the picture does"),
        other => PixelError::corrupt(other),
    }
}
