//! What a file says of its picture before the picture itself.

use crate::Error;
use crate::markers::{self, Segment, segments};

/// The most scans of one picture. Progressive encoders make about ten; each can cost as much as decoding the whole.
pub const MAX_SCANS: usize = 100;

/// The order in which coefficients are written: for each place in it, the place in rows.
pub(crate) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// How coefficients are spread over scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// Each scan holds its components whole (baseline and extended).
    Sequential,
    /// Scans hold parts of the coefficients (SOF2 and SOF10).
    Progressive,
}

/// How coefficients are turned into bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Huffman codes.
    Huffman,
    /// The standard's arithmetic coder.
    Arithmetic,
}

/// What the components mean, by libjpeg's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// One component, brightness.
    Gray,
    /// Brightness and two of colour, by ITU-R BT.601 at full range.
    YCbCr,
    /// Red, green and blue.
    Rgb,
    /// Four inks.
    Cmyk,
    /// Four inks, of which the first three are written as if they were red, green and blue turned into `YCbCr`.
    Ycck,
}

impl Color {
    /// How many components there are.
    pub fn n_components(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::YCbCr | Self::Rgb => 3,
            Self::Cmyk | Self::Ycck => 4,
        }
    }
}

/// A component as the frame header describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    /// Its number, by which scans name it.
    pub id: u8,
    /// Samples across, relative to the other components, 1 to 4.
    pub horizontal: u8,
    /// Samples down, relative to the other components, 1 to 4.
    pub vertical: u8,
    pub(crate) quantizer_idx: u8,
}

/// A component's part in a scan: its place in the frame and the tables of its codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanComponent {
    pub(crate) component_idx: usize,
    pub(crate) dc_table: usize,
    pub(crate) ac_table: usize,
}

/// A scan header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    pub(crate) components: Vec<ScanComponent>,
    /// The first and the last coefficient, in zigzag order.
    pub(crate) start: u8,
    pub(crate) end: u8,
    /// The bit at which earlier scans of these coefficients stopped; 0 if there were none.
    pub(crate) high: u8,
    /// The bit at which this one stops.
    pub(crate) low: u8,
}

/// Everything about a picture that decides how, and how expensively, it is decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bits per sample in the file, 8 or 12. Decoded samples always have 8.
    pub precision: u8,
    /// How coefficients are spread over scans.
    pub process: Process,
    /// How they are turned into bits.
    pub coding: Coding,
    /// The components, one, three or four.
    pub components: Vec<Component>,
    /// What they mean.
    pub color: Color,
    /// Whether inks are stored as what they leave of the paper, which files with a segment of Adobe's do.
    pub is_inverted: bool,
    /// How many scans there are, at most [`MAX_SCANS`].
    pub n_scans: usize,
    /// Whether the end marker is there.
    pub has_end: bool,
}

impl Header {
    /// Reads the header of `file`. Looks for markers in all of it, which costs little more than reading it.
    ///
    /// # Errors
    /// `NotJpeg`, `Corrupt`; `Unsupported` for lossless and hierarchical files and for more than four components;
    /// `TooManyScans`.
    pub fn read(file: &[u8]) -> Result<Self, Error> {
        if !file.starts_with(&[0xFF, markers::SOI]) {
            return Err(Error::NotJpeg);
        }
        let mut facts = Facts::default();
        segments(file).try_for_each(|segment| facts.add(file, &segment))?;
        facts.header()
    }

    /// The largest sampling factors, across and down.
    pub(crate) fn max_sampling(&self) -> (usize, usize) {
        let max = |factor: fn(&Component) -> u8| self.components.iter().map(factor).max().map_or(1, usize::from);
        (max(|component| component.horizontal), max(|component| component.vertical))
    }

    /// Whether there are three components of which the second and third have half the width and height (4:2:0).
    pub fn is_420(&self) -> bool {
        let sampling = self.components.iter().map(|component| (component.horizontal, component.vertical));
        sampling.eq([(2, 2), (1, 1), (1, 1)])
    }

