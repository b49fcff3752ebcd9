//! JPEG XL: size, metadata and the beginning of the colour encoding (ISO 18181-1), bare or in boxes (ISO 18181-2).

use crate::boxes::Part;
use crate::reader::Reader;
use crate::{ColorModel, Format, Orientation, Probe, ProbeError, area, corrupt};

pub(crate) const CODESTREAM: &[u8] = b"\xFF\x0A";
pub(crate) const CONTAINER: &[u8] = b"\0\0\0\x0CJXL \r\n\x87\n";

/// Memory for each pixel, in bytes, besides what extra channels take: samples of four bytes in three planes, as much
/// again for what frames refer to, coefficients, and the result.
const BYTES_PER_PIXEL: u64 = 40;

/// The same for each extra channel.
const BYTES_PER_EXTRA: u64 = 12;

/// The longest header that is read, in bytes. Real ones have fewer than a hundred.
const MAX_HEADER: usize = 4096;

const ALPHA: u32 = 0;
const SPOT_COLOR: u32 = 2;
const FILTER_ARRAY: u32 = 5;
const GRAY: u32 = 1;

pub(crate) fn read(bytes: &[u8]) -> Result<Probe, ProbeError> {
    let mut start = Start { bytes: [0; MAX_HEADER], length: 0 };
    // Nothing but decoding finds the end of a bare codestream.
    let is_complete = if bytes.starts_with(CONTAINER) { unwrap(bytes, &mut start)? } else { start.add(bytes) };
    let Some(header) = start.bytes[..start.length].strip_prefix(CODESTREAM) else {
        let is_cut = CODESTREAM.starts_with(&start.bytes[..start.length]);
        return Err(if is_cut { ProbeError::Truncated } else { corrupt("a JPEG XL without its codestream") });
    };
    let header = match Header::read(&mut Bits { bytes: header, at: 0 }) {
        Some(header) => header,
        None if start.is_full() => return Err(corrupt("a JPEG XL header of more than 4096 bytes")),
        None => return Err(ProbeError::Truncated),
    };
    if header.width == 0 || header.height == 0 {
        return Err(corrupt("a side of no pixels"));
    }
    Ok(Probe {
        format: Format::JpegXl,
        width: header.width,
        height: header.height,
        orientation: header.orientation,
        has_alpha: header.has_alpha,
        // How many it are, only walking through the coded frames would tell.
        frames: if header.is_animated { 2 } else { 1 },
        bits: header.bits,
        is_progressive: false,
        is_arithmetic: false,
        color: header.color,
        pixels: area(header.width, header.height),
        decoding_bytes: area(header.width, header.height)
            .saturating_mul(BYTES_PER_PIXEL + BYTES_PER_EXTRA * u64::from(header.n_extra)),
        is_complete,
    })
}

/// The first bytes of the codestream, which a container may hold in pieces.
struct Start {
    bytes: [u8; MAX_HEADER],
    length: usize,
}

impl Start {
    fn add(&mut self, bytes: &[u8]) -> bool {
        let room = &mut self.bytes[self.length..];
        let n_bytes = room.len().min(bytes.len());
        room[..n_bytes].copy_from_slice(&bytes[..n_bytes]);
        self.length += n_bytes;
        true
    }

    fn is_full(&self) -> bool {
        self.length == MAX_HEADER
    }
}

/// Collects the codestream in a container, and says whether its boxes are all there.
fn unwrap(bytes: &[u8], start: &mut Start) -> Result<bool, ProbeError> {
    let mut reader = Reader::new(bytes);
    let mut is_complete = false;
    while let Some(part) = Part::next(&mut reader)? {
        is_complete = part.is_whole;
        match &part.kind {
            b"jxlc" => _ = start.add(part.body),
            // Pieces are numbered, and in order.
            b"jxlp" => _ = start.add(part.body.get(4..).unwrap_or_default()),
            _ => {}
        }
    }
    Ok(is_complete && reader.rest().is_empty() && start.length > 0)
}

/// Bits from the lowest of the first byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn read(&mut self, n_bits: u32) -> Option<u32> {
        let mut value = 0;
        for bit in 0..n_bits {
            let byte = self.bytes.get(self.at / 8)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        self.read(1).map(|bit| bit == 1)
    }

    /// One of four ways to say a number, each as bits to read and what to add to them.
    fn number(&mut self, ways: [(u32, u32); 4]) -> Option<u32> {
        let way = self.read(2)?;
        let (n_bits, least) = ways[way as usize & 3];
        self.read(n_bits)?.checked_add(least)
    }

    fn name(&mut self) -> Option<u32> {
        self.number([(0, 0), (0, 1), (4, 2), (6, 18)])
    }
}

