//! A VP8 key frame: analysis, then one pass over the macroblocks that decides and records, then the bits (RFC 6386,
//! sections 9.1 and 19.1).

use crate::analysis::{Analysis, Segmentation, source};
use crate::cost::LevelCosts;
use crate::decide::{Chooser, Search};
use crate::error::Error;
use crate::header::{Modes, first_partition};
use crate::macroblock::{CHROMA, Decision, LUMA_DC, LumaMode, NonZero, Surroundings, kind};
use crate::options::Tuning;
use crate::predict::{Block, Edges, OUTSIDE_ABOVE, OUTSIDE_LEFT, TURNED, outside_corner};
use crate::simd::pick;
use crate::tables::DEFAULT_COEFFICIENTS;
use crate::tokens::Tokens;
use crate::yuv::Planes;

/// The least macroblocks between two looks at the probabilities.
const MIN_REFRESH: usize = 96;

/// The first partition's size has 19 bits.
const MAX_FIRST_PARTITION: usize = (1 << 19) - 1;

/// A coded frame.
pub struct Frame {
    /// The payload of a `VP8 ` chunk.
    pub bytes: Vec<u8>,
    /// The pixels before the loop filter, if they were asked for.
    pub pixels: Option<Planes>,
}

/// Encodes planes of the given size.
///
/// # Errors
///
/// [`Error::TooLarge`].
pub fn encode(
    planes: &Planes,
    size: (u32, u32),
    quality: u8,
    effort: u8,
    tuning: &Tuning,
    keep_pixels: bool,
) -> Result<Frame, Error> {
    let segmentation = analyse(planes, quality, tuning);
    let search = search(effort, planes, tuning);
    let coder = Coder::new(planes, segmentation, search, keep_pixels);
    let (first, coefficients, pixels) = coder.run();
    if first.len() <= MAX_FIRST_PARTITION.min((tuning.header_bits / 8) as usize + 4096) {
        return Ok(Frame { bytes: assemble(size, &first, &coefficients), pixels });
    }
    // The modes alone are too many bytes: say as little as can be said.
    let tuning = Tuning { segments: 1, ..*tuning };
    let segmentation = analyse(planes, quality, &tuning);
    let search = Search { whole: 1, blocks: 0, chroma: 1, header_limit: 0, lean: true };
    let (first, coefficients, pixels) = Coder::new(planes, segmentation, search, keep_pixels).run();
    if first.len() > MAX_FIRST_PARTITION {
        return Err(Error::TooLarge);
    }
    Ok(Frame { bytes: assemble(size, &first, &coefficients), pixels })
}

fn search(effort: u8, planes: &Planes, tuning: &Tuning) -> Search {
    let macroblocks = (planes.columns * planes.rows) as u64;
    let header_limit = (tuning.header_bits * 256 / macroblocks).min(u64::from(u32::MAX)) as u32;
    let (whole, blocks, chroma) = match effort {
        0 => (1, 0, 1),
        1 => (1, 2, 1),
        2 | 3 => (1, 2, 2),
        4 => (2, 2, 2),
        5 => (3, 4, 3),
        _ => (4, 10, 4),
    };
    Search { whole, blocks, chroma, header_limit, lean: false }
}

fn assemble(size: (u32, u32), first: &[u8], coefficients: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(10 + first.len() + coefficients.len());
    // A key frame that is shown, version 0.
    let tag = (first.len() as u32) << 5 | 1 << 4;
    bytes.extend_from_slice(&tag.to_le_bytes()[..3]);
    bytes.extend_from_slice(&[0x9d, 0x01, 0x2a]);
    bytes.extend_from_slice(&(size.0 as u16).to_le_bytes());
    bytes.extend_from_slice(&(size.1 as u16).to_le_bytes());
    bytes.extend_from_slice(first);
    bytes.extend_from_slice(coefficients);
    bytes
}

fn analyse(planes: &Planes, quality: u8, tuning: &Tuning) -> Segmentation {
    let mut analysis = Analysis::new(planes.columns * planes.rows);
    for row in 0..planes.rows {
        for column in 0..planes.columns {
            let luma = source_edges::<16>(&planes.y, planes.y_stride(), column, row);
            let chroma = [0, 1].map(|i| source_edges::<8>(&planes.chroma[i], planes.chroma_stride(), column, row));
            analysis.add(&blocks(planes, column, row), &luma, &chroma);
        }
    }
    analysis.finish(quality, tuning)
}

