//! WebP: the first chunk has the size; in the extended form the rest are walked for frames and EXIF.

use crate::reader::Reader;
use crate::{ColorModel, Format, Orientation, Probe, ProbeError, area, corrupt, exif};

const ALPHA_FLAG: u8 = 0x10;

pub(crate) fn read(bytes: &[u8]) -> Result<Probe, ProbeError> {
    let mut reader = Reader::new(bytes);
    reader.take(4).ok_or(ProbeError::Truncated)?;
    let riff_size = reader.u32_le().ok_or(ProbeError::Truncated)?;
    reader.take(4).ok_or(ProbeError::Truncated)?;
    let is_complete = u64::from(riff_size) + 8 <= bytes.len() as u64;

    let first = Chunk::next(&mut reader).ok_or(ProbeError::Truncated)?;
    let mut found = match &first.kind {
        b"VP8X" => extended(&first, &mut reader)?,
        b"VP8 " | b"VP8L" => {
            let still = still(&first)?.ok_or(ProbeError::Truncated)?;
            Found { is_opaque_lossy: &first.kind == b"VP8 ", ..Found::from(still) }
        }
        _ => return Err(corrupt("a WebP that begins with an unknown chunk")),
    };
    if found.still.width == 0 || found.still.height == 0 {
        return Err(corrupt("a side of no pixels"));
    }
    found.frames = found.frames.max(1);
    let Still { width, height, has_alpha } = found.still;
    Ok(Probe {
        format: Format::WebP,
        width,
        height,
        orientation: found.orientation.unwrap_or(Orientation::UPRIGHT),
        has_alpha,
        frames: found.frames,
        bits: 8,
        is_progressive: false,
        is_arithmetic: false,
        color: ColorModel::Rgb,
        pixels: area(width, height),
        // Of a lossy picture without opacity planes, and three channels. Of others planes, four channels, and opacity that
        // was compressed as four channels of its own.
        decoding_bytes: area(width, height) * if found.is_opaque_lossy { 6 } else { 11 },
        is_complete,
    })
}

/// A chunk, whose body may be cut off.
struct Chunk<'a> {
    kind: [u8; 4],
    body: &'a [u8],
    is_whole: bool,
}

impl<'a> Chunk<'a> {
    fn next(reader: &mut Reader<'a>) -> Option<Self> {
        let kind = reader.array::<4>()?;
        let length = usize::try_from(reader.u32_le()?).ok()?;
        match reader.take(length) {
            Some(body) => {
                // Odd bodies are padded; the last one of a file is often not.
                if length % 2 == 1 {
                    reader.take(1);
                }
                Some(Self { kind, body, is_whole: true })
            }
            None => {
                let rest = reader.rest();
                reader.take(rest.len());
                Some(Self { kind, body: rest, is_whole: false })
            }
        }
    }
}

/// An image without its wrapping.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Still {
    width: u32,
    height: u32,
    has_alpha: bool,
}

struct Found {
    still: Still,
    /// As far as was read, one lossy picture without opacity.
    is_opaque_lossy: bool,
    orientation: Option<Orientation>,
    frames: u32,
}

impl From<Still> for Found {
    fn from(still: Still) -> Self {
        Self { still, is_opaque_lossy: true, orientation: None, frames: 0 }
    }
}

/// The size in a bitstream chunk; `None` where it is cut off before that.
fn still(chunk: &Chunk<'_>) -> Result<Option<Still>, ProbeError> {
    let mut reader = Reader::new(chunk.body);
    let found = if &chunk.kind == b"VP8L" { lossless(&mut reader) } else { lossy(&mut reader) }?;
    if found.is_none() && chunk.is_whole {
        return Err(corrupt("a WebP image shorter than its header"));
    }
    Ok(found)
}

fn lossy(reader: &mut Reader<'_>) -> Result<Option<Still>, ProbeError> {
    let Some([tag, _, _, a, b, c]) = reader.array() else {
        return Ok(None);
    };
    if tag & 1 != 0 || [a, b, c] != [0x9D, 0x01, 0x2A] {
        return Err(corrupt("a WebP without a key frame"));
    }
    let (Some(width), Some(height)) = (reader.u16_le(), reader.u16_le()) else {
        return Ok(None);
    };
    // The upper two bits ask for an enlargement at display, which nobody does.
    Ok(Some(Still { width: u32::from(width & 0x3FFF), height: u32::from(height & 0x3FFF), has_alpha: false }))
}

