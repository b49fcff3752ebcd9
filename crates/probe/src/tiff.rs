//! TIFF and BigTIFF: the first directory, and the chain of the others for their number.

use crate::exif::Order;
use crate::reader::Reader;
use crate::{ColorModel, Format, Orientation, Probe, ProbeError, area, corrupt};

/// The most fields a directory is taken with. Real ones have some twenty.
const MAX_FIELDS: u64 = 4096;
/// Pages that are counted; a chain that goes round in a circle is that long, too.
const MAX_PAGES: u32 = 1000;

const KIND: u16 = 254;
const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const MEANING: u16 = 262;
const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const SAMPLES: u16 = 277;
const STRIP_LENGTHS: u16 = 279;
const TILE_OFFSETS: u16 = 324;
const TILE_LENGTHS: u16 = 325;
const RAW_VERSION: u16 = 50706;

pub(crate) fn read(bytes: &[u8]) -> Result<Probe, ProbeError> {
    let (file, first) = File::open(bytes)?;
    if bytes.get(8..10) == Some(b"CR") {
        return Err(ProbeError::Unsupported { found: "a camera's raw file" });
    }
    let (page, mut next) = Page::read(&file, first)?;
    let mut frames = 1;
    let mut is_complete = page.end.is_some_and(|end| end <= bytes.len() as u64);
    while next != 0 && frames < MAX_PAGES {
        let Some(following) = file.next_directory(next) else {
            is_complete = false;
            break;
        };
        frames += 1;
        next = following;
    }
    Ok(Probe {
        format: Format::Tiff,
        width: page.width,
        height: page.height,
        orientation: page.orientation,
        has_alpha: page.has_alpha,
        frames,
        bits: page.bits,
        is_progressive: false,
        is_arithmetic: false,
        color: page.color,
        pixels: area(page.width, page.height),
        // A strip, which may be all, the channels as stored, and as they are wanted.
        decoding_bytes: area(page.width, page.height).saturating_mul(if page.bits == 16 { 16 } else { 12 }),
        is_complete,
    })
}

/// A file whose byte order and size of offsets are known.
struct File<'a> {
    bytes: &'a [u8],
    order: Order,
    is_big: bool,
}

impl<'a> File<'a> {
    /// The file, and where its first directory is.
    fn open(bytes: &'a [u8]) -> Result<(Self, u64), ProbeError> {
        let mut reader = Reader::new(bytes);
        let mark = reader.array::<4>().ok_or(ProbeError::Truncated)?;
        let order = Order { is_little: mark[0] == b'I' };
        let file = Self { bytes, order, is_big: mark.contains(&b'+') };
        if file.is_big {
            reader.take(4).ok_or(ProbeError::Truncated)?;
        }
        let first = file.offset(&mut reader).ok_or(ProbeError::Truncated)?;
        if first == 0 { Err(corrupt("a TIFF without a page")) } else { Ok((file, first)) }
    }

    fn at(&self, offset: u64) -> Option<Reader<'a>> {
        usize::try_from(offset).ok().and_then(|offset| self.bytes.get(offset..)).map(Reader::new)
    }

    /// An offset, or a number as large as one.
    fn offset(&self, reader: &mut Reader<'_>) -> Option<u64> {
        if self.is_big { self.order.u64(reader) } else { self.order.u32(reader).map(u64::from) }
    }

    /// How many fields a directory has.
    fn n_fields(&self, reader: &mut Reader<'_>) -> Option<u64> {
        if self.is_big { self.order.u64(reader) } else { self.order.u16(reader).map(u64::from) }
    }

    /// Where the directory after this one is; 0 after the last.
    fn next_directory(&self, offset: u64) -> Option<u64> {
        let mut reader = self.at(offset)?;
        let n_bytes = self.n_fields(&mut reader)?.checked_mul(if self.is_big { 20 } else { 12 })?;
        reader.take(usize::try_from(n_bytes).ok()?)?;
        self.offset(&mut reader)
    }
}

/// One field of a directory.
struct Field<'a> {
    tag: u16,
    kind: u16,
    count: u64,
    /// The values, from the first on: in the field if they fit, elsewhere in the file if not. `None` if cut off.
    values: Option<Reader<'a>>,
}

impl<'a> Field<'a> {
    fn read(file: &File<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        let tag = file.order.u16(reader)?;
        let kind = file.order.u16(reader)?;
        let count = file.offset(reader)?;
        let room = if file.is_big { 8 } else { 4 };
        let mut inside = Reader::new(reader.take(room)?);
        let size = match kind {
            3 => 2,
            4 => 4,
            16 => 8,
            _ => 1,
        };
        let is_inside = count.checked_mul(size).is_some_and(|n_bytes| n_bytes <= room as u64);
        let values = if is_inside { Some(inside) } else { file.offset(&mut inside).and_then(|at| file.at(at)) };
        Some(Self { tag, kind, count, values })
    }