struct Header {
    width: u32,
    height: u32,
    orientation: Orientation,
    is_animated: bool,
    bits: u8,
    has_alpha: bool,
    /// Channels beside colours, opacity included.
    n_extra: u32,
    color: ColorModel,
}

impl Header {
    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let (width, height) = size(bits)?;
        let mut header = Self {
            width,
            height,
            orientation: Orientation::UPRIGHT,
            is_animated: false,
            bits: 8,
            has_alpha: false,
            n_extra: 0,
            color: ColorModel::Rgb,
        };
        let is_all_default = bits.flag()?;
        if is_all_default {
            return Some(header);
        }
        let has_extra_fields = bits.flag()?;
        if has_extra_fields {
            header.extra_fields(bits)?;
        }
        header.bits = depth(bits)?;
        let _is_16_bits_enough = bits.flag()?;
        header.n_extra = bits.number([(0, 0), (0, 1), (4, 2), (12, 1)])?;
        for _ in 0..header.n_extra {
            header.has_alpha |= extra_channel(bits)? == ALPHA;
        }
        let _is_xyb = bits.flag()?;
        let is_srgb = bits.flag()?;
        if !is_srgb {
            let _has_profile = bits.flag()?;
            if bits.name()? == GRAY {
                header.color = ColorModel::Gray;
            }
        }
        Some(header)
    }

    fn extra_fields(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let orientation = bits.read(3)? + 1;
        self.orientation = u8::try_from(orientation).ok().and_then(Orientation::new)?;
        let has_intrinsic_size = bits.flag()?;
        if has_intrinsic_size {
            size(bits)?;
        }
        let has_preview = bits.flag()?;
        if has_preview {
            preview_size(bits)?;
        }
        self.is_animated = bits.flag()?;
        if self.is_animated {
            let _ticks = bits.number([(0, 100), (0, 1000), (10, 1), (30, 1)])?;
            let _per = bits.number([(0, 1), (0, 1001), (8, 1), (10, 1)])?;
            let _loops = bits.number([(0, 0), (3, 0), (16, 0), (32, 0)])?;
            let _has_timecodes = bits.flag()?;
        }
        Some(())
    }
}

/// Width and height, of which the width may be said by a ratio.
fn size(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    let is_in_eights = bits.flag()?;
    let side = |bits: &mut Bits<'_>| {
        if is_in_eights { Some((bits.read(5)? + 1) * 8) } else { bits.number([(9, 1), (13, 1), (18, 1), (30, 1)]) }
    };
    let height = side(bits)?;
    let width = match ratio(bits.read(3)?) {
        Some((across, down)) => u32::try_from(u64::from(height) * across / down).ok()?,
        None => side(bits)?,
    };
    Some((width, height))
}

fn preview_size(bits: &mut Bits<'_>) -> Option<()> {
    let is_in_eights = bits.flag()?;
    let ways =
        if is_in_eights { [(0, 16), (0, 32), (5, 1), (9, 33)] } else { [(6, 1), (8, 65), (10, 321), (12, 1345)] };
    bits.number(ways)?;
    if ratio(bits.read(3)?).is_none() {
        bits.number(ways)?;
    }
    Some(())
}

fn ratio(code: u32) -> Option<(u64, u64)> {
    let ratios = [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)];
    ratios.get(usize::try_from(code).ok()?.checked_sub(1)?).copied()
}

/// Bits of a sample.
fn depth(bits: &mut Bits<'_>) -> Option<u8> {
    let is_float = bits.flag()?;
    let depth = if is_float {
        let depth = bits.number([(0, 32), (0, 16), (0, 24), (6, 1)])?;
        let _exponent = bits.read(4)?;
        depth
    } else {
        bits.number([(0, 8), (0, 10), (0, 12), (6, 1)])?
    };
    u8::try_from(depth).ok()
}

/// What a channel besides the colours is for.
fn extra_channel(bits: &mut Bits<'_>) -> Option<u32> {
    let is_plain_alpha = bits.flag()?;
    if is_plain_alpha {
        return Some(ALPHA);
    }
    let kind = bits.name()?;
    depth(bits)?;
    let _shift = bits.number([(0, 0), (0, 3), (0, 4), (3, 1)])?;
    let name_length = bits.number([(0, 0), (4, 0), (5, 16), (10, 48)])?;
    for _ in 0..name_length {
        bits.read(8)?;
    }
    match kind {
        ALPHA => _ = bits.read(1)?,
        SPOT_COLOR => {
            for _ in 0..4 {
                bits.read(16)?;
            }
        }
        FILTER_ARRAY => _ = bits.number([(0, 1), (2, 0), (4, 3), (8, 19)])?,
        _ => {}
    }
    Some(kind)
}