fn source_edges<const N: usize>(plane: &[u8], stride: usize, column: usize, row: usize) -> Edges<N> {
    let at = row * N * stride + column * N;
    let mut edges = Edges {
        above: [OUTSIDE_ABOVE; N],
        left: [OUTSIDE_LEFT; N],
        corner: outside_corner(row),
        inside: (row > 0, column > 0),
    };
    if row > 0 {
        edges.above.copy_from_slice(&plane[at - stride..][..N]);
    }
    if column > 0 {
        edges.left = std::array::from_fn(|i| plane[at + i * stride - 1]);
        if row > 0 {
            edges.corner = plane[at - stride - 1];
        }
    }
    edges
}

/// The blocks of a macroblock of the source.
fn blocks(planes: &Planes, column: usize, row: usize) -> [Block; 24] {
    let mut blocks = [[0; 16]; 24];
    let (luma, chroma) = blocks.split_at_mut(CHROMA);
    read_blocks::<4>(&planes.y, planes.y_stride(), (column * 16, row * 16), luma);
    for (plane, blocks) in planes.chroma.iter().zip(chroma.chunks_exact_mut(4)) {
        read_blocks::<2>(plane, planes.chroma_stride(), (column * 8, row * 8), blocks);
    }
    blocks
}

fn read_blocks<const N: usize>(plane: &[u8], stride: usize, at: (usize, usize), blocks: &mut [Block]) {
    for (i, block) in blocks.iter_mut().enumerate() {
        let start = (at.1 + i / N * 4) * stride + at.0 + i % N * 4;
        let mut rows = [0; 16];
        for (y, row) in rows.chunks_exact_mut(4).enumerate() {
            row.copy_from_slice(&plane[start + y * stride..][..4]);
        }
        *block = pick(&rows, &rows, &TURNED);
    }
}

fn write_blocks<const N: usize>(plane: &mut [u8], stride: usize, at: (usize, usize), blocks: &[Block]) {
    for (i, block) in blocks.iter().enumerate() {
        let start = (at.1 + i / N * 4) * stride + at.0 + i % N * 4;
        for (y, row) in pick(block, block, &TURNED).chunks_exact(4).enumerate() {
            plane[start + y * stride..][..4].copy_from_slice(row);
        }
    }
}

/// What the macroblocks below and to the right need to know.
#[derive(Clone, Copy)]
struct Below {
    luma: [u8; 16],
    chroma: [[u8; 8]; 2],
    modes: [u8; 4],
    nonzero: NonZero,
}

impl Below {
    const OUTSIDE: Self = Self {
        luma: [OUTSIDE_ABOVE; 16],
        chroma: [[OUTSIDE_ABOVE; 8]; 2],
        modes: [0; 4],
        nonzero: NonZero { flags: [0; 9] },
    };
    const OUTSIDE_LEFT: Self = Self { luma: [OUTSIDE_LEFT; 16], chroma: [[OUTSIDE_LEFT; 8]; 2], ..Self::OUTSIDE };
}

/// The pass over the macroblocks.
struct Coder<'a> {
    planes: &'a Planes,
    segmentation: Segmentation,
    search: Search,
    costs: LevelCosts,
    tokens: Tokens,
    modes: Vec<Modes>,
    above: Vec<Below>,
    left: Below,
    /// The last pixels above of the macroblock before: luma and both chroma.
    corners: [u8; 3],
    pixels: Option<Planes>,
}

impl<'a> Coder<'a> {
    fn new(planes: &'a Planes, segmentation: Segmentation, search: Search, keep_pixels: bool) -> Self {
        let empty = || vec![0; planes.chroma[0].len()];
        let pixels = keep_pixels.then(|| Planes {
            columns: planes.columns,
            rows: planes.rows,
            y: vec![0; planes.y.len()],
            chroma: [empty(), empty()],
        });
        Self {
            planes,
            segmentation,
            search,
            costs: LevelCosts::new(&DEFAULT_COEFFICIENTS),
            tokens: Tokens::new(),
            modes: Vec::with_capacity(planes.columns * planes.rows),
            above: vec![Below::OUTSIDE; planes.columns],
            left: Below::OUTSIDE_LEFT,
            corners: [0; 3],
            pixels,
        }
    }

    fn run(mut self) -> (Vec<u8>, Vec<u8>, Option<Planes>) {
        let refresh = (self.planes.columns * self.planes.rows / 8).max(MIN_REFRESH);
        let mut decision = Decision::empty();
        for row in 0..self.planes.rows {
            self.left = Below::OUTSIDE_LEFT;
            self.corners = [outside_corner(row); 3];
            for column in 0..self.planes.columns {
                if !self.modes.is_empty() && self.modes.len().is_multiple_of(refresh) {
                    self.costs.update(&self.tokens.probabilities());
                }
                self.macroblock(column, row, &mut decision);
            }
        }
        let probs = self.tokens.probabilities();
        let first = first_partition(&self.segmentation, &probs, &self.modes, self.planes.columns);
        (first, self.tokens.write(&probs), self.pixels)
    }

