//! ICO: the directory, and the header of its largest picture, which is a PNG or a bitmap.

use crate::reader::Reader;
use crate::sniff::PNG_SIGNATURE;
use crate::{ColorModel, Format, Orientation, Probe, ProbeError, area, bmp, corrupt};

/// The most pictures that an icon is taken with. Real ones have fewer than twenty.
const MAX_ENTRIES: u16 = 256;

pub(crate) fn read(bytes: &[u8]) -> Result<Probe, ProbeError> {
    let mut reader = Reader::new(bytes);
    reader.take(4).ok_or(ProbeError::Truncated)?;
    let n_entries = reader.u16_le().ok_or(ProbeError::Truncated)?;
    if n_entries == 0 || n_entries > MAX_ENTRIES {
        return Err(corrupt("an icon of no picture or of more than 256"));
    }
    let mut largest: Option<Entry> = None;
    let mut end = 0;
    for _ in 0..n_entries {
        let entry = Entry::read(&mut reader).ok_or(ProbeError::Truncated)?;
        end = end.max(u64::from(entry.offset) + u64::from(entry.length));
        if largest.as_ref().is_none_or(|largest| entry.rank > largest.rank) {
            largest = Some(entry);
        }
    }
    let largest = largest.ok_or(corrupt("an icon of no picture"))?;
    let picture = usize::try_from(largest.offset).ok().and_then(|offset| bytes.get(offset..));
    let (width, height) = size(picture.ok_or(ProbeError::Truncated)?)?;
    Ok(Probe {
        format: Format::Ico,
        width,
        height,
        orientation: Orientation::UPRIGHT,
        has_alpha: true,
        frames: 1,
        bits: 8,
        is_progressive: false,
        is_arithmetic: false,
        color: ColorModel::Rgb,
        pixels: area(width, height),
        // As of a BMP, or of a PNG, which takes as much at the most.
        decoding_bytes: area(width, height).saturating_mul(12),
        is_complete: bytes.len() as u64 >= end,
    })
}

struct Entry {
    /// Area, then depth: the largest picture is the one that is shown.
    rank: (u32, u16),
    length: u32,
    offset: u32,
}

impl Entry {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let [width, height, _colors, _reserved] = reader.array()?;
        let _planes = reader.u16_le()?;
        let depth = reader.u16_le()?;
        let length = reader.u32_le()?;
        let offset = reader.u32_le()?;
        // A side of 0 means 256 or more.
        let side = |side: u8| if side == 0 { 256 } else { u32::from(side) };
        Some(Self { rank: (side(width) * side(height), depth), length, offset })
    }
}

/// The size of one picture, which the directory can't say if it is large.
fn size(picture: &[u8]) -> Result<(u32, u32), ProbeError> {
    let mut reader = Reader::new(picture);
    if picture.len() < PNG_SIGNATURE.len() && PNG_SIGNATURE.starts_with(picture) {
        return Err(ProbeError::Truncated);
    }
    if !picture.starts_with(PNG_SIGNATURE) {
        let header = bmp::Header::read(&mut reader)?;
        // Below the picture is its mask, which counts.
        return if header.height >= 2 {
            Ok((header.width, header.height / 2))
        } else {
            Err(corrupt("an icon of no rows"))
        };
    }
    reader.take(16).ok_or(ProbeError::Truncated)?;
    let width = reader.u32_be().ok_or(ProbeError::Truncated)?;
    let height = reader.u32_be().ok_or(ProbeError::Truncated)?;
    if width == 0 || height == 0 { Err(corrupt("a side of no pixels")) } else { Ok((width, height)) }
}
