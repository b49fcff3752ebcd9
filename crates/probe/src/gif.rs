//! GIF: the screen, then every block, because only walking them counts the frames.

use crate::reader::Reader;
use crate::{ColorModel, Format, Orientation, Probe, ProbeError, area, corrupt};

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2C;
const TRAILER: u8 = 0x3B;
const GRAPHIC_CONTROL: u8 = 0xF9;

pub(crate) fn read(bytes: &[u8]) -> Result<Probe, ProbeError> {
    let mut reader = Reader::new(bytes);
    let (width, height) = screen(&mut reader).ok_or(ProbeError::Truncated)?;
    if width == 0 || height == 0 {
        return Err(corrupt("a side of no pixels"));
    }
    let blocks = Blocks::walk(&mut reader, (width, height))?;
    let pixels = area(width, height).max(blocks.largest_frame);
    Ok(Probe {
        format: Format::Gif,
        width,
        height,
        orientation: Orientation::UPRIGHT,
        has_alpha: blocks.has_alpha,
        frames: blocks.frames,
        bits: 8,
        is_progressive: blocks.is_interlaced,
        is_arithmetic: false,
        color: ColorModel::Palette,
        pixels,
        // Places in the palette, the frame in four channels, and the canvas in four.
        decoding_bytes: pixels * 9,
        is_complete: blocks.is_complete,
    })
}

/// Reads up to the first block and returns the size of the screen.
fn screen(reader: &mut Reader<'_>) -> Option<(u32, u32)> {
    reader.take(6)?;
    let width = u32::from(reader.u16_le()?);
    let height = u32::from(reader.u16_le()?);
    let [flags, _background, _aspect] = reader.array()?;
    skip_color_table(reader, flags)?;
    Some((width, height))
}

#[derive(Default)]
struct Blocks {
    frames: u32,
    has_alpha: bool,
    is_interlaced: bool,
    largest_frame: u64,
    is_complete: bool,
}

impl Blocks {
    fn walk(reader: &mut Reader<'_>, screen: (u32, u32)) -> Result<Self, ProbeError> {
        let mut blocks = Self::default();
        while let Some(kind) = reader.u8() {
            let block = match kind {
                EXTENSION => blocks.extension(reader),
                IMAGE => blocks.image(reader, screen),
                TRAILER if blocks.frames == 0 => return Err(corrupt("a GIF without an image")),
                TRAILER => {
                    blocks.is_complete = true;
                    break;
                }
                _ if blocks.frames == 0 => return Err(corrupt("a GIF block of unknown kind")),
                // What decoders show of a damaged file are the frames before the damage.
                _ => break,
            };
            if block.is_none() {
                break;
            }
        }
        if blocks.frames == 0 {
            return Err(ProbeError::Truncated);
        }
        Ok(blocks)
    }

    fn extension(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let label = reader.u8()?;
        if label == GRAPHIC_CONTROL {
            let [_size, flags] = reader.rest().first_chunk()?;
            self.has_alpha |= flags & 1 == 1;
        }
        skip_sub_blocks(reader)
    }

    fn image(&mut self, reader: &mut Reader<'_>, screen: (u32, u32)) -> Option<()> {
        let left = u32::from(reader.u16_le()?);
        let top = u32::from(reader.u16_le()?);
        let width = u32::from(reader.u16_le()?);
        let height = u32::from(reader.u16_le()?);
        let flags = reader.u8()?;

        if self.frames == 0 {
            self.is_interlaced = flags & 0x40 != 0;
            // What the first frame leaves open shows through.
            let is_covering = left == 0 && top == 0 && width >= screen.0 && height >= screen.1;
            self.has_alpha |= !is_covering;
        }
        self.frames = self.frames.saturating_add(1);
        self.largest_frame = self.largest_frame.max(area(width, height));

        skip_color_table(reader, flags)?;
        let _code_size = reader.u8()?;
        skip_sub_blocks(reader)
    }
}

fn skip_color_table(reader: &mut Reader<'_>, flags: u8) -> Option<()> {
    if flags & 0x80 != 0 {
        reader.take(3 << ((flags & 7) + 1))?;
    }
    Some(())
}

fn skip_sub_blocks(reader: &mut Reader<'_>) -> Option<()> {
    loop {
        let length = reader.u8()?;
        if length == 0 {
            return Some(());
        }
        reader.take(usize::from(length))?;
    }
}
