//! From pixels or planes to blocks of samples around zero.

use super::blocks::{SIDE, Samples as BlockSamples};
use super::{Chroma, Picture, Samples};

/// A strip of one channel: eight or sixteen rows of samples around zero.
struct Strip {
    samples: Vec<f32>,
    stride: usize,
}

impl Strip {
    fn new(stride: usize, n_rows: usize) -> Self {
        Self { samples: vec![0.0; stride * n_rows], stride }
    }

    fn row_mut(&mut self, y: usize) -> &mut [f32] {
        &mut self.samples[y * self.stride..(y + 1) * self.stride]
    }

    /// Takes over a row of bytes.
    fn set_row(&mut self, y: usize, row: &[u8]) {
        self.row_mut(y).iter_mut().zip(row).for_each(|(sample, byte)| *sample = f32::from(*byte) - 128.0);
        self.extend_row(y, row.len());
    }

    /// Repeats the last of the first `n_samples` of a row to its end.
    fn extend_row(&mut self, y: usize, n_samples: usize) {
        let row = self.row_mut(y);
        let last = row[n_samples - 1];
        row[n_samples..].fill(last);
    }

    /// The block whose upper left sample is at (`x`, `y`).
    fn block(&self, x: usize, y: usize) -> BlockSamples {
        let mut block = [[0.0; SIDE]; SIDE];
        for (row_idx, row) in block.iter_mut().enumerate() {
            let start = (y + row_idx) * self.stride + x;
            if let Some(samples) = self.samples[start..].first_chunk::<SIDE>() {
                *row = *samples;
            }
        }
        block
    }
}

/// Where a block is among those of its channel, across and down.
pub(super) type Place = (usize, usize);

/// Hands out the blocks of samples in the order in which a sequential scan holds them: channel, place, samples.
pub(super) fn for_each_block(picture: &Picture, chroma: Chroma, write: impl FnMut(usize, Place, BlockSamples)) {
    match chroma {
        Chroma::Full => full(picture, write),
        Chroma::Quarter => quarter(picture, write),
    }
}

/// Every channel of every pixel: blocks of 8 by 8 pixels, one of each channel in turn.
fn full(picture: &Picture, mut write: impl FnMut(usize, Place, BlockSamples)) {
    let (width, height) = picture.size();
    let n_columns = width.div_ceil(SIDE);
    let mut strips: Vec<_> = (0..picture.n_channels()).map(|_| Strip::new(n_columns * SIDE, SIDE)).collect();
    for row in 0..height.div_ceil(SIDE) {
        for y in 0..SIDE {
            match (picture, &mut strips[..]) {
                (Picture::Rgb(pixels), [luma, blue, red]) => {
                    let samples = luma.row_mut(y).iter_mut().zip(blue.row_mut(y)).zip(red.row_mut(y));
                    let pixels = pixels.row(row * SIDE + y, 3).as_chunks::<3>().0;
                    for (pixel, ((luma, blue), red)) in pixels.iter().zip(samples) {
                        let [r, g, b] = pixel.map(f32::from);
                        *luma = luma_of(r, g, b);
                        (*blue, *red) = chroma_of(r, g, b);
                    }
                    strips.iter_mut().for_each(|strip| strip.extend_row(y, width));
                }
                (Picture::YCbCr(planes), strips) => {
                    strips.iter_mut().zip(planes).for_each(|(strip, plane)| {
                        strip.set_row(y, plane.row(row * SIDE + y, 1));
                    });
                }
                (Picture::Gray(samples), strips) => {
                    strips.iter_mut().for_each(|strip| strip.set_row(y, samples.row(row * SIDE + y, 1)));
                }
                (Picture::Rgb(_), _) => {}
            }
        }
        for column in 0..n_columns {
            for (channel_idx, strip) in strips.iter().enumerate() {
                write(channel_idx, (column, row), strip.block(column * SIDE, 0));
            }
        }
    }
}

