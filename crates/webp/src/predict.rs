//! Intra prediction from the pixels above and to the left: RFC 6386, section 12.
//!
//! Blocks of 4x4 pixels are held column by column, sixteen bytes each; a macroblock is sixteen luma blocks row by row,
//! and four of each chroma.

use crate::modes::WholeMode;
use crate::simd::{means, pick};

/// The pixels that stand for those outside the picture (section 12.2).
pub const OUTSIDE_ABOVE: u8 = 127;
/// See [`OUTSIDE_ABOVE`].
pub const OUTSIDE_LEFT: u8 = 129;

/// The corner of a macroblock in the first column.
pub fn outside_corner(row: usize) -> u8 {
    if row > 0 { OUTSIDE_LEFT } else { OUTSIDE_ABOVE }
}

/// Where each byte of a block held by columns is in one held by rows, and the other way around.
pub const TURNED: [u8; 16] = [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];

/// 4x4 pixels, column by column.
pub type Block = [u8; 16];

/// The pixels around a square of `N` by `N`, and whether they are in the picture.
#[derive(Clone, Copy)]
pub struct Edges<const N: usize> {
    /// The row above.
    pub above: [u8; N],
    /// The column to the left.
    pub left: [u8; N],
    /// The pixel above the column to the left.
    pub corner: u8,
    /// Whether there is a row above, and a column to the left.
    pub inside: (bool, bool),
}

impl<const N: usize> Edges<N> {
    /// The prediction of the square's blocks, row by row, into `blocks`.
    #[inline(always)]
    pub fn predict(&self, mode: WholeMode, blocks: &mut [Block]) {
        match mode {
            WholeMode::Dc => blocks.fill([self.mean(); 16]),
            WholeMode::Vertical => self.fill(blocks, |above, _| above.map(|pixel| [pixel; 4])),
            WholeMode::Horizontal => self.fill(blocks, |_, left| [left; 4]),
            WholeMode::TrueMotion => {
                let corner = i16::from(self.corner);
                self.fill(blocks, |above, left| true_motion(above, left, corner));
            }
        }
    }

    #[inline(always)]
    fn fill(&self, blocks: &mut [Block], columns: impl Fn([u8; 4], [u8; 4]) -> [[u8; 4]; 4]) {
        for (row, line) in blocks.chunks_exact_mut(N / 4).enumerate() {
            for (column, block) in line.iter_mut().enumerate() {
                let pixels = columns(four(&self.above, column * 4), four(&self.left, row * 4));
                block.copy_from_slice(pixels.as_flattened());
            }
        }
    }

    /// The mean of those edges that are in the picture (section 12.2).
    fn mean(&self) -> u8 {
        let sum = |edge: &[u8; N]| edge.iter().map(|&pixel| u32::from(pixel)).sum::<u32>();
        mean_of_sums(sum(&self.above), sum(&self.left), N as u32, self.inside)
    }
}

/// The mean of those edges, of `n` pixels each, that are in the picture (section 12.2).
pub fn mean_of_sums(above: u32, left: u32, n: u32, inside: (bool, bool)) -> u8 {
    let mean = match inside {
        (true, true) => (above + left + n) / (2 * n),
        (true, false) => (above + n / 2) / n,
        (false, true) => (left + n / 2) / n,
        (false, false) => 128,
    };
    mean as u8
}

/// Four pixels from `at` on.
#[inline(always)]
pub fn four(pixels: &[u8], at: usize) -> [u8; 4] {
    [pixels[at], pixels[at + 1], pixels[at + 2], pixels[at + 3]]
}

#[inline(always)]
fn true_motion(above: [u8; 4], left: [u8; 4], corner: i16) -> [[u8; 4]; 4] {
    above.map(|top| left.map(|side| (i16::from(side) + i16::from(top) - corner).clamp(0, 255) as u8))
}

/// The bottom row of a block.
#[inline(always)]
pub fn bottom(block: &Block) -> [u8; 4] {
    [block[3], block[7], block[11], block[15]]
}

/// The right column of a block.
#[inline(always)]
pub fn right(block: &Block) -> [u8; 4] {
    [block[12], block[13], block[14], block[15]]
}

/// All ten predictions of a 4x4 block: `above` has eight pixels (section 12.3).
#[inline(always)]
pub fn predict_block(above: &[u8; 8], left: &[u8; 4], corner: u8) -> [Block; 10] {
    let (two, three) = neighbour_means(above, left, corner);
    let sum: u32 = above[..4].iter().chain(left).map(|&pixel| u32::from(pixel)).sum();
    let mut tm = [0; 16];
    tm.copy_from_slice(true_motion(four(above, 0), *left, i16::from(corner)).as_flattened());
    let mut blocks = [[((sum + 4) >> 3) as u8; 16]; 10];
    blocks[1] = tm;
    for (block, index) in blocks[2..].iter_mut().zip(&DIRECTIONS) {
        *block = pick(&two, &three, index);
    }
    blocks
}