    fn macroblock(&mut self, column: usize, row: usize, decision: &mut Decision) {
        let around = self.surroundings(column, row);
        let segment = usize::from(self.segmentation.map[row * self.planes.columns + column]);
        Chooser {
            source: &source(blocks(self.planes, column, row)),
            around: &around,
            segment: &self.segmentation.segments[segment],
            costs: &self.costs,
            search: self.search,
        }
        .decide(decision);
        let nonzero = self.record(&around, decision);
        let is_empty = self.is_unsaid(decision);
        self.modes.push(Modes { luma: decision.luma, chroma: decision.chroma, is_empty });
        self.keep(column, row, decision);
        self.advance(column, decision, nonzero);
    }

    fn surroundings(&self, column: usize, row: usize) -> Surroundings {
        let (above, left) = (&self.above[column], &self.left);
        let inside = (row > 0, column > 0);
        let chroma =
            |i: usize| Edges { above: above.chroma[i], left: left.chroma[i], corner: self.corners[1 + i], inside };
        let above_right = match self.above.get(column + 1) {
            Some(next) => std::array::from_fn(|i| next.luma[i]),
            None => [above.luma[15]; 4],
        };
        Surroundings {
            luma: Edges { above: above.luma, left: left.luma, corner: self.corners[0], inside },
            above_right,
            chroma: [chroma(0), chroma(1)],
            modes: (above.modes, left.modes),
            nonzero: (above.nonzero, left.nonzero),
        }
    }

    /// Whether a macroblock's coefficients are left out.
    fn is_unsaid(&self, decision: &Decision) -> bool {
        !self.search.lean && decision.coefficients.is_empty()
    }

    /// Records the tokens of a macroblock. An empty one has none: the first partition says so.
    fn record(&mut self, around: &Surroundings, decision: &Decision) -> (NonZero, NonZero) {
        let (mut above, mut left) = around.nonzero;
        let is_whole = matches!(decision.luma, LumaMode::Whole(_));
        let coefficients = &decision.coefficients;
        if self.is_unsaid(decision) {
            let after = |before: NonZero| {
                let dc = if is_whole { 0 } else { before.flags[8] };
                NonZero { flags: [0, 0, 0, 0, 0, 0, 0, 0, dc] }
            };
            return (after(above), after(left));
        }
        let mut block = |tokens: &mut Tokens, kind: usize, i: usize, x: usize, y: usize| {
            let (a, l) = (&mut above.flags[x], &mut left.flags[y]);
            let first = usize::from(kind == kind::LUMA_AC);
            tokens.block(kind, first, usize::from(*a + *l), &coefficients.levels[i], coefficients.masks[i]);
            *a = u8::from(coefficients.masks[i] != 0);
            *l = *a;
        };
        if is_whole {
            block(&mut self.tokens, kind::LUMA_DC, LUMA_DC, 8, 8);
        }
        for i in 0..CHROMA {
            block(&mut self.tokens, if is_whole { kind::LUMA_AC } else { kind::LUMA }, i, i % 4, i / 4);
        }
        for i in 0..8 {
            let plane = 4 + i / 4 * 2;
            block(&mut self.tokens, kind::CHROMA, CHROMA + i, plane + i % 2, plane + i % 4 / 2);
        }
        (above, left)
    }

    fn keep(&mut self, column: usize, row: usize, decision: &Decision) {
        let Some(pixels) = &mut self.pixels else { return };
        let (y_stride, chroma_stride) = (pixels.y_stride(), pixels.chroma_stride());
        write_blocks::<4>(&mut pixels.y, y_stride, (column * 16, row * 16), &decision.pixels[..CHROMA]);
        for (plane, blocks) in pixels.chroma.iter_mut().zip(decision.pixels[CHROMA..].chunks_exact(4)) {
            write_blocks::<2>(plane, chroma_stride, (column * 8, row * 8), blocks);
        }
    }

    fn advance(&mut self, column: usize, decision: &Decision, nonzero: (NonZero, NonZero)) {
        let above = &self.above[column];
        let is_first_row = self.modes.len() <= self.planes.columns;
        self.corners =
            if is_first_row { [OUTSIDE_ABOVE; 3] } else { [above.luma[15], above.chroma[0][7], above.chroma[1][7]] };
        let modes = decision.luma.block_modes();
        self.above[column] = Below {
            luma: decision.luma_bottom(),
            chroma: [decision.chroma_bottom(0), decision.chroma_bottom(1)],
            modes: std::array::from_fn(|i| modes[12 + i]),
            nonzero: nonzero.0,
        };
        self.left = Below {
            luma: decision.luma_right(),
            chroma: [decision.chroma_right(0), decision.chroma_right(1)],
            modes: std::array::from_fn(|i| modes[i * 4 + 3]),
            nonzero: nonzero.1,
        };
    }
}