    /// Reads a scan header of this frame.
    pub(crate) fn scan(&self, bytes: &[u8]) -> Result<Scan, Error> {
        let corrupt = Err(Error::Corrupt("bad scan header"));
        let Some((&n_components, rest)) = bytes.split_first() else { return corrupt };
        let n_components = usize::from(n_components);
        let Some((described, &[start, end, bits, ..])) = rest.split_at_checked(2 * n_components) else {
            return corrupt;
        };
        let mut components = Vec::with_capacity(n_components);
        for &[id, tables] in described.as_chunks::<2>().0 {
            let Some(component_idx) = self.components.iter().position(|component| component.id == id) else {
                return corrupt;
            };
            let (dc_table, ac_table) = (usize::from(tables >> 4), usize::from(tables & 15));
            if dc_table > 3 || ac_table > 3 {
                return corrupt;
            }
            components.push(ScanComponent { component_idx, dc_table, ac_table });
        }
        // Each component once, in the order of the frame, says the standard.
        let is_ordered = components.is_sorted_by(|a, b| a.component_idx < b.component_idx);
        let scan = match self.process {
            Process::Sequential => Scan { components, start: 0, end: 63, high: 0, low: 0 },
            Process::Progressive => Scan { components, start, end, high: bits >> 4, low: bits & 15 },
        };
        let is_legal = is_ordered && self.is_legal(&scan);
        if is_legal { Ok(scan) } else { corrupt }
    }

    fn is_legal(&self, scan: &Scan) -> bool {
        let n_components = scan.components.len();
        let n_blocks: u32 = scan.components.iter().map(|part| self.blocks_per_unit(part)).sum();
        if n_components == 0 || (n_components > 1 && n_blocks > 10) {
            return false;
        }
        if self.process == Process::Sequential {
            return true;
        }
        // Means stand alone, other coefficients are of one component, and each refinement is of one bit.
        let is_band = if scan.start == 0 { scan.end == 0 } else { scan.end >= scan.start && n_components == 1 };
        is_band && scan.end <= 63 && scan.low <= 13 && (scan.high == 0 || scan.high == scan.low + 1)
    }

    fn blocks_per_unit(&self, part: &ScanComponent) -> u32 {
        let component = &self.components[part.component_idx];
        u32::from(component.horizontal) * u32::from(component.vertical)
    }
}

/// What is gathered from the segments.
#[derive(Default)]
struct Facts {
    frame: Option<(u8, Frame)>,
    is_jfif: bool,
    adobe: Option<u8>,
    n_lines: Option<u16>,
    n_scans: usize,
    has_end: bool,
}

struct Frame {
    precision: u8,
    height: u16,
    width: u16,
    components: Vec<Component>,
}

impl Facts {
    fn add(&mut self, file: &[u8], segment: &Segment) -> Result<(), Error> {
        let bytes = segment.bytes(file);
        match segment.marker {
            markers::DNL => self.n_lines = bytes.first_chunk().map(|lines| u16::from_be_bytes(*lines)),
            markers::EOI => self.has_end = true,
            markers::SOS => {
                self.n_scans += 1;
                if self.n_scans > MAX_SCANS {
                    return Err(Error::TooManyScans { limit: MAX_SCANS });
                }
            }
            // In what follows the first scan, damage may look like anything.
            _ if self.n_scans > 0 => {}
            markers::APP0 => self.is_jfif |= bytes.starts_with(b"JFIF\0"),
            markers::APP14 if bytes.starts_with(b"Adobe") => self.adobe = bytes.get(11).copied().or(self.adobe),
            0xDE | 0xDF => return Err(Error::Unsupported("hierarchical")),
            marker if segment.is_frame() => {
                if self.frame.is_some() {
                    return Err(Error::Corrupt("two frames"));
                }
                self.frame = Some((marker, Frame::read(bytes)?));
            }
            _ => {}
        }
        Ok(())
    }

    fn header(self) -> Result<Header, Error> {
        let (marker, frame) = self.frame.ok_or(Error::Corrupt("no frame header"))?;
        let (process, coding) = process(marker)?;
        if !matches!((frame.precision, marker), (8, _) | (12, 0xC1..)) {
            return Err(Error::Unsupported("bits per sample other than 8 and 12"));
        }
        // A frame may leave its height to a segment after the first scan.
        let height = if frame.height == 0 { self.n_lines.unwrap_or(0) } else { frame.height };
        if height == 0 || frame.width == 0 {
            return Err(Error::Corrupt("no pixels"));
        }
        let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        Ok(Header {
            width: frame.width.into(),
            height: height.into(),
            precision: frame.precision,
            process,
            coding,
            color: color(&ids, self.is_jfif, self.adobe)?,
            is_inverted: ids.len() == 4 && self.adobe.is_some(),
            components: frame.components,
            n_scans: self.n_scans,
            has_end: self.has_end,
        })
    }
}

