//! PNG: the header, then every chunk up to the end, because EXIF may come last.

use crate::reader::Reader;
use crate::sniff::PNG_SIGNATURE;
use crate::{ColorModel, Format, Orientation, Probe, ProbeError, area, corrupt, exif};

/// The largest side, and the longest chunk, that the format allows.
const MAX: u32 = 0x7FFF_FFFF;

pub(crate) fn read(bytes: &[u8]) -> Result<Probe, ProbeError> {
    let mut reader = Reader::new(bytes);
    reader.take(PNG_SIGNATURE.len()).ok_or(ProbeError::Truncated)?;
    let header = Header::read(&mut reader)?;
    let chunks = Chunks::walk(&mut reader)?;
    Ok(Probe {
        format: Format::Png,
        width: header.width,
        height: header.height,
        orientation: chunks.orientation.unwrap_or(Orientation::UPRIGHT),
        has_alpha: header.has_alpha || chunks.has_transparency,
        frames: chunks.frames_claimed.max(chunks.frames_counted).max(1),
        bits: header.bits,
        is_progressive: header.is_interlaced,
        is_arithmetic: false,
        color: header.color,
        pixels: area(header.width, header.height),
        // Gray with opacity, while it becomes four channels; of 16 bits, while it becomes one of 8.
        decoding_bytes: area(header.width, header.height).saturating_mul(if header.bits == 16 { 12 } else { 6 }),
        is_complete: chunks.is_complete,
    })
}

struct Header {
    width: u32,
    height: u32,
    bits: u8,
    color: ColorModel,
    has_alpha: bool,
    is_interlaced: bool,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ProbeError> {
        let start = reader.array::<8>().ok_or(ProbeError::Truncated)?;
        if start != *b"\0\0\0\x0DIHDR" {
            return Err(corrupt("a PNG that does not begin with its header"));
        }
        let width = reader.u32_be().ok_or(ProbeError::Truncated)?;
        let height = reader.u32_be().ok_or(ProbeError::Truncated)?;
        let [bits, color_type, _compression, _filter, interlace] = reader.array().ok_or(ProbeError::Truncated)?;
        let _checksum = reader.u32_be().ok_or(ProbeError::Truncated)?;

        if width == 0 || height == 0 {
            return Err(corrupt("a side of no pixels"));
        }
        if width > MAX || height > MAX {
            return Err(corrupt("a PNG side beyond 2^31"));
        }
        let (color, has_alpha) = match (color_type, bits) {
            (0, 1 | 2 | 4 | 8 | 16) => (ColorModel::Gray, false),
            (2, 8 | 16) => (ColorModel::Rgb, false),
            (3, 1 | 2 | 4 | 8) => (ColorModel::Palette, false),
            (4, 8 | 16) => (ColorModel::Gray, true),
            (6, 8 | 16) => (ColorModel::Rgb, true),
            _ => return Err(corrupt("a PNG of unknown colour type or depth")),
        };
        Ok(Self { width, height, bits, color, has_alpha, is_interlaced: interlace == 1 })
    }
}

#[derive(Default)]
struct Chunks {
    orientation: Option<Orientation>,
    has_transparency: bool,
    frames_claimed: u32,
    frames_counted: u32,
    is_complete: bool,
}

impl Chunks {
    fn walk(reader: &mut Reader<'_>) -> Result<Self, ProbeError> {
        let mut chunks = Self::default();
        while let (Some(length), Some(kind)) = (reader.u32_be(), reader.array::<4>()) {
            if length > MAX {
                return Err(corrupt("a PNG chunk longer than the format allows"));
            }
            // A chunk that is cut off still says what it is: a transparency may be all that a prefix shows.
            let body = usize::try_from(length).ok().and_then(|length| reader.take(length));
            match (&kind, body) {
                (b"tRNS", _) => chunks.has_transparency = true,
                (b"fcTL", _) => chunks.frames_counted = chunks.frames_counted.saturating_add(1),
                (b"acTL", Some(body)) => {
                    let claimed = Reader::new(body).u32_be().unwrap_or(0);
                    chunks.frames_claimed = chunks.frames_claimed.max(claimed);
                }
                (b"eXIf", Some(body)) if chunks.orientation.is_none() => chunks.orientation = exif::orientation(body),
                _ => {}
            }
            let checksum = reader.u32_be();
            if &kind == b"IEND" {
                chunks.is_complete = checksum.is_some();
                break;
            }
            if body.is_none() || checksum.is_none() {
                break;
            }
        }
        Ok(chunks)
    }
}
