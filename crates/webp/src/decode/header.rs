//! The frame header: RFC 6386, sections 9.1 to 9.11 and 19.2.

use super::DecodeError;
use super::bits::BoolDecoder;
use super::filter::{Filter, Strength};
use crate::tables::{AC_STEPS, BANDS, CoefficientProbabilities, DC_STEPS, DEFAULT_COEFFICIENTS, UPDATE_COEFFICIENTS};

/// The probabilities of coefficients by block type, position, context and node; one position more than there are.
pub type Probabilities = [[[[u8; 11]; 3]; 17]; 4];

/// The steps of DC and of AC coefficients.
pub type Steps = [i32; 2];

/// What one segment's quantiser index and filter level decide.
#[derive(Clone, Copy)]
pub struct Segment {
    /// For luma.
    pub luma: Steps,
    /// For the transformed DC coefficients of luma.
    pub luma_dc: Steps,
    /// For chroma.
    pub chroma: Steps,
    /// How macroblocks are filtered that are predicted as a whole, and those predicted in blocks.
    pub strengths: [Strength; 2],
}

/// The header of a key frame.
pub struct Header {
    /// Pixels, 1 to 16383.
    pub width: usize,
    /// Pixels, 1 to 16383.
    pub height: usize,
    /// All four, the same where there is but one.
    pub segments: [Segment; 4],
    /// The probabilities of the tree that says which segment a macroblock is in.
    pub segment_tree: Option<[u8; 3]>,
    /// The loop filter.
    pub filter: Filter,
    /// The probabilities of coefficients.
    pub probabilities: Box<Probabilities>,
    /// The probability that a macroblock has coefficients, if those that have none are marked.
    pub skip: Option<u8>,
}

/// A frame, taken apart.
pub struct Parts<'a> {
    /// The header.
    pub header: Header,
    /// What follows it: the modes of the macroblocks.
    pub modes: BoolDecoder<'a>,
    /// The coefficients: of each row of macroblocks the next partition, and then again from the first one on.
    pub coefficients: Vec<BoolDecoder<'a>>,
}

/// What a frame begins with.
struct Start<'a> {
    width: usize,
    height: usize,
    /// The first partition: the rest of the header, and the modes.
    first: &'a [u8],
    /// The partitions of coefficients.
    rest: &'a [u8],
}

/// Reads the uncompressed part of a frame, which has to be a key frame that is shown.
fn start(frame: &[u8]) -> Result<Start<'_>, DecodeError> {
    let (tag, rest) = frame.split_first_chunk::<3>().ok_or(DecodeError::Truncated)?;
    let tag = u32::from_le_bytes([tag[0], tag[1], tag[2], 0]);
    let (is_inter, version, is_shown) = (tag & 1 != 0, tag >> 1 & 7, tag >> 4 & 1 != 0);
    if is_inter || version > 3 || !is_shown {
        return Err(DecodeError::Invalid("the frame is no key frame that is shown"));
    }
    let (code, rest) = rest.split_first_chunk::<3>().ok_or(DecodeError::Truncated)?;
    if *code != [0x9d, 0x01, 0x2a] {
        return Err(DecodeError::Invalid("the frame has no start code"));
    }
    let (sides, rest) = rest.split_first_chunk::<4>().ok_or(DecodeError::Truncated)?;
    // The upper two bits ask for a larger display, which WebP ignores.
    let side = |low: u8, high: u8| usize::from(u16::from_le_bytes([low, high]) & 0x3fff);
    let (width, height) = (side(sides[0], sides[1]), side(sides[2], sides[3]));
    if width == 0 || height == 0 {
        return Err(DecodeError::Invalid("the frame has no pixels"));
    }
    let (first, rest) = rest.split_at_checked((tag >> 5) as usize).ok_or(DecodeError::Truncated)?;
    Ok(Start { width, height, first, rest })
}

impl<'a> Parts<'a> {
    /// Reads the header of a frame.
    ///
    /// # Errors
    ///
    /// [`DecodeError`].
    pub fn read(frame: &'a [u8]) -> Result<Self, DecodeError> {
        let Start { width, height, first, rest } = start(frame)?;
        let mut bits = BoolDecoder::new(first);
        // The colour space, and whether pixels need clamping: WebP knows one space, and clamping never hurts.
        bits.literal(2);
        let segmentation = Segmentation::read(&mut bits);
        let (is_simple, level, sharpness) = (bits.flag(), bits.literal(6), bits.literal(3));
        let deltas = filter_deltas(&mut bits);
        let n_partitions = 1 << bits.literal(2);
        let quantizers = Quantizers::read(&mut bits);
        // Whether the probabilities are kept for frames to come, of which there are none.
        bits.flag();
        let probabilities = probabilities(&mut bits);
        let skip = bits.flag().then(|| bits.literal(8) as u8);
        let segments = std::array::from_fn(|i| {
            let level = segmentation.value(segmentation.levels[i], level as i32);
            quantizers.segment(segmentation.value(segmentation.indices[i], quantizers.index), |is_blocks| {
                let delta = deltas.map_or(0, |[intra, blocks]| intra + if is_blocks { blocks } else { 0 });
                Strength::new(level + delta, sharpness)
            })
        });
        let filter = match () {
            () if level == 0 => Filter::None,
            () if is_simple => Filter::Simple,
            () => Filter::Normal,
        };
        let header = Header { width, height, segments, segment_tree: segmentation.tree, filter, probabilities, skip };
        Ok(Self { header, modes: bits, coefficients: partitions(rest, n_partitions)? })
    }
}