/// Colour once for four pixels: four blocks of brightness, then one of each colour, for 16 by 16 pixels.
fn quarter(picture: &Picture, mut write: impl FnMut(usize, Place, BlockSamples)) {
    let (width, height) = picture.size();
    let n_columns = width.div_ceil(2 * SIDE);
    let mut luma = Strip::new(n_columns * 2 * SIDE, 2 * SIDE);
    let mut blue = Strip::new(n_columns * SIDE, SIDE);
    let mut red = Strip::new(n_columns * SIDE, SIDE);
    for row in 0..height.div_ceil(2 * SIDE) {
        for y in 0..SIDE {
            let pair = [2 * y, 2 * y + 1];
            match picture {
                Picture::Rgb(pixels) => {
                    let rows = pair.map(|y| pixels.row(row * 2 * SIDE + y, 3));
                    for (y, row) in pair.into_iter().zip(rows) {
                        let samples = luma.row_mut(y).iter_mut();
                        for (pixel, sample) in row.as_chunks::<3>().0.iter().zip(samples) {
                            let [r, g, b] = pixel.map(f32::from);
                            *sample = luma_of(r, g, b);
                        }
                        luma.extend_row(y, width);
                    }
                    average_chroma(rows, blue.row_mut(y), red.row_mut(y));
                    blue.extend_row(y, width.div_ceil(2));
                    red.extend_row(y, width.div_ceil(2));
                }
                Picture::YCbCr([lumas, blues, reds]) => {
                    pair.iter().for_each(|y| luma.set_row(*y, lumas.row(row * 2 * SIDE + y, 1)));
                    blue.set_row(y, blues.row(row * SIDE + y, 1));
                    red.set_row(y, reds.row(row * SIDE + y, 1));
                }
                Picture::Gray(_) => {}
            }
        }
        for column in 0..n_columns {
            for (right, down) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let place = (2 * column + right, 2 * row + down);
                write(0, place, luma.block(place.0 * SIDE, down * SIDE));
            }
            write(1, (column, row), blue.block(column * SIDE, 0));
            write(2, (column, row), red.block(column * SIDE, 0));
        }
    }
}

impl<'a> Samples<'a> {
    /// The row at `y`, or the last one below the picture.
    fn row(&self, y: usize, n_channels: usize) -> &'a [u8] {
        let start = y.min(self.height - 1) * self.stride;
        &self.samples[start..start + self.width * n_channels]
    }
}

/// Colours of two rows of pixels, four pixels to one; the last column of an odd width counts twice.
fn average_chroma([upper, lower]: [&[u8]; 2], blue: &mut [f32], red: &mut [f32]) {
    let (upper_pairs, upper_rest) = upper.as_chunks::<6>();
    let (lower_pairs, lower_rest) = lower.as_chunks::<6>();
    let n_pairs = upper_pairs.len();
    let samples = blue.iter_mut().zip(red.iter_mut());
    for ((upper, lower), (blue, red)) in upper_pairs.iter().zip(lower_pairs).zip(samples) {
        let sum =
            |i: usize| u16::from(upper[i]) + u16::from(upper[i + 3]) + u16::from(lower[i]) + u16::from(lower[i + 3]);
        let [r, g, b] = [0, 1, 2].map(|i| f32::from(sum(i)) * 0.25);
        (*blue, *red) = chroma_of(r, g, b);
    }
    if let ([r, g, b], [r2, g2, b2]) = (upper_rest, lower_rest) {
        let [r, g, b] = [(r, r2), (g, g2), (b, b2)].map(|(a, b)| f32::from(u16::from(*a) + u16::from(*b)) * 0.5);
        (blue[n_pairs], red[n_pairs]) = chroma_of(r, g, b);
    }
}

/// Brightness by ITU-R BT.601, around zero.
fn luma_of(r: f32, g: f32, b: f32) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b - 128.0
}

/// How much bluer and how much redder than gray.
fn chroma_of(r: f32, g: f32, b: f32) -> (f32, f32) {
    (-0.168_735_9 * r - 0.331_264_1 * g + 0.5 * b, 0.5 * r - 0.418_687_6 * g - 0.081_312_4 * b)
}
