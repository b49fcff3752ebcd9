//! The properties of one item: size, depth, colours, turns, the decoder's settings.

use crate::boxes::Box;
use crate::meta::Meta;
use crate::reader::Reader;
use crate::turn::Turn;
use crate::{HeifError, corrupt, unsupported};

/// Colours as code points of ISO/IEC 23091-2 (`nclx`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nclx {
    /// Colour primaries.
    pub primaries: u16,
    /// Transfer characteristics.
    pub transfer: u16,
    /// Matrix coefficients.
    pub matrix: u16,
    /// Whether samples use every value, and not the range of television.
    pub is_full_range: bool,
}

/// The part of the coded picture that is the picture (`clap`), in whole pixels and inside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    /// Pixels left of it.
    pub x: u32,
    /// Pixels above it.
    pub y: u32,
    /// Its width in pixels. Never 0.
    pub width: u32,
    /// Its height in pixels. Never 0.
    pub height: u32,
}

/// What the decoder's configuration says of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodecConfig {
    /// Bits per sample: 8, 10 or 12 for AV1, 8 to 15 for HEVC.
    pub bits: u8,
    /// Whether there is no colour.
    pub is_gray: bool,
}

/// What describes an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Properties<'a> {
    /// Width and height in pixels (`ispe`). Neither is 0.
    pub size: Option<(u32, u32)>,
    /// Bits of the channel that has most, and the number of channels (`pixi`).
    pub channels: Option<(u8, u8)>,
    /// Colours by code points.
    pub nclx: Option<Nclx>,
    /// The ICC profile.
    pub icc: Option<&'a [u8]>,
    /// Rotations and mirrors, as an EXIF orientation, 1 to 8; 0 where nothing was read.
    pub orientation: u8,
    /// The crop, before any turn.
    pub crop: Option<Crop>,
    /// From `av1C`.
    pub av1: Option<CodecConfig>,
    /// From `hvcC`.
    pub hevc: Option<CodecConfig>,
    /// The operating point of an AV1 item to decode (`a1op`).
    pub operating_point: u8,
    /// Whether it is an alpha picture for another item (`auxC`).
    pub is_alpha: bool,
}

