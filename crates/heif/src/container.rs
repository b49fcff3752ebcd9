//! A file: its brands, its main picture, and the alpha picture beside it.

use std::borrow::Cow;

use crate::boxes::Boxes;
use crate::brand;
use crate::meta::Meta;
use crate::movie::longest_track;
use crate::properties::Properties;
use crate::reader::Reader;
use crate::{Family, Header, HeifError, corrupt, unsupported};

/// The most tiles that a grid may have. A camera's have some dozens.
const MAX_TILES: usize = 1024;

/// The most auxiliary pictures of one picture that are looked at.
const MAX_AUXILIARIES: usize = 16;

/// A HEIF file.
#[derive(Clone, Copy)]
pub struct Container<'a> {
    meta: Meta<'a>,
    is_sequence: bool,
    frames: u32,
    is_complete: bool,
}

/// How the samples of an item are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// One AV1 picture.
    Av1,
    /// One HEVC picture.
    Hevc,
    /// Pictures side by side.
    Grid,
}

/// A picture in the file.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    id: u32,
    /// How it is stored.
    pub coding: Coding,
    /// What describes it.
    pub properties: Properties<'a>,
}

/// Pictures side by side, in rows.
#[derive(Debug, Clone)]
pub struct Grid<'a> {
    /// Pictures in a row. At least 1.
    pub columns: u32,
    /// Rows. At least 1.
    pub rows: u32,
    /// Width in pixels of the whole; what the pictures have more is cut off.
    pub width: u32,
    /// Height in pixels of the whole.
    pub height: u32,
    /// The pictures, `columns` times `rows` of them, each of them coded alone and of one size.
    pub tiles: Vec<Item<'a>>,
}

impl<'a> Container<'a> {
    /// Finds the tables in `file`.
    ///
    /// # Errors
    /// See [`HeifError`].
    pub fn read(file: &'a [u8]) -> Result<Self, HeifError> {
        if !brand::begins_as_media(file) {
            return Err(HeifError::NotHeif);
        }
        let is_sequence = brand::is_sequence(file);
        let mut meta = None;
        let (mut frames, mut is_complete) = (1, true);
        for found in Boxes::new(file) {
            match found {
                Ok(found) if &found.kind == b"meta" && meta.is_none() => {
                    // Nothing would tell how much of it is there.
                    if found.is_open {
                        return Err(unsupported("tables without a length"));
                    }
                    meta = Some(Meta::read(file, found.content)?);
                }
                // Damage in a movie, which nobody shows here, does not make the still picture damaged.
                Ok(found) if &found.kind == b"moov" && is_sequence && !found.is_open => {
                    frames = frames.max(longest_track(found.content).unwrap_or(1));
                }
                Ok(_) => {}
                // What comes after the tables may be missing or damaged as long as nobody asks for it.
                Err(error) if meta.is_none() && error != HeifError::Truncated => return Err(error),
                Err(_) => is_complete = false,
            }
        }
        // A sequence without a still picture is among those: its tables may still come.
        let meta = meta.ok_or(HeifError::Truncated)?;
        Ok(Self { meta, is_sequence, frames, is_complete })
    }

    /// What the container says about the picture.
    ///
    /// # Errors
    /// See [`HeifError`].
    pub fn header(&self) -> Result<Header, HeifError> {
        let item = self.primary()?;
        let (coded_width, coded_height) = item.size()?;
        let (width, height) = match item.properties.crop {
            Some(crop) => (crop.width, crop.height),
            None => (coded_width, coded_height),
        };
        let first = self.first_coded(&item)?;
        let (family, config) = match first.coding {
            Coding::Av1 => (Family::Avif, first.properties.av1),
            Coding::Hevc => (Family::Heic, first.properties.hevc),
            Coding::Grid => return Err(unsupported("a grid of grids")),
        };
        let config = config.ok_or(corrupt("a picture without its decoder's settings"))?;
        Ok(Header {
            family,
            width,
            height,
            coded_width,
            coded_height,
            bits: config.bits,
            is_gray: config.is_gray,
            has_alpha: self.alpha()?.is_some(),
            orientation: item.properties.orientation,
            has_icc: item.properties.icc.is_some(),
            is_sequence: self.is_sequence,
            frames: self.frames,
            is_complete: self.is_complete,
        })
    }

