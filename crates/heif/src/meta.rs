//! The tables of the `meta` box, searched in place.

use std::borrow::Cow;

use crate::boxes::{Box, Boxes, find};
use crate::reader::Reader;
use crate::{HeifError, corrupt, unsupported};

/// The tables, as slices of the file.
#[derive(Clone, Copy)]
pub(crate) struct Meta<'a> {
    file: &'a [u8],
    /// The item that is the picture.
    pub(crate) primary: u32,
    info: &'a [u8],
    locations: &'a [u8],
    references: &'a [u8],
    properties: &'a [u8],
    data: &'a [u8],
}

/// Pieces that one item may be in.
const MAX_EXTENTS: u16 = 256;

/// Properties that a file may have. A camera's have some dozens.
const MAX_PROPERTIES: usize = 1024;

/// Properties that one item may have.
const MAX_PROPERTIES_OF_ITEM: usize = 64;

impl<'a> Meta<'a> {
    /// Reads the content of the `meta` box in `file`.
    pub(crate) fn read(file: &'a [u8], content: &'a [u8]) -> Result<Self, HeifError> {
        let mut reader = Reader::new(content);
        let _ = reader.version_and_flags().ok_or(SHORT)?;
        let boxes = reader.rest();
        let table = |kind, missing| find(boxes, kind)?.ok_or(corrupt(missing));
        Ok(Self {
            file,
            primary: primary(table(b"pitm", "no primary item")?).ok_or(SHORT)?,
            info: table(b"iinf", "no list of items")?,
            locations: table(b"iloc", "no list of places")?,
            references: find(boxes, b"iref")?.unwrap_or_default(),
            properties: table(b"iprp", "no properties")?,
            data: find(boxes, b"idat")?.unwrap_or_default(),
        })
    }

    /// The type of `item`.
    pub(crate) fn item_type(&self, item: u32) -> Result<[u8; 4], HeifError> {
        let mut reader = Reader::new(self.info);
        let (version, _) = reader.version_and_flags().ok_or(SHORT)?;
        let _count = reader.short_or_long(version > 0).ok_or(SHORT)?;
        for entry in Boxes::new(reader.rest()) {
            let entry = entry.map_err(|_| corrupt("an item longer than its list"))?;
            if let Some((id, kind)) = item_entry(&entry)
                && id == item
            {
                return Ok(kind);
            }
        }
        Err(corrupt("an item that is not listed"))
    }

    /// The items that `item` refers to for `reason`, in order.
    pub(crate) fn references(&self, reason: &[u8; 4], item: u32) -> impl Iterator<Item = u32> + use<'a> {
        let reason = *reason;
        self.all_references()
            .filter(move |found| found.reason == reason && found.from == item)
            .flat_map(|found| found.to)
    }

    /// The items that refer to `item` for `reason`.
    pub(crate) fn referrers(&self, reason: &[u8; 4], item: u32) -> impl Iterator<Item = u32> + use<'a> {
        let reason = *reason;
        self.all_references()
            .filter(move |found| found.reason == reason && found.to.clone().any(|to| to == item))
            .map(|found| found.from)
    }

    /// Every reference; damage ends the list.
    fn all_references(&self) -> impl Iterator<Item = Reference<'a>> + use<'a> {
        let mut reader = Reader::new(self.references);
        let version = reader.version_and_flags().map(|(version, _)| version);
        let is_long = version.is_some_and(|version| version > 0);
        Boxes::new(reader.rest()).map_while(Result::ok).filter_map(move |found| {
            let mut reader = Reader::new(found.content);
            let from = reader.short_or_long(is_long)?;
            let n = reader.u16()?;
            let to = Ids { bytes: reader.take(usize::from(n) * if is_long { 4 } else { 2 })?, is_long };
            Some(Reference { reason: found.kind, from, to })
        })
    }

    /// Calls `take` with each property of `item`, in order, and whether it may not be ignored.
    pub(crate) fn each_property(
        &self,
        item: u32,
        mut take: impl FnMut(Box<'a>, bool) -> Result<(), HeifError>,
    ) -> Result<(), HeifError> {
        let container = find(self.properties, b"ipco")?.ok_or(corrupt("no list of properties"))?;
        for table in Boxes::new(self.properties) {
            let table = table.map_err(|_| SHORT)?;
            if &table.kind != b"ipma" {
                continue;
            }
            let Some(associations) = associations(table.content, item)? else { continue };
            for (n, (index, is_essential)) in associations.enumerate() {
                let Some(at) = usize::from(index).checked_sub(1) else { continue };
                if at >= MAX_PROPERTIES || n >= MAX_PROPERTIES_OF_ITEM {
                    return Err(unsupported("very many properties"));
                }
                let property = Boxes::new(container).nth(at).ok_or(corrupt("a property that is not listed"))?;
                take(property.map_err(|_| corrupt("a property longer than its list"))?, is_essential)?;
            }
            return Ok(());
        }
        Ok(())
    }

    /// The bytes of `item`. Those in one piece are not copied.
    pub(crate) fn bytes(&self, item: u32) -> Result<Cow<'a, [u8]>, HeifError> {
        let place = place(self.locations, item)?.ok_or(corrupt("an item that is nowhere"))?;
        let source = match place.method {
            0 => self.file,
            1 => self.data,
            _ => return Err(unsupported("an item made of other items")),
        };
        let is_cut = if place.method == 0 { HeifError::Truncated } else { corrupt("an item outside of its data") };
        if place.data_reference != 0 {
            return Err(unsupported("an item in another file"));
        }
        if place.n_extents > MAX_EXTENTS {
            return Err(unsupported("an item in very many pieces"));
        }
        let mut extents = place.extents;
        let mut whole = Cow::Borrowed(&[][..]);
        for _ in 0..place.n_extents {
            let _index = extents.sized(place.index_size).ok_or(SHORT)?;
            let offset = extents.sized(place.offset_size).ok_or(SHORT)?;
            let length = extents.sized(place.length_size).ok_or(SHORT)?;
            let offset = place.base.checked_add(offset).ok_or(corrupt("an offset beyond every file"))?;
            let piece = piece(source, offset, length, place.n_extents).ok_or(is_cut)?;
            if whole.is_empty() {
                whole = Cow::Borrowed(piece);
            } else {
                if whole.len().saturating_add(piece.len()) > source.len() {
                    return Err(corrupt("pieces of an item that overlap"));
                }
                whole.to_mut().extend_from_slice(piece);
            }
        }
        Ok(whole)
    }
}