impl Frame {
    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let Some((&[precision, h0, h1, w0, w1, n_components], rest)) = bytes.split_first_chunk() else {
            return Err(Error::Corrupt("bad frame header"));
        };
        let described = rest.get(..3 * usize::from(n_components)).ok_or(Error::Corrupt("bad frame header"))?;
        let components = described.as_chunks::<3>().0.iter();
        let components: Vec<_> = components
            .map(|&[id, sampling, quantizer_idx]| Component {
                id,
                horizontal: sampling >> 4,
                vertical: sampling & 15,
                quantizer_idx,
            })
            .collect();
        let factors = components.iter().flat_map(|component| [component.horizontal, component.vertical]);
        if factors.into_iter().any(|factor| !(1..=4).contains(&factor)) {
            return Err(Error::Corrupt("bad sampling factors"));
        }
        let has_twins = (1..components.len()).any(|idx| components[..idx].iter().any(|c| c.id == components[idx].id));
        if has_twins || components.iter().any(|component| component.quantizer_idx > 3) {
            return Err(Error::Corrupt("bad frame header"));
        }
        let (height, width) = (u16::from_be_bytes([h0, h1]), u16::from_be_bytes([w0, w1]));
        Ok(Self { precision, height, width, components })
    }
}

fn process(marker: u8) -> Result<(Process, Coding), Error> {
    match marker {
        0xC0 | 0xC1 => Ok((Process::Sequential, Coding::Huffman)),
        0xC2 => Ok((Process::Progressive, Coding::Huffman)),
        0xC9 => Ok((Process::Sequential, Coding::Arithmetic)),
        0xCA => Ok((Process::Progressive, Coding::Arithmetic)),
        0xC3 | 0xCB => Err(Error::Unsupported("lossless")),
        _ => Err(Error::Unsupported("hierarchical")),
    }
}

/// What components mean: JFIF says luma and chroma, or else Adobe's segment decides, or else their numbers do.
fn color(ids: &[u8], is_jfif: bool, adobe: Option<u8>) -> Result<Color, Error> {
    match (ids, adobe) {
        ([_], _) => Ok(Color::Gray),
        ([_, _, _], _) if is_jfif => Ok(Color::YCbCr),
        ([_, _, _], Some(0)) => Ok(Color::Rgb),
        (b"RGB", None) => Ok(Color::Rgb),
        ([_, _, _], _) => Ok(Color::YCbCr),
        ([_, _, _, _], None | Some(0)) => Ok(Color::Cmyk),
        ([_, _, _, _], _) => Ok(Color::Ycck),
        _ => Err(Error::Unsupported("neither one, three nor four components")),
    }
}

const PROFILE_NAME: &[u8] = b"ICC_PROFILE\0";

/// The colour profile in `file`, put together from its parts; none if a part is missing or the whole has more than
/// `max_bytes`.
pub fn icc_profile(file: &[u8], max_bytes: usize) -> Option<Vec<u8>> {
    let mut parts: Vec<(u8, u8, &[u8])> = Vec::new();
    for segment in segments(file).take_while(|segment| segment.marker != markers::SOS) {
        if segment.marker != markers::APP2 {
            continue;
        }
        if let Some([number, n_parts, part @ ..]) = segment.bytes(file).strip_prefix(PROFILE_NAME) {
            parts.push((*number, *n_parts, part));
        }
    }
    parts.sort_by_key(|(number, ..)| *number);
    parts.dedup_by_key(|(number, ..)| *number);
    let n_bytes: usize = parts.iter().map(|(.., part)| part.len()).sum();
    let is_whole = parts
        .iter()
        .zip(1..)
        .all(|((number, n, _), expected)| usize::from(*number) == expected && usize::from(*n) == parts.len());
    let is_wanted = is_whole && n_bytes > 0 && n_bytes <= max_bytes;
    is_wanted.then(|| parts.iter().flat_map(|(.., part)| *part).copied().collect())
}

#[cfg(test)]
mod tests;