    /// The main picture.
    ///
    /// # Errors
    /// See [`HeifError`].
    pub fn primary(&self) -> Result<Item<'a>, HeifError> {
        self.item(self.meta.primary)
    }

    /// The alpha picture of the main one.
    ///
    /// # Errors
    /// See [`HeifError`].
    pub fn alpha(&self) -> Result<Option<Item<'a>>, HeifError> {
        for id in self.meta.referrers(b"auxl", self.meta.primary).take(MAX_AUXILIARIES) {
            let properties = Properties::read(&self.meta, id)?;
            if properties.is_alpha {
                return self.item(id).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether the colours of the main picture are multiplied by their alpha.
    #[must_use]
    pub fn is_premultiplied(&self, alpha: &Item<'a>) -> bool {
        self.meta.references(b"prem", self.meta.primary).any(|id| id == alpha.id)
    }

    /// The coded bytes of `item`. Those in one piece are not copied.
    ///
    /// # Errors
    /// `Truncated` where they are not all there. See [`HeifError`].
    pub fn bytes(&self, item: &Item<'a>) -> Result<Cow<'a, [u8]>, HeifError> {
        self.meta.bytes(item.id)
    }

    /// The pictures that a grid is made of.
    ///
    /// # Errors
    /// `Unsupported` for very many of them. See [`HeifError`].
    pub fn grid(&self, item: &Item<'a>) -> Result<Grid<'a>, HeifError> {
        let bytes = self.meta.bytes(item.id)?;
        let layout = grid_layout(&bytes).ok_or(corrupt("a grid that is too short"))?;
        let (rows, columns, width, height) = layout;
        let n_tiles = usize::from(rows) * usize::from(columns);
        if n_tiles > MAX_TILES {
            return Err(unsupported("a grid of very many tiles"));
        }
        if item.size()? != (width, height) {
            return Err(corrupt("a grid of another size than its item"));
        }
        let tiles = self
            .meta
            .references(b"dimg", item.id)
            .take(n_tiles)
            .map(|id| self.item(id))
            .collect::<Result<Vec<_>, _>>()?;
        let Some(first) = tiles.first().filter(|_| tiles.len() == n_tiles) else {
            return Err(corrupt("a grid with a gap"));
        };
        let size = first.size()?;
        for tile in &tiles {
            if tile.coding == Coding::Grid {
                return Err(unsupported("a grid of grids"));
            }
            if tile.size()? != size || tile.coding != first.coding {
                return Err(corrupt("a grid of unequal tiles"));
            }
        }
        let covers = |side: u32, n: u16, whole: u32| {
            let covered = u64::from(side) * u64::from(n);
            covered >= u64::from(whole) && covered - u64::from(side) < u64::from(whole)
        };
        if !covers(size.0, columns, width) || !covers(size.1, rows, height) {
            return Err(corrupt("a grid of another size than its tiles"));
        }
        Ok(Grid { columns: columns.into(), rows: rows.into(), width, height, tiles })
    }

    fn item(&self, id: u32) -> Result<Item<'a>, HeifError> {
        let coding = match &self.meta.item_type(id)? {
            b"av01" => Coding::Av1,
            b"hvc1" => Coding::Hevc,
            b"grid" => Coding::Grid,
            b"iovl" => return Err(unsupported("an overlay of pictures")),
            b"iden" => return Err(unsupported("a picture derived from another")),
            b"tmap" => return Err(unsupported("a tone-mapped picture")),
            b"jpeg" => return Err(unsupported("a JPEG inside")),
            b"unci" => return Err(unsupported("an uncompressed picture")),
            b"avc1" => return Err(unsupported("an H.264 picture")),
            b"vvc1" => return Err(unsupported("a VVC picture")),
            b"j2k1" => return Err(unsupported("a JPEG 2000 inside")),
            _ => return Err(unsupported("an item that is no picture")),
        };
        Ok(Item { id, coding, properties: Properties::read(&self.meta, id)? })
    }

    /// The item itself, or the first tile of a grid.
    fn first_coded(&self, item: &Item<'a>) -> Result<Item<'a>, HeifError> {
        match item.coding {
            Coding::Grid => {
                let id = self.meta.references(b"dimg", item.id).next().ok_or(corrupt("a grid without tiles"))?;
                self.item(id)
            }
            Coding::Av1 | Coding::Hevc => Ok(*item),
        }
    }
}

impl Item<'_> {
    /// Width and height in pixels, before any crop. Neither is 0.
    ///
    /// # Errors
    /// `Corrupt` where the file does not say.
    pub fn size(&self) -> Result<(u32, u32), HeifError> {
        self.properties.size.ok_or(corrupt("a picture of no size"))
    }
}

/// Rows, columns, width and height.
fn grid_layout(bytes: &[u8]) -> Option<(u16, u16, u32, u32)> {
    let mut reader = Reader::new(bytes);
    let [_version, flags, rows, columns] = reader.array()?;
    let is_long = flags & 1 != 0;
    let (width, height) = (reader.short_or_long(is_long)?, reader.short_or_long(is_long)?);
    Some((u16::from(rows) + 1, u16::from(columns) + 1, width, height))
}