fn lossless(reader: &mut Reader<'_>) -> Result<Option<Still>, ProbeError> {
    let Some(signature) = reader.u8() else {
        return Ok(None);
    };
    if signature != 0x2F {
        return Err(corrupt("a WebP without the lossless signature"));
    }
    let Some(bits) = reader.u32_le() else {
        return Ok(None);
    };
    let width = (bits & 0x3FFF) + 1;
    let height = ((bits >> 14) & 0x3FFF) + 1;
    Ok(Some(Still { width, height, has_alpha: (bits >> 28) & 1 == 1 }))
}

fn extended(first: &Chunk<'_>, reader: &mut Reader<'_>) -> Result<Found, ProbeError> {
    let mut header = Reader::new(first.body);
    let missing = if first.is_whole { corrupt("a WebP canvas shorter than its header") } else { ProbeError::Truncated };
    let [flags, _, _, _] = header.array().ok_or(missing)?;
    let width = header.u24_le().ok_or(missing)? + 1;
    let height = header.u24_le().ok_or(missing)? + 1;
    let mut found = Found::from(Still { width, height, has_alpha: flags & ALPHA_FLAG != 0 });

    while let Some(chunk) = Chunk::next(reader) {
        found.is_opaque_lossy &= !matches!(&chunk.kind, b"ANIM" | b"ANMF" | b"ALPH" | b"VP8L");
        match &chunk.kind {
            b"ANMF" => {
                check_frame(&chunk, width, height)?;
                found.frames = found.frames.saturating_add(1);
            }
            b"EXIF" if found.orientation.is_none() => found.orientation = exif::orientation(chunk.body),
            b"VP8 " | b"VP8L" => {
                let image = still(&chunk)?;
                if image.is_some_and(|image| (image.width, image.height) != (width, height)) {
                    return Err(corrupt("a WebP canvas unlike its image"));
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// A frame must lie on its canvas, or the canvas would not bound what a decoder allocates.
fn check_frame(chunk: &Chunk<'_>, width: u32, height: u32) -> Result<(), ProbeError> {
    // Its parts are padded, so that its length is even. Of an odd one decoders do not agree where the next frame begins.
    if chunk.is_whole && chunk.body.len() % 2 == 1 {
        return Err(corrupt("a WebP frame of an odd length"));
    }
    let mut reader = Reader::new(chunk.body);
    let mut next = || reader.u24_le();
    let (Some(x), Some(y), Some(frame_width), Some(frame_height)) = (next(), next(), next(), next()) else {
        return if chunk.is_whole { Err(corrupt("a WebP frame shorter than its header")) } else { Ok(()) };
    };
    if x * 2 + frame_width + 1 > width || y * 2 + frame_height + 1 > height {
        return Err(corrupt("a WebP frame beyond its canvas"));
    }
    reader.take(4);
    // The image comes first, or right after its opacity: decoders take what is there for the image without a look at its
    // name.
    let mut part = Chunk::next(&mut reader);
    let has_opacity = part.as_ref().is_some_and(|part| &part.kind == b"ALPH");
    if has_opacity {
        part = Chunk::next(&mut reader);
    }
    let Some(part) = part else {
        return if chunk.is_whole { Err(corrupt("a WebP frame without an image")) } else { Ok(()) };
    };
    if &part.kind != b"VP8 " && (has_opacity || &part.kind != b"VP8L") {
        return Err(corrupt("a WebP frame without an image"));
    }
    // In a whole frame, a part that claims more than there is will never be whole.
    let part = Chunk { is_whole: part.is_whole || chunk.is_whole, ..part };
    if still(&part)?.is_some_and(|image| (image.width, image.height) != (frame_width + 1, frame_height + 1)) {
        return Err(corrupt("a WebP frame unlike its image"));
    }
    Ok(())
}