const SHORT: HeifError = HeifError::Corrupt { detail: "a table that is too short" };

/// A reference from one item to others.
struct Reference<'a> {
    reason: [u8; 4],
    from: u32,
    to: Ids<'a>,
}

/// Item numbers of two or four bytes each.
#[derive(Clone)]
struct Ids<'a> {
    bytes: &'a [u8],
    is_long: bool,
}

impl Iterator for Ids<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let mut reader = Reader::new(self.bytes);
        let id = reader.short_or_long(self.is_long)?;
        self.bytes = reader.rest();
        Some(id)
    }
}

fn primary(content: &[u8]) -> Option<u32> {
    let mut reader = Reader::new(content);
    let (version, _) = reader.version_and_flags()?;
    reader.short_or_long(version > 0)
}

/// Number and type of an `infe` box. Versions before 2 have no type and are no pictures.
fn item_entry(entry: &Box<'_>) -> Option<(u32, [u8; 4])> {
    let mut reader = Reader::new(entry.content);
    let (version, _) = reader.version_and_flags()?;
    if &entry.kind != b"infe" || version < 2 {
        return None;
    }
    let id = reader.short_or_long(version > 2)?;
    let _protection = reader.u16()?;
    Some((id, reader.array()?))
}

/// The properties of `item` in one `ipma` box: indices from 1, and whether each is essential.
fn associations(content: &[u8], item: u32) -> Result<Option<impl Iterator<Item = (u16, bool)> + use<'_>>, HeifError> {
    let mut reader = Reader::new(content);
    let (version, flags) = reader.version_and_flags().ok_or(SHORT)?;
    let is_wide = flags & 1 != 0;
    let n_entries = reader.u32().ok_or(SHORT)?;
    for _ in 0..n_entries {
        let id = reader.short_or_long(version > 0).ok_or(SHORT)?;
        let n = usize::from(reader.u8().ok_or(SHORT)?);
        let bytes = reader.take(if is_wide { n * 2 } else { n }).ok_or(SHORT)?;
        if id == item {
            return Ok(Some(bytes.chunks_exact(if is_wide { 2 } else { 1 }).map(association)));
        }
    }
    Ok(None)
}

/// One bit that says essential, and an index of 15 or 7 bits.
fn association(bytes: &[u8]) -> (u16, bool) {
    match *bytes {
        [high, low] => (u16::from_be_bytes([high & 0x7F, low]), high & 0x80 != 0),
        [byte] => (u16::from(byte & 0x7F), byte & 0x80 != 0),
        _ => (0, false),
    }
}

/// Where an item is, from `iloc`.
struct Place<'a> {
    method: u16,
    data_reference: u16,
    base: u64,
    n_extents: u16,
    extents: Reader<'a>,
    index_size: u8,
    offset_size: u8,
    length_size: u8,
}

fn place(content: &[u8], item: u32) -> Result<Option<Place<'_>>, HeifError> {
    let mut reader = Reader::new(content);
    let (version, _) = reader.version_and_flags().ok_or(SHORT)?;
    if version > 2 {
        return Err(unsupported("a list of places of a newer version"));
    }
    let [sizes, more] = reader.array().ok_or(SHORT)?;
    let (offset_size, length_size, base_size) = (sizes >> 4, sizes & 15, more >> 4);
    let index_size = if version == 0 { 0 } else { more & 15 };
    let n_items = reader.short_or_long(version == 2).ok_or(SHORT)?;
    for _ in 0..n_items {
        let id = reader.short_or_long(version == 2).ok_or(SHORT)?;
        let method = if version == 0 { 0 } else { reader.u16().ok_or(SHORT)? & 15 };
        let data_reference = reader.u16().ok_or(SHORT)?;
        let base = reader.sized(base_size).ok_or(SHORT)?;
        let n_extents = reader.u16().ok_or(SHORT)?;
        let extents = reader;
        if id == item {
            let place =
                Place { method, data_reference, base, n_extents, extents, index_size, offset_size, length_size };
            return Ok(Some(place));
        }
        let extent_size = usize::from(index_size) + usize::from(offset_size) + usize::from(length_size);
        let _ = reader.take(usize::from(n_extents) * extent_size).ok_or(SHORT)?;
    }
    Ok(None)
}

/// A piece of `source`. A length of 0 means the rest, but only for an item in one piece.
fn piece(source: &[u8], offset: u64, length: u64, n_extents: u16) -> Option<&[u8]> {
    let rest = source.get(usize::try_from(offset).ok()?..)?;
    if length == 0 && n_extents == 1 { Some(rest) } else { rest.get(..usize::try_from(length).ok()?) }
}
