//! A look at AV1 data (AV1 bitstream specification, section 5) before a decoder gets it.
//!
//! The container describes the samples too, but nothing holds it to the truth, and files with a profile often leave the
//! colours to the sequence header.

use crate::error::AvifError;

/// Frames that one picture may be coded in: one for each layer of a progressive picture, with their headers apart.
pub(crate) const MAX_FRAMES: u32 = 8;

const SEQUENCE_HEADER: u8 = 1;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;

/// What the sequence header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// The largest width of a frame in pixels.
    pub(crate) max_width: u32,
    /// The largest height of a frame in pixels.
    pub(crate) max_height: u32,
    /// Bits per sample: 8, 10 or 12.
    pub(crate) bits: u8,
    pub(crate) is_gray: bool,
    pub(crate) is_full_range: bool,
    pub(crate) primaries: u8,
    pub(crate) transfer: u8,
    pub(crate) matrix: u8,
}

/// Reads the sequence header in `data`, which is one picture.
pub(crate) fn inspect(data: &[u8]) -> Result<Sequence, AvifError> {
    let mut sequence = None;
    let mut n_frames = 0;
    let mut rest = data;
    while !rest.is_empty() {
        let obu = next(&mut rest).ok_or_else(|| AvifError::corrupt("AV1 data that ends too early"))?;
        match obu.kind {
            SEQUENCE_HEADER => {
                let found = sequence_header(obu.content).ok_or_else(|| AvifError::corrupt("a bad AV1 header"))?;
                if sequence.is_some_and(|sequence| sequence != found) {
                    return Err(AvifError::corrupt("AV1 headers that contradict each other"));
                }
                sequence = Some(found);
            }
            FRAME_HEADER | FRAME => n_frames += 1,
            _ => {}
        }
    }
    match (sequence, n_frames) {
        (None, _) => Err(AvifError::corrupt("AV1 data without a header")),
        (_, 0) => Err(AvifError::corrupt("AV1 data without a frame")),
        (_, n) if n > MAX_FRAMES => Err(AvifError::unsupported("a picture in very many frames")),
        (Some(sequence), _) => Ok(sequence),
    }
}

struct Obu<'a> {
    kind: u8,
    content: &'a [u8],
}

fn next<'a>(rest: &mut &'a [u8]) -> Option<Obu<'a>> {
    let (&header, mut after) = rest.split_first()?;
    let (has_extension, has_size) = (header & 4 != 0, header & 2 != 0);
    if has_extension {
        after = after.get(1..)?;
    }
    let length = if has_size { usize::try_from(leb128(&mut after)?).ok()? } else { after.len() };
    let (content, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(Obu { kind: header >> 3 & 15, content })
}

fn leb128(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for at in 0..8 {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// A number of at most 32 bits.
    fn number(&mut self, n_bits: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..n_bits {
            value = value << 1 | u32::from(self.flag()?);
        }
        Some(value)
    }

    fn byte(&mut self) -> Option<u8> {
        u8::try_from(self.number(8)?).ok()
    }

    fn skip(&mut self, n_bits: u32) -> Option<()> {
        self.number(n_bits).map(|_| ())
    }

    /// Skips a number whose length is written in zeros before it.
    fn skip_uvlc(&mut self) -> Option<()> {
        let mut n_zeros = 0;
        while !self.flag()? {
            n_zeros += 1;
            if n_zeros > 32 {
                return None;
            }
        }
        if n_zeros < 32 { self.skip(n_zeros) } else { Some(()) }
    }
}

fn sequence_header(content: &[u8]) -> Option<Sequence> {
    let bits = &mut Bits { bytes: content, at: 0 };
    let profile = bits.number(3)?;
    let _still_picture = bits.flag()?;
    let is_reduced = bits.flag()?;
    if is_reduced {
        bits.skip(5)?;
    } else {
        skip_operating_points(bits)?;
    }
    let (width_bits, height_bits) = (bits.number(4)? + 1, bits.number(4)? + 1);
    let (max_width, max_height) = (bits.number(width_bits)? + 1, bits.number(height_bits)? + 1);
    if !is_reduced && bits.flag()? {
        bits.skip(7)?;
    }
    bits.skip(3)?;
    if !is_reduced {
        skip_tools(bits)?;
    }
    bits.skip(3)?;
    let colors = color_config(bits, profile)?;
    Some(Sequence { max_width, max_height, ..colors })
}

fn skip_operating_points(bits: &mut Bits<'_>) -> Option<()> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.skip(32)?;
        bits.skip(32)?;
        if bits.flag()? {
            bits.skip_uvlc()?;
        }
        if bits.flag()? {
            delay_bits = Some(bits.number(5)? + 1);
            bits.skip(32)?;
            bits.skip(10)?;
        }
    }
    let has_display_delay = bits.flag()?;
    let n_points = bits.number(5)? + 1;
    for _ in 0..n_points {
        bits.skip(12)?;
        if bits.number(5)? > 7 {
            bits.skip(1)?;
        }
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.skip(delay_bits)?;
            bits.skip(delay_bits)?;
            bits.skip(1)?;
        }
        if has_display_delay && bits.flag()? {
            bits.skip(4)?;
        }
    }
    Some(())
}

/// The tools for more than one frame.
fn skip_tools(bits: &mut Bits<'_>) -> Option<()> {
    bits.skip(4)?;
    let has_order = bits.flag()?;
    if has_order {
        bits.skip(2)?;
    }
    let may_have_screen_content = bits.flag()? || bits.flag()?;
    if may_have_screen_content && !bits.flag()? {
        bits.skip(1)?;
    }
    if has_order {
        bits.skip(3)?;
    }
    Some(())
}

fn color_config(bits: &mut Bits<'_>, profile: u32) -> Option<Sequence> {
    let is_deep = bits.flag()?;
    let depth = match (is_deep, is_deep && profile == 2 && bits.flag()?) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    let is_gray = profile != 1 && bits.flag()?;
    let (primaries, transfer, matrix) =
        if bits.flag()? { (bits.byte()?, bits.byte()?, bits.byte()?) } else { (2, 2, 2) };
    let is_srgb = !is_gray && (primaries, transfer, matrix) == (1, 13, 0);
    let is_full_range = is_srgb || bits.flag()?;
    Some(Sequence { max_width: 0, max_height: 0, bits: depth, is_gray, is_full_range, primaries, transfer, matrix })
}