/// What names an alpha picture: MPEG-B's, and that of HEVC in HEIF's first edition.
const ALPHA_TYPES: [&[u8]; 2] = [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1"];

impl<'a> Properties<'a> {
    /// The properties of `item`.
    pub(crate) fn read(meta: &Meta<'a>, item: u32) -> Result<Self, HeifError> {
        let mut properties = Self::default();
        let mut turn = Turn::default();
        let mut clean_aperture = None;
        meta.each_property(item, |property, is_essential| {
            let mut reader = Reader::new(property.content);
            match &property.kind {
                b"irot" => turn = turn.then_lefts(reader.u8().ok_or(SHORT)? & 3),
                b"imir" if reader.u8().ok_or(SHORT)? & 1 == 0 => turn = turn.then_upside_down(),
                b"imir" => turn = turn.then_mirrored(),
                b"clap" if turn != Turn::default() => return Err(unsupported("a crop after a turn")),
                b"clap" => clean_aperture = Some(property.content),
                _ => properties.take(&property, is_essential)?,
            }
            Ok(())
        })?;
        properties.orientation = turn.orientation();
        if let (Some(content), Some(size)) = (clean_aperture, properties.size) {
            properties.crop = Some(crop(content, size)?);
        }
        Ok(properties)
    }

    fn take(&mut self, property: &Box<'a>, is_essential: bool) -> Result<(), HeifError> {
        let content = property.content;
        match &property.kind {
            b"ispe" => self.size = Some(size(content)?),
            b"pixi" => self.channels = Some(channels(content)?),
            b"colr" => self.take_colour(content)?,
            b"av1C" => self.av1 = Some(av1(content)?),
            b"hvcC" => self.hevc = Some(hevc(content)?),
            b"a1op" => self.operating_point = *content.first().ok_or(SHORT)?,
            b"auxC" => self.is_alpha = is_alpha(content),
            b"lsel" if content != [0xFF, 0xFF] => return Err(unsupported("a choice of layers")),
            b"lsel" | b"a1lx" | b"pasp" => {}
            _ if is_essential => return Err(unsupported("an unknown property that is essential")),
            _ => {}
        }
        Ok(())
    }

    fn take_colour(&mut self, content: &'a [u8]) -> Result<(), HeifError> {
        let mut reader = Reader::new(content);
        match &reader.array().ok_or(SHORT)? {
            b"nclx" => {
                let mut next = || reader.u16().ok_or(SHORT);
                let (primaries, transfer, matrix) = (next()?, next()?, next()?);
                let is_full_range = reader.u8().ok_or(SHORT)? & 0x80 != 0;
                self.nclx = Some(Nclx { primaries, transfer, matrix, is_full_range });
            }
            b"prof" | b"rICC" => self.icc = Some(reader.rest()),
            _ => {}
        }
        Ok(())
    }
}

const SHORT: HeifError = HeifError::Corrupt { detail: "a property that is too short" };

fn size(content: &[u8]) -> Result<(u32, u32), HeifError> {
    let mut reader = Reader::new(content);
    let _ = reader.version_and_flags().ok_or(SHORT)?;
    match (reader.u32().ok_or(SHORT)?, reader.u32().ok_or(SHORT)?) {
        (0, _) | (_, 0) => Err(corrupt("a side of no pixels")),
        size => Ok(size),
    }
}

fn channels(content: &[u8]) -> Result<(u8, u8), HeifError> {
    let mut reader = Reader::new(content);
    let _ = reader.version_and_flags().ok_or(SHORT)?;
    let n = reader.u8().ok_or(SHORT)?;
    let bits = reader.take(n.into()).ok_or(SHORT)?.iter().max().copied().unwrap_or_default();
    Ok((bits, n))
}

/// `av1C`: profile and level, then depth, monochrome and subsampling in the bits of its third byte.
fn av1(content: &[u8]) -> Result<CodecConfig, HeifError> {
    let &[marker, _, format, _, ..] = content else { return Err(SHORT) };
    if marker != 0x81 {
        return Err(unsupported("an AV1 configuration of another version"));
    }
    let bits = match (format & 0x40 != 0, format & 0x20 != 0) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    Ok(CodecConfig { bits, is_gray: format & 0x10 != 0 })
}

/// `hvcC`: the chroma format and the depth stand in its bytes 16 and 17.
fn hevc(content: &[u8]) -> Result<CodecConfig, HeifError> {
    let (Some(chroma), Some(depth)) = (content.get(16), content.get(17)) else { return Err(SHORT) };
    Ok(CodecConfig { bits: 8 + (depth & 7), is_gray: chroma & 3 == 0 })
}

fn is_alpha(content: &[u8]) -> bool {
    let name = content.get(4..).unwrap_or_default();
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    ALPHA_TYPES.contains(&name)
}

/// `clap`: width, height and the offset of the centre, each a fraction. Only whole pixels are taken, as MIAF asks.
fn crop(content: &[u8], (full_width, full_height): (u32, u32)) -> Result<Crop, HeifError> {
    let mut reader = Reader::new(content);
    let mut next = || reader.u32().ok_or(SHORT);
    let (width, height) = (whole(next()?, next()?)?, whole(next()?, next()?)?);
    let (x, y) = ([next()?, next()?], [next()?, next()?]);
    Ok(Crop {
        x: first_pixel(full_width, width, x).ok_or(OUTSIDE)?,
        y: first_pixel(full_height, height, y).ok_or(OUTSIDE)?,
        width,
        height,
    })
}

const OUTSIDE: HeifError = HeifError::Corrupt { detail: "a crop that is not of whole pixels inside of the picture" };

fn whole(numerator: u32, denominator: u32) -> Result<u32, HeifError> {
    match numerator.checked_rem(denominator) {
        Some(0) if numerator > 0 => Ok(numerator / denominator),
        _ => Err(OUTSIDE),
    }
}

/// Where `part` of `full` pixels begins when its centre is `offset` (a signed fraction) from the centre of the whole.
fn first_pixel(full: u32, part: u32, [numerator, denominator]: [u32; 2]) -> Option<u32> {
    let (numerator, denominator) = (i64::from(numerator.cast_signed()), i64::from(denominator));
    let twice = denominator.checked_mul(i64::from(full) - i64::from(part))?.checked_add(numerator.checked_mul(2)?)?;
    let denominator = denominator.checked_mul(2).filter(|&denominator| denominator > 0)?;
    let first = u32::try_from(twice / denominator).ok().filter(|_| twice % denominator == 0)?;
    first.checked_add(part).filter(|&end| end <= full)?;
    Some(first)
}