    /// The next value of `values`, which are this field's.
    fn next(&self, file: &File<'_>, values: &mut Reader<'_>) -> Option<u64> {
        match self.kind {
            1 => values.u8().map(u64::from),
            3 => file.order.u16(values).map(u64::from),
            4 => file.order.u32(values).map(u64::from),
            16 => file.order.u64(values),
            _ => None,
        }
    }

    fn first(&self, file: &File<'_>) -> Result<u32, ProbeError> {
        if !matches!(self.kind, 1 | 3 | 4 | 16) || self.count == 0 {
            return Err(corrupt("a TIFF field that is no number"));
        }
        let value = self.values.and_then(|mut values| self.next(file, &mut values)).ok_or(ProbeError::Truncated)?;
        u32::try_from(value).map_err(|_| corrupt("a TIFF field beyond 2^32"))
    }
}

/// What the first directory says.
struct Page {
    width: u32,
    height: u32,
    orientation: Orientation,
    has_alpha: bool,
    bits: u8,
    color: ColorModel,
    /// Where its pixels end in the file, as far as that can be told.
    end: Option<u64>,
}

impl Page {
    /// The page, and where the next is.
    fn read(file: &File<'_>, offset: u64) -> Result<(Self, u64), ProbeError> {
        let mut reader = file.at(offset).ok_or(ProbeError::Truncated)?;
        let n_fields = file.n_fields(&mut reader).ok_or(ProbeError::Truncated)?;
        if n_fields > MAX_FIELDS {
            return Err(corrupt("a TIFF page of more than 4096 fields"));
        }
        let mut page = Self {
            width: 0,
            height: 0,
            orientation: Orientation::UPRIGHT,
            has_alpha: false,
            bits: 1,
            color: ColorModel::Gray,
            end: None,
        };
        let (mut meaning, mut n_samples) = (0, 1);
        let (mut offsets, mut lengths) = (None, None);
        for _ in 0..n_fields {
            let field = Field::read(file, &mut reader).ok_or(ProbeError::Truncated)?;
            match field.tag {
                KIND if field.first(file)? & 1 == 1 => {
                    return Err(ProbeError::Unsupported { found: "a TIFF that begins with a preview" });
                }
                RAW_VERSION => return Err(ProbeError::Unsupported { found: "a camera's raw file" }),
                WIDTH => page.width = field.first(file)?,
                HEIGHT => page.height = field.first(file)?,
                BITS => page.bits = u8::try_from(field.first(file)?).unwrap_or(u8::MAX),
                MEANING => meaning = field.first(file)?,
                SAMPLES => n_samples = field.first(file)?,
                ORIENTATION => {
                    let value = u8::try_from(field.first(file)?).ok();
                    page.orientation = value.and_then(Orientation::new).unwrap_or(Orientation::UPRIGHT);
                }
                STRIP_OFFSETS | TILE_OFFSETS => offsets = Some(field),
                STRIP_LENGTHS | TILE_LENGTHS => lengths = Some(field),
                _ => {}
            }
        }
        let next = file.offset(&mut reader).ok_or(ProbeError::Truncated)?;
        if page.width == 0 || page.height == 0 {
            return Err(corrupt("a side of no pixels"));
        }
        let n_colors = page.set_color(meaning)?;
        page.has_alpha = n_samples > n_colors;
        if let (Some(offsets), Some(lengths)) = (offsets, lengths) {
            page.end = end(file, &offsets, &lengths);
        }
        Ok((page, next))
    }

    /// Takes in what the samples mean, and says how many they are.
    fn set_color(&mut self, meaning: u32) -> Result<u32, ProbeError> {
        let (color, n_colors) = match meaning {
            0 | 1 => (ColorModel::Gray, 1),
            2 | 6 | 8 | 9 | 10 => (ColorModel::Rgb, 3),
            3 => (ColorModel::Palette, 1),
            5 => (ColorModel::Cmyk, 4),
            32803 | 34892 => return Err(ProbeError::Unsupported { found: "a camera's raw file" }),
            _ => return Err(ProbeError::Unsupported { found: "a TIFF of an unknown kind of colour" }),
        };
        self.color = color;
        Ok(n_colors)
    }
}

/// Where the last of the strips or tiles ends.
fn end(file: &File<'_>, offsets: &Field<'_>, lengths: &Field<'_>) -> Option<u64> {
    let (mut places, mut sizes) = (offsets.values?, lengths.values?);
    let mut end = 0;
    for _ in 0..offsets.count.min(lengths.count) {
        let place = offsets.next(file, &mut places)?;
        end = end.max(place.saturating_add(lengths.next(file, &mut sizes)?));
    }
    Some(end)
}