/// Of each partition but the last the size is given in three bytes, before all of them. One that says more than there is
/// has what there is, and is found out when it is read, if it is.
fn partitions(bytes: &[u8], n: usize) -> Result<Vec<BoolDecoder<'_>>, DecodeError> {
    let (sizes, mut rest) = bytes.split_at_checked(3 * (n - 1)).ok_or(DecodeError::Truncated)?;
    let mut partitions = Vec::with_capacity(n);
    for size in sizes.as_chunks::<3>().0 {
        let size = u32::from_le_bytes([size[0], size[1], size[2], 0]) as usize;
        let (partition, after) = rest.split_at(size.min(rest.len()));
        partitions.push(BoolDecoder::new(partition));
        rest = after;
    }
    if rest.is_empty() {
        return Err(DecodeError::Truncated);
    }
    partitions.push(BoolDecoder::new(rest));
    Ok(partitions)
}

/// What the segments have of their own (section 9.3).
struct Segmentation {
    /// Whether there is more than one.
    is_enabled: bool,
    /// Whether the numbers are the segments' own, and not added to those of the frame.
    is_absolute: bool,
    indices: [i32; 4],
    levels: [i32; 4],
    tree: Option<[u8; 3]>,
}

impl Segmentation {
    fn read(bits: &mut BoolDecoder) -> Self {
        // Where no numbers follow, all are zero, and libwebp takes them as the segments' own.
        let mut segmentation =
            Self { is_enabled: bits.flag(), is_absolute: true, indices: [0; 4], levels: [0; 4], tree: None };
        if !segmentation.is_enabled {
            return segmentation;
        }
        let (has_map, has_values) = (bits.flag(), bits.flag());
        if has_values {
            segmentation.is_absolute = bits.flag();
            segmentation.indices = std::array::from_fn(|_| bits.optional_signed(7).unwrap_or(0));
            segmentation.levels = std::array::from_fn(|_| bits.optional_signed(6).unwrap_or(0));
        }
        if has_map {
            segmentation.tree = Some(std::array::from_fn(|_| if bits.flag() { bits.literal(8) as u8 } else { 255 }));
        }
        segmentation
    }

    /// What goes for a segment, whose own number is `own`, in a frame that says `common`.
    fn value(&self, own: i32, common: i32) -> i32 {
        match (self.is_enabled, self.is_absolute) {
            (false, _) => common,
            (true, false) => common + own,
            (true, true) => own,
        }
    }
}

/// What is added to the filter's level: in key frames, and there where luma is predicted in blocks (section 9.4).
fn filter_deltas(bits: &mut BoolDecoder) -> Option<[i32; 2]> {
    if !bits.flag() {
        return None;
    }
    let mut deltas = [0; 8];
    if bits.flag() {
        deltas = std::array::from_fn(|_| bits.optional_signed(6).unwrap_or(0));
    }
    Some([deltas[0], deltas[4]])
}

/// The quantiser index of the frame, and the differences from it (section 9.6).
struct Quantizers {
    index: i32,
    luma_dc: i32,
    second_dc: i32,
    second_ac: i32,
    chroma_dc: i32,
    chroma_ac: i32,
}

impl Quantizers {
    fn read(bits: &mut BoolDecoder) -> Self {
        let index = bits.literal(7) as i32;
        let [luma_dc, second_dc, second_ac, chroma_dc, chroma_ac] =
            std::array::from_fn(|_| bits.optional_signed(4).unwrap_or(0));
        Self { index, luma_dc, second_dc, second_ac, chroma_dc, chroma_ac }
    }

    /// The segment with this index (section 14.1).
    fn segment(&self, index: i32, strength: impl Fn(bool) -> Strength) -> Segment {
        let step =
            |steps: &[u16; 128], delta: i32, last: i32| i32::from(steps[(index + delta).clamp(0, last) as usize]);
        Segment {
            luma: [step(&DC_STEPS, self.luma_dc, 127), step(&AC_STEPS, 0, 127)],
            luma_dc: [
                step(&DC_STEPS, self.second_dc, 127) * 2,
                (step(&AC_STEPS, self.second_ac, 127) * 155 / 100).max(8),
            ],
            chroma: [step(&DC_STEPS, self.chroma_dc, 117), step(&AC_STEPS, self.chroma_ac, 127)],
            strengths: [strength(false), strength(true)],
        }
    }
}

/// The probabilities of coefficients, by position instead of band (section 13.4).
fn probabilities(bits: &mut BoolDecoder) -> Box<Probabilities> {
    let mut probabilities: CoefficientProbabilities = DEFAULT_COEFFICIENTS;
    let all = probabilities.as_flattened_mut().as_flattened_mut().as_flattened_mut();
    for (prob, update) in all.iter_mut().zip(UPDATE_COEFFICIENTS.as_flattened().as_flattened().as_flattened()) {
        if bits.get(*update) {
            *prob = bits.literal(8) as u8;
        }
    }
    Box::new(std::array::from_fn(|kind| BANDS.map(|band| probabilities[kind][usize::from(band)])))
}
