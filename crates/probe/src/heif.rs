//! AVIF and HEIC: what the properties of the primary item say (ISO 23008-12, AV1 image file format).
//!
//! The stored size is that of the primary item before it is turned; what turns it (`irot`, `imir`) becomes an
//! orientation, and EXIF is not asked, as the standard wants it. A clean aperture (`clap`) is not applied.

use crate::boxes::Part;
use crate::reader::Reader;
use crate::{ColorModel, Format, Orientation, Probe, ProbeError, area, corrupt};

/// The longest list of brands that is read, in bytes. Files have fewer than ten brands.
const MAX_BRANDS: usize = 1024;
/// Properties that are looked at. Files have a dozen.
const MAX_PROPERTIES: usize = 512;
/// Auxiliary pictures of the primary one that are looked at: opacity is the first or the second.
const MAX_AUXILIARIES: usize = 16;

const AVIF: [&[u8]; 2] = [b"avif", b"avis"];
const HEIC: [&[u8]; 8] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"];
/// First brands of files that are sequences of frames.
const SEQUENCES: [&[u8]; 6] = [b"avis", b"msf1", b"hevc", b"hevx", b"hevm", b"hevs"];
/// What an auxiliary picture says of itself when it is opacity.
const ALPHA: [&[u8]; 2] = [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1"];

/// What the first box of an ISO media file says that it is.
pub(crate) enum Brand {
    Taken(Format),
    Foreign(&'static str),
    /// The list of brands is cut off.
    Unknown,
}

/// The brand of a file whose first box is `ftyp`.
pub(crate) fn brand(bytes: &[u8]) -> Brand {
    let (Some(size), Some(first)) = (bytes.first_chunk(), bytes.get(8..12)) else { return Brand::Unknown };
    if let Some(format) = format_of(first) {
        return Brand::Taken(format);
    }
    let end = usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX);
    if !(16..=MAX_BRANDS).contains(&end) {
        return Brand::Foreign("a video or another ISO media file");
    }
    let Some(others) = bytes.get(16..end) else { return Brand::Unknown };
    // AVIF first: a file may be of both families.
    let mut formats = others.chunks_exact(4).filter_map(format_of);
    match formats.clone().find(|format| *format == Format::Avif).or_else(|| formats.next()) {
        Some(format) => Brand::Taken(format),
        None if matches!(first, b"mif1" | b"msf1" | b"miaf") => Brand::Foreign("a HEIF image of another kind"),
        None => Brand::Foreign("a video or another ISO media file"),
    }
}

fn format_of(brand: &[u8]) -> Option<Format> {
    if AVIF.contains(&brand) {
        Some(Format::Avif)
    } else if HEIC.contains(&brand) {
        Some(Format::Heic)
    } else {
        None
    }
}

pub(crate) fn read(bytes: &[u8], format: Format) -> Result<Probe, ProbeError> {
    let mut reader = Reader::new(bytes);
    let mut item = None;
    let mut frames = 1;
    let mut is_complete = true;
    let is_sequence = bytes.get(8..12).is_some_and(|brand| SEQUENCES.contains(&brand));
    while let Some(part) = Part::next(&mut reader)? {
        is_complete = part.is_whole;
        match &part.kind {
            b"meta" if item.is_none() => {
                if !part.is_whole {
                    return Err(ProbeError::Truncated);
                }
                item = Some(Primary::read(part.body)?);
            }
            b"moov" if is_sequence && part.is_whole => frames = frames.max(longest_track(part.body)?),
            _ => {}
        }
    }
    is_complete &= reader.rest().is_empty();
    let item = item.ok_or(ProbeError::Truncated)?;
    Ok(Probe {
        format,
        width: item.width,
        height: item.height,
        orientation: item.orientation,
        has_alpha: item.has_alpha,
        frames,
        bits: item.bits,
        is_progressive: false,
        is_arithmetic: false,
        color: item.color,
        pixels: area(item.width, item.height),
        is_complete,
    })
}

/// The item that is shown.
struct Primary {
    width: u32,
    height: u32,
    orientation: Orientation,
    has_alpha: bool,
    bits: u8,
    color: ColorModel,
}

impl Primary {
    fn read(meta: &[u8]) -> Result<Self, ProbeError> {
        let children = Reader::new(meta).after(4).ok_or(CUT)?.rest();
        let id = Part::find(children, b"pitm")?.ok_or(corrupt("no primary item"))?;
        let id = full_box_id(id).ok_or(CUT)?;
        let described = Part::find(children, b"iprp")?.ok_or(corrupt("no properties"))?;
        let properties = Properties::read(described)?;

        let mut found = Self {
            width: 0,
            height: 0,
            orientation: Orientation::UPRIGHT,
            has_alpha: false,
            bits: 8,
            color: ColorModel::Rgb,
        };
        properties.each_of(id, |property| found.take(property))?;
        if found.width == 0 || found.height == 0 {
            return Err(corrupt("a side of no pixels"));
        }
        if let Some(references) = Part::find(children, b"iref")? {
            found.has_alpha = has_alpha(references, id, &properties)?;
        }
        Ok(found)
    }

    fn take(&mut self, property: &Part<'_>) -> Result<(), ProbeError> {
        let mut body = Reader::new(property.body);
        match &property.kind {
            b"ispe" => {
                body.take(4).ok_or(CUT)?;
                self.width = body.u32_be().ok_or(CUT)?;
                self.height = body.u32_be().ok_or(CUT)?;
            }
            b"irot" => self.turn(match body.u8().ok_or(CUT)? & 3 {
                // Quarter turns to the left.
                0 => 1,
                1 => 8,
                2 => 3,
                _ => 6,
            }),
            b"imir" => self.turn(if body.u8().ok_or(CUT)? & 1 == 0 { 4 } else { 2 }),
            b"pixi" => {
                body.take(4).ok_or(CUT)?;
                let [n_channels, bits] = body.array().ok_or(CUT)?;
                self.bits = bits;
                if n_channels == 1 {
                    self.color = ColorModel::Gray;
                }
            }
            b"av1C" => {
                let [_, _, flags] = body.array().ok_or(CUT)?;
                self.bits = match flags & 0x60 {
                    0x60 => 12,
                    0x40 => 10,
                    _ => 8,
                };
                if flags & 0x10 != 0 {
                    self.color = ColorModel::Gray;
                }
            }
            b"hvcC" => {
                body.take(16).ok_or(CUT)?;
                let [chroma, depth] = body.array().ok_or(CUT)?;
                self.bits = 8 + (depth & 7);
                if chroma & 3 == 0 {
                    self.color = ColorModel::Gray;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn turn(&mut self, orientation: u8) {
        self.orientation = Orientation::new(orientation).map_or(self.orientation, |next| self.orientation.then(next));
    }
}

const CUT: ProbeError = ProbeError::Corrupt { detail: "a box shorter than what it says it holds" };

/// The properties of all items, and who has which.
struct Properties<'a> {
    list: [Option<Part<'a>>; MAX_PROPERTIES],
    described: &'a [u8],
}

impl<'a> Properties<'a> {
    fn read(described: &'a [u8]) -> Result<Self, ProbeError> {
        let container = Part::find(described, b"ipco")?.ok_or(corrupt("no properties"))?;
        let mut reader = Reader::new(container);
        let mut list = [None; MAX_PROPERTIES];
        for slot in &mut list {
            *slot = Part::next_inside(&mut reader)?;
        }
        Ok(Self { list, described })
    }

    /// Calls `take` with the properties of an item, in their order.
    fn each_of(&self, item: u32, mut take: impl FnMut(&Part<'a>) -> Result<(), ProbeError>) -> Result<(), ProbeError> {
        let mut reader = Reader::new(self.described);
        while let Some(part) = Part::next_inside(&mut reader)? {
            if &part.kind == b"ipma" && self.each_in(part.body, item, &mut take)? {
                break;
            }
        }
        Ok(())
    }

    /// The same for one table of associations, and whether the item was in it.
    fn each_in(
        &self,
        table: &[u8],
        item: u32,
        take: &mut impl FnMut(&Part<'a>) -> Result<(), ProbeError>,
    ) -> Result<bool, ProbeError> {
        let mut table = Reader::new(table);
        let [version, _, _, flags] = table.array().ok_or(CUT)?;
        let n_items = table.u32_be().ok_or(CUT)?;
        for _ in 0..n_items {
            let id = if version == 0 { table.u16_be().map(u32::from) } else { table.u32_be() }.ok_or(CUT)?;
            let n_properties = table.u8().ok_or(CUT)?;
            for _ in 0..n_properties {
                let index = if flags & 1 == 1 {
                    usize::from(table.u16_be().ok_or(CUT)? & 0x7FFF)
                } else {
                    usize::from(table.u8().ok_or(CUT)? & 0x7F)
                };
                let property = index.checked_sub(1).and_then(|index| self.list.get(index)).and_then(Option::as_ref);
                if let (true, Some(property)) = (id == item, property) {
                    take(property)?;
                }
            }
            if id == item {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether an auxiliary picture of `item` is its opacity.
fn has_alpha(references: &[u8], item: u32, properties: &Properties<'_>) -> Result<bool, ProbeError> {
    let mut reader = Reader::new(references);
    let [version, ..] = reader.array::<4>().ok_or(CUT)?;
    let mut n_seen = 0;
    while let Some(part) = Part::next_inside(&mut reader)? {
        if &part.kind != b"auxl" {
            continue;
        }
        let mut body = Reader::new(part.body);
        let mut id = || if version == 0 { body.u16_be().map(u32::from) } else { body.u32_be() };
        let from = id().ok_or(CUT)?;
        let n_targets = Reader::new(part.body).after(if version == 0 { 2 } else { 4 }).and_then(|mut at| at.u16_be());
        let mut targets = Reader::new(part.body).after(if version == 0 { 4 } else { 6 }).ok_or(CUT)?;
        let mut next = || if version == 0 { targets.u16_be().map(u32::from) } else { targets.u32_be() };
        let is_ours = (0..n_targets.ok_or(CUT)?).any(|_| next() == Some(item));
        if !is_ours {
            continue;
        }
        let mut is_alpha = false;
        properties.each_of(from, |property| {
            let name = property.body.get(4..).unwrap_or_default();
            is_alpha |= &property.kind == b"auxC" && ALPHA.iter().any(|alpha| name.starts_with(alpha));
            Ok(())
        })?;
        n_seen += 1;
        if is_alpha || n_seen == MAX_AUXILIARIES {
            return Ok(is_alpha);
        }
    }
    Ok(false)
}

/// The number in a box that has a version and holds nothing but an item's number.
fn full_box_id(body: &[u8]) -> Option<u32> {
    let mut reader = Reader::new(body);
    let [version, ..] = reader.array::<4>()?;
    if version == 0 { reader.u16_be().map(u32::from) } else { reader.u32_be() }
}

/// The number of frames in the longest track of pictures.
fn longest_track(movie: &[u8]) -> Result<u32, ProbeError> {
    let mut reader = Reader::new(movie);
    let mut longest = 0;
    while let Some(part) = Part::next_inside(&mut reader)? {
        if &part.kind == b"trak" {
            longest = longest.max(n_frames(part.body)?.unwrap_or(0));
        }
    }
    Ok(longest)
}

fn n_frames(track: &[u8]) -> Result<Option<u32>, ProbeError> {
    let Some(media) = Part::find(track, b"mdia")? else { return Ok(None) };
    let is_pictures = Part::find(media, b"hdlr")?.is_some_and(|handler| handler.get(8..12) == Some(b"pict"));
    if !is_pictures {
        return Ok(None);
    }
    let Some(information) = Part::find(media, b"minf")? else { return Ok(None) };
    let Some(table) = Part::find(information, b"stbl")? else { return Ok(None) };
    let Some(sizes) = Part::find(table, b"stsz")? else { return Ok(None) };
    Ok(Reader::new(sizes).after(8).and_then(|mut reader| reader.u32_be()))
}
