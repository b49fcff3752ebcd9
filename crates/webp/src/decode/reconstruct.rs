//! Prediction and what is added to it: RFC 6386, sections 12 and 14.

use super::modes::Modes;
use super::residual::Coefficients;
use crate::macroblock::{CHROMA, LumaMode};
use crate::modes::WholeMode;
use crate::predict::{OUTSIDE_ABOVE, OUTSIDE_LEFT, mean_of_sums, outside_corner, predict_rows};
use crate::simd::I16x8;
use crate::transform::{Pair, residual};

/// Where the first pixel of a row stands; what is left of it stands before.
const START: usize = 8;

/// A square of `N` by `N` pixels to work on, below the row above it: `ROWS` is one more than `N`. In each row the pixel
/// to the left and, after those of the square, four to the right.
struct Square<const N: usize, const ROWS: usize>([[u8; 32]; ROWS]);

impl<const N: usize, const ROWS: usize> Square<N, ROWS> {
    const EMPTY: Self = Self([[0; 32]; ROWS]);

    fn set_above(&mut self, above: &[u8]) {
        self.0[0][START..START + above.len()].copy_from_slice(above);
    }

    /// What is to the left: outside of the picture, or the last column of the macroblock that was here before.
    fn set_left(&mut self, is_first: bool, row: usize) {
        for pixels in &mut self.0[1..] {
            pixels[START - 1] = if is_first { OUTSIDE_LEFT } else { pixels[START + N - 1] };
        }
        if is_first {
            self.0[0][START - 1] = outside_corner(row);
        }
    }

    /// The prediction of all of it (section 12.2).
    fn predict(&mut self, mode: WholeMode, has_above: bool, has_left: bool) {
        let Some((above, rows)) = self.0.split_first_mut() else { return };
        let mut top = [0; N];
        top.copy_from_slice(&above[START..START + N]);
        let corner = i16::from(above[START - 1]);
        match mode {
            WholeMode::Dc => {
                let above: u32 = top.iter().map(|&pixel| u32::from(pixel)).sum();
                let left: u32 = rows.iter().map(|row| u32::from(row[START - 1])).sum();
                let mean = mean_of_sums(above, left, N as u32, (has_above, has_left));
                rows.iter_mut().for_each(|row| row[START..START + N].fill(mean));
            }
            WholeMode::Vertical => rows.iter_mut().for_each(|row| row[START..START + N].copy_from_slice(&top)),
            WholeMode::Horizontal => rows.iter_mut().for_each(|row| {
                let left = row[START - 1];
                row[START..START + N].fill(left);
            }),
            WholeMode::TrueMotion => {
                for row in rows {
                    let slope = I16x8::splat(i16::from(row[START - 1]) - corner);
                    for (to, top) in row[START..START + N].as_chunks_mut::<8>().0.iter_mut().zip(top.as_chunks::<8>().0)
                    {
                        *to = I16x8::of_bytes(*top).add(slope).to_bytes();
                    }
                }
            }
        }
    }

    /// Adds to two blocks side by side, the first of which begins at `x`, `y`.
    #[inline(always)]
    fn add(&mut self, x: usize, y: usize, differences: &Pair) {
        for (row, difference) in self.0[1 + y..].iter_mut().zip(differences) {
            if let Some(pixels) = row[START + x..].first_chunk_mut::<8>() {
                *pixels = I16x8::of_bytes(*pixels).add(*difference).to_bytes();
            }
        }
    }

    /// Adds what `coefficients` say of the pairs of blocks from `first` on.
    fn add_all(&mut self, coefficients: &Coefficients, first: usize) {
        for i in 0..N * N / 32 {
            if let Some(differences) = differences(coefficients, first + i) {
                self.add(i * 8 % N, i * 8 / N * 4, &differences);
            }
        }
    }

    /// The last row, but for its end.
    fn bottom(&self) -> &[u8] {
        &self.0[ROWS - 1][START..START + N]
    }

    /// Writes the square into a plane.
    fn write(&self, plane: &mut [u8], stride: usize) {
        for (row, to) in self.0[1..].iter().zip(plane.chunks_mut(stride)) {
            to[..N].copy_from_slice(&row[START..START + N]);
        }
    }
}

/// What is to be added to two blocks, row by row; none where that is nothing.
#[inline(always)]
fn differences(coefficients: &Coefficients, pair: usize) -> Option<Pair> {
    let ends = [coefficients.ends[pair * 2], coefficients.ends[pair * 2 + 1]];
    if ends == [0, 0] {
        return None;
    }
    let coefficients = &coefficients.pairs[pair];
    if ends[0].max(ends[1]) == 1 {
        let [first, second] = [0, 4].map(|at| coefficients[at].wrapping_add(4) >> 3);
        return Some([I16x8::from_array([first, first, first, first, second, second, second, second]); 4]);
    }
    let rows = coefficients.as_chunks::<8>().0;
    let rows = [rows[0], rows[1], rows[2], rows[3]].map(I16x8::from_array);
    Some(I16x8::transpose(residual(&rows)))
}

