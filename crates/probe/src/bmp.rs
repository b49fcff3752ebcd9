//! BMP: the file header and the bitmap header behind it, in any of its versions.

use crate::reader::Reader;
use crate::{ColorModel, Format, Orientation, Probe, ProbeError, area, corrupt};

/// The largest side that is believed.
const MAX: u32 = 0x7FFF_FFFF;

const BIT_FIELDS: u32 = 3;
const ALPHA_BIT_FIELDS: u32 = 6;

/// Whether the bytes may be a BMP: two letters alone begin many a text. `None` where more bytes must tell.
pub(crate) fn is_bmp(bytes: &[u8]) -> Option<bool> {
    if !b"BM".starts_with(&bytes[..bytes.len().min(2)]) {
        return Some(false);
    }
    let size = bytes.get(14..18)?.first_chunk().map(|size| u32::from_le_bytes(*size))?;
    Some(matches!(size, 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

pub(crate) fn read(bytes: &[u8]) -> Result<Probe, ProbeError> {
    let mut reader = Reader::new(bytes);
    reader.take(2).ok_or(ProbeError::Truncated)?;
    let n_bytes = reader.u32_le().ok_or(ProbeError::Truncated)?;
    reader.take(8).ok_or(ProbeError::Truncated)?;
    let header = Header::read(&mut reader)?;
    Ok(Probe {
        format: Format::Bmp,
        width: header.width,
        height: header.height,
        orientation: Orientation::UPRIGHT,
        has_alpha: header.has_alpha,
        frames: 1,
        bits: header.bits,
        is_progressive: false,
        is_arithmetic: false,
        color: header.color,
        pixels: area(header.width, header.height),
        // The colours as stored, and as wanted.
        decoding_bytes: area(header.width, header.height).saturating_mul(12),
        // Some writers leave the length out.
        is_complete: bytes.len() as u64 >= u64::from(n_bytes),
    })
}

/// What a bitmap header says, in a file of its own or in an icon.
pub(crate) struct Header {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) bits: u8,
    pub(crate) color: ColorModel,
    pub(crate) has_alpha: bool,
}

impl Header {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ProbeError> {
        let start = *reader;
        let size = reader.u32_le().ok_or(ProbeError::Truncated)?;
        let (width, height) = if size == 12 {
            let width = reader.u16_le().ok_or(ProbeError::Truncated)?;
            (u32::from(width), u32::from(reader.u16_le().ok_or(ProbeError::Truncated)?))
        } else {
            let width = reader.u32_le().ok_or(ProbeError::Truncated)?;
            let height = reader.u32_le().ok_or(ProbeError::Truncated)?;
            // A negative height says that the rows come from the top.
            (width, height.cast_signed().unsigned_abs())
        };
        let _planes = reader.u16_le().ok_or(ProbeError::Truncated)?;
        let depth = reader.u16_le().ok_or(ProbeError::Truncated)?;
        if width == 0 || height == 0 {
            return Err(corrupt("a side of no pixels"));
        }
        if width > MAX || height > MAX {
            return Err(corrupt("a BMP side beyond 2^31"));
        }
        let (bits, color) = match depth {
            1 | 2 | 4 | 8 => (depth as u8, ColorModel::Palette),
            16 => (5, ColorModel::Rgb),
            24 | 32 => (8, ColorModel::Rgb),
            _ => return Err(corrupt("a BMP of unknown depth")),
        };
        Ok(Self { width, height, bits, color, has_alpha: has_alpha(start, size)? })
    }
}

/// Whether there is a mask for opacity, which headers have from their third version on.
fn has_alpha(start: Reader<'_>, size: u32) -> Result<bool, ProbeError> {
    if size < 40 || size == 64 {
        return Ok(false);
    }
    let method = start.after(16).and_then(|mut at| at.u32_le()).ok_or(ProbeError::Truncated)?;
    let has_mask = match method {
        ALPHA_BIT_FIELDS => true,
        BIT_FIELDS => size >= 56,
        _ => false,
    };
    if !has_mask {
        return Ok(false);
    }
    let mask = start.after(52).and_then(|mut at| at.u32_le()).ok_or(ProbeError::Truncated)?;
    Ok(mask != 0)
}
