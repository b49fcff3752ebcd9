//! JPEG: walk the segments to the frame header, and on through the scans to the end.
//!
//! Once the frame is known, nothing that follows makes the file damaged: how far its picture goes, decoding tells.

use crate::reader::Reader;
use crate::{ColorModel, Format, Orientation, Probe, ProbeError, area, corrupt, exif};

const TEM: u8 = 0x01;
const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const APP1: u8 = 0xE1;

pub(crate) fn read(bytes: &[u8]) -> Result<Probe, ProbeError> {
    let mut reader = Reader::new(bytes);
    let mut frame = None;
    let mut orientation = None;
    let mut is_complete = false;

    while let Some(marker) = next_marker(&mut reader) {
        if matches!(marker, SOI | TEM | 0xD0..=0xD7) {
            continue;
        }
        if frame.is_none() && matches!(marker, SOS | EOI) {
            return Err(corrupt("a JPEG without a frame"));
        }
        if marker == EOI {
            is_complete = true;
            break;
        }
        let segment = match segment(&mut reader) {
            Ok(Some(segment)) => segment,
            Err(error) if frame.is_none() => return Err(error),
            Ok(None) | Err(_) => break,
        };
        match marker {
            APP1 if orientation.is_none() => orientation = exif_in(segment),
            // Tables and an extension; the rest of C0 to CF are frame headers.
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF if frame.is_none() => frame = Some(Frame::read(marker, segment)?),
            _ => {}
        }
    }

    let frame = frame.ok_or(ProbeError::Truncated)?;
    Ok(Probe {
        format: Format::Jpeg,
        width: frame.width,
        height: frame.height,
        orientation: orientation.unwrap_or(Orientation::UPRIGHT),
        has_alpha: false,
        frames: 1,
        bits: frame.bits,
        is_progressive: frame.is_progressive,
        is_arithmetic: frame.is_arithmetic,
        color: frame.color,
        pixels: area(frame.width, frame.height),
        decoding_bytes: 0,
        is_complete,
    })
}

/// Moves behind the next marker and returns it. Skips what is none: coded pixels, fill bytes, and the stray bytes
/// between segments that every decoder forgives.
fn next_marker(reader: &mut Reader<'_>) -> Option<u8> {
    loop {
        let at = memchr::memchr(0xFF, reader.rest())?;
        reader.take(at + 1)?;
        // An FF before a marker is fill; an FF 00 is a coded FF.
        match *reader.rest().first()? {
            0xFF => {}
            0x00 => _ = reader.u8(),
            marker => {
                reader.take(1)?;
                return Some(marker);
            }
        }
    }
}

/// The body of a segment, or `None` if it is cut off.
fn segment<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, ProbeError> {
    let Some(length) = reader.u16_be() else {
        return Ok(None);
    };
    let length = length.checked_sub(2).ok_or(corrupt("a JPEG segment shorter than its length field"))?;
    Ok(reader.take(usize::from(length)))
}

fn exif_in(segment: &[u8]) -> Option<Orientation> {
    if segment.starts_with(b"Exif\0\0") { exif::orientation(segment) } else { None }
}

struct Frame {
    width: u32,
    height: u32,
    bits: u8,
    is_progressive: bool,
    is_arithmetic: bool,
    color: ColorModel,
}

impl Frame {
    fn read(marker: u8, segment: &[u8]) -> Result<Self, ProbeError> {
        let too_short = || corrupt("a JPEG frame header that is too short");
        let mut reader = Reader::new(segment);
        let bits = reader.u8().ok_or_else(too_short)?;
        let height = u32::from(reader.u16_be().ok_or_else(too_short)?);
        let width = u32::from(reader.u16_be().ok_or_else(too_short)?);
        let n_components = reader.u8().ok_or_else(too_short)?;

        let found = match (marker, bits) {
            (0xC0..=0xC2 | 0xC9 | 0xCA, 8 | 12) => None,
            (0xC0..=0xC2 | 0xC9 | 0xCA, _) => return Err(corrupt("a JPEG of neither 8 nor 12 bits")),
            (0xC3 | 0xCB, _) => Some("a lossless JPEG"),
            _ => Some("a hierarchical JPEG"),
        };
        if let Some(found) = found {
            return Err(ProbeError::Unsupported { found });
        }
        // A height of 0 means that it follows the first scan, which no current encoder does.
        if width == 0 || height == 0 {
            return Err(corrupt("a side of no pixels"));
        }
        let color = match n_components {
            1 => ColorModel::Gray,
            3 => ColorModel::Rgb,
            4 => ColorModel::Cmyk,
            _ => return Err(corrupt("a JPEG of neither 1, 3 nor 4 components")),
        };
        Ok(Self {
            width,
            height,
            bits,
            is_progressive: matches!(marker, 0xC2 | 0xCA),
            is_arithmetic: matches!(marker, 0xC9 | 0xCA),
            color,
        })
    }
}