/// Makes the macroblocks of a row, from left to right.
pub struct Reconstruction {
    luma: Square<16, 17>,
    chroma: [Square<8, 9>; 2],
    /// The last row of pixels above, before the loop filter.
    luma_above: Vec<u8>,
    chroma_above: [Vec<u8>; 2],
}

/// Where a macroblock is.
#[derive(Clone, Copy)]
pub struct Place {
    /// Its column.
    pub column: usize,
    /// Its row.
    pub row: usize,
    /// How many columns there are.
    pub columns: usize,
}

impl Reconstruction {
    /// For a picture of so many macroblocks across.
    pub fn new(columns: usize) -> Self {
        let chroma_above = || vec![OUTSIDE_ABOVE; columns * 8];
        Self {
            luma: Square::EMPTY,
            chroma: [Square::EMPTY, Square::EMPTY],
            luma_above: vec![OUTSIDE_ABOVE; columns * 16],
            chroma_above: [chroma_above(), chroma_above()],
        }
    }

    /// Makes one macroblock, and writes it where each plane has it: luma and both of chroma from there on.
    pub fn macroblock(&mut self, place: Place, modes: &Modes, coefficients: &Coefficients, planes: [&mut [u8]; 3]) {
        let Place { column, row, columns } = place;
        let (has_above, has_left) = (row > 0, column > 0);
        let at = column * 16;
        // The corner is the last pixel above of the macroblock before.
        self.luma.0[0][START - 1] = self.luma.0[0][START + 15];
        self.luma.set_left(!has_left, row);
        let end = (at + 20).min(self.luma_above.len());
        self.luma.set_above(&self.luma_above[at..end]);
        if column + 1 == columns {
            let last = self.luma.0[0][START + 15];
            self.luma.0[0][START + 16..START + 20].fill(last);
        }
        match &modes.luma {
            LumaMode::Whole(mode) => {
                self.luma.predict(*mode, has_above, has_left);
                self.luma.add_all(coefficients, 0);
            }
            LumaMode::Blocks(modes) => self.blocks(modes, coefficients),
        }
        self.luma_above[at..at + 16].copy_from_slice(self.luma.bottom());
        let [y, cb, cr] = planes;
        self.luma.write(y, columns * 16);
        let at = column * 8;
        for (i, plane) in [cb, cr].into_iter().enumerate() {
            let (square, above) = (&mut self.chroma[i], &mut self.chroma_above[i]);
            square.0[0][START - 1] = square.0[0][START + 7];
            square.set_left(!has_left, row);
            square.set_above(&above[at..at + 8]);
            square.predict(modes.chroma, has_above, has_left);
            square.add_all(coefficients, CHROMA / 2 + 2 * i);
            above[at..at + 8].copy_from_slice(square.bottom());
            square.write(plane, columns * 8);
        }
    }

    /// Luma in blocks, each predicted from those before (section 12.3).
    fn blocks(&mut self, modes: &[u8; 16], coefficients: &Coefficients) {
        let rows = &mut self.luma.0;
        // Blocks at the right edge take what is above the macroblock to the right, in all four rows.
        for row in [4, 8, 12] {
            let right: [u8; 4] = std::array::from_fn(|i| rows[0][START + 16 + i]);
            rows[row][START + 16..START + 20].copy_from_slice(&right);
        }
        for (i, modes) in modes.as_chunks::<4>().0.iter().enumerate() {
            let Some(rows) = rows[i * 4..].first_chunk_mut::<5>() else { return };
            for half in 0..2 {
                let differences = differences(coefficients, i * 2 + half).map(I16x8::split_pair);
                for j in 0..2 {
                    let x = START + half * 8 + j * 4;
                    let left = [rows[4][x - 1], rows[3][x - 1], rows[2][x - 1], rows[1][x - 1]];
                    let mut above = [0; 9];
                    above.copy_from_slice(&rows[0][x - 1..x + 8]);
                    let mut pixels = predict_rows(modes[half * 2 + j], left, above);
                    if let Some(differences) = &differences {
                        let [upper, lower] = differences[j];
                        let (first, second) = pixels.split_at_mut(8);
                        for (pixels, difference) in [(first, upper), (second, lower)] {
                            if let Some(pixels) = pixels.first_chunk_mut::<8>() {
                                *pixels = I16x8::of_bytes(*pixels).add(difference).to_bytes();
                            }
                        }
                    }
                    for (row, pixels) in rows[1..].iter_mut().zip(pixels.as_chunks::<4>().0) {
                        row[x..x + 4].copy_from_slice(pixels);
                    }
                }
            }
        }
    }
}
