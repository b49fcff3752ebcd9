//! AVIF and HEIC: what the crate of their container reads, in the words of this one.
//!
//! The format is that of the picture inside, whatever the brands say. The stored size is that of the primary item after
//! its crop (`clap`) and before it is turned; what turns it (`irot`, `imir`) becomes an orientation, and EXIF is not
//! asked, as the standard wants it.

use heif::{Family, Header, HeifError};

use crate::{ColorModel, Format, Orientation, Probe, ProbeError, area, corrupt};

pub(crate) fn read(bytes: &[u8]) -> Result<Probe, ProbeError> {
    let header = heif::header(bytes).map_err(error)?;
    Ok(Probe {
        format: format_of(header.family),
        width: header.width,
        height: header.height,
        orientation: Orientation::new(header.orientation).unwrap_or(Orientation::UPRIGHT),
        has_alpha: header.has_alpha,
        frames: header.frames,
        bits: header.bits,
        is_progressive: false,
        is_arithmetic: false,
        color: if header.is_gray { ColorModel::Gray } else { ColorModel::Rgb },
        pixels: area(header.coded_width, header.coded_height),
        decoding_bytes: decoding_bytes(&header),
        is_complete: header.is_complete,
    })
}

/// What AVIF or HEVC takes.
fn decoding_bytes(header: &Header) -> u64 {
    let pixels = area(header.coded_width, header.coded_height);
    match header.family {
        Family::Avif => {
            // Three planes, with as much again for the decoder's tables and for film grain, and the pixels of them.
            let coded = if header.bits > 8 { 15 } else { 9 };
            let is_cropped = (header.coded_width, header.coded_height) != (header.width, header.height);
            let opacity = if header.has_alpha { 5 } else { 0 };
            pixels.saturating_mul((coded + opacity + if is_cropped { 3 } else { 0 }).max(12)).saturating_add(4 << 20)
        }
        // Up to three planes of four bytes, once for the tiles, once for the whole and once for what is turned, and the
        // pixels of them; all of it again for opacity.
        Family::Heic => pixels.saturating_mul(if header.has_alpha { 80 } else { 40 }),
    }
}

pub(crate) fn format_of(family: Family) -> Format {
    match family {
        Family::Avif => Format::Avif,
        Family::Heic => Format::Heic,
    }
}

fn error(error: HeifError) -> ProbeError {
    match error {
        HeifError::NotHeif => corrupt("no list of brands"),
        HeifError::Truncated => ProbeError::Truncated,
        HeifError::Corrupt { detail } => ProbeError::Corrupt { detail },
        HeifError::Unsupported { found } => ProbeError::UnsupportedInside { found },
    }
}