/// The prediction of a 4x4 block in one mode, row by row: `left` from the lowest pixel upwards, `above` from the corner to
/// the right.
#[inline(always)]
pub fn predict_rows(mode: u8, left: [u8; 4], above: [u8; 9]) -> [u8; 16] {
    let [corner, top @ ..] = &above;
    match mode {
        0 => {
            let sum: u32 = top[..4].iter().chain(&left).map(|&pixel| u32::from(pixel)).sum();
            [((sum + 4) >> 3) as u8; 16]
        }
        1 => {
            let columns = true_motion(four(top, 0), [left[3], left[2], left[1], left[0]], i16::from(*corner));
            let mut block = [0; 16];
            block.copy_from_slice(columns.as_flattened());
            pick(&block, &block, &TURNED)
        }
        mode => {
            let [l3, l2, l1, l0] = left;
            let [c, a0, a1, a2, a3, a4, a5, a6, a7] = above;
            let (two, three) = means(&[l3, l2, l1, l0, c, a0, a1, a2, a3, a4, a5, a6, a7, a7, l3, l3]);
            pick(&two, &three, &DIRECTIONS_BY_ROWS[usize::from(mode - 2) & 7])
        }
    }
}

/// The RFC's array of edge pixels runs from the lowest to the left, over the corner, to the last above. For each of its
/// pixels this gives the mean with the next one, and the weighted mean with both neighbours.
#[inline(always)]
fn neighbour_means(above: &[u8; 8], left: &[u8; 4], corner: u8) -> ([u8; 16], [u8; 16]) {
    let [l0, l1, l2, l3] = *left;
    let [a0, a1, a2, a3, a4, a5, a6, a7] = *above;
    means(&[l3, l2, l1, l0, corner, a0, a1, a2, a3, a4, a5, a6, a7, a7, l3, l3])
}

/// The mean of an edge pixel and the next.
const fn two(at: u8) -> u8 {
    at
}

/// The weighted mean around an edge pixel.
const fn three(at: u8) -> u8 {
    16 + at
}

/// Where each pixel of the eight directional modes comes from.
static DIRECTIONS: [[u8; 16]; 8] = [
    columns([[three(5), three(6), three(7), three(8)]; 4]),
    columns([[three(3); 4], [three(2); 4], [three(1); 4], [three(0); 4]]),
    columns(diagonal(6, 1)),
    columns(diagonal(4, -1)),
    columns([
        [two(4), two(5), two(6), two(7)],
        [three(4), three(5), three(6), three(7)],
        [three(3), two(4), two(5), two(6)],
        [three(2), three(4), three(5), three(6)],
    ]),
    columns([
        [two(5), two(6), two(7), two(8)],
        [three(6), three(7), three(8), three(9)],
        [two(6), two(7), two(8), three(10)],
        [three(7), three(8), three(9), three(11)],
    ]),
    columns([
        [two(3), three(4), three(5), three(6)],
        [two(2), three(3), two(3), three(4)],
        [two(1), three(2), two(2), three(3)],
        [two(0), three(1), two(1), three(2)],
    ]),
    columns([
        [two(2), three(2), two(1), three(1)],
        [two(1), three(1), two(0), three(0)],
        [two(0), three(0), two(14), two(14)],
        [two(14), two(14), two(14), two(14)],
    ]),
];

/// The same, row by row.
static DIRECTIONS_BY_ROWS: [[u8; 16]; 8] = {
    let mut turned = [[0; 16]; 8];
    let mut i = 0;
    while i < 128 {
        turned[i / 16][i % 16] = DIRECTIONS[i / 16][TURNED[i % 16] as usize];
        i += 1;
    }
    turned
};

const fn columns(rows: [[u8; 4]; 4]) -> [u8; 16] {
    let mut out = [0; 16];
    let mut i = 0;
    while i < 16 {
        out[i] = rows[i % 4][i / 4];
        i += 1;
    }
    out
}

const fn diagonal(start: i8, down: i8) -> [[u8; 4]; 4] {
    let mut rows = [[0; 4]; 4];
    let mut i = 0;
    while i < 16 {
        let (row, column) = ((i / 4) as i8, (i % 4) as i8);
        rows[i / 4][i % 4] = three((start + row * down + column) as u8);
        i += 1;
    }
    rows
}
