//! Pixels as VP8 takes them: luma and chroma planes, 4:2:0, BT.601 in limited range (RFC 6386, section 9.2), the sides
//! rounded up to whole macroblocks by repeating the last column and row.

use crate::picture::{Chroma, Picture, Pixels, PlaneSlices, Range};

/// Padded planes.
pub struct Planes {
    /// Macroblocks in a row.
    pub columns: usize,
    /// Rows of macroblocks.
    pub rows: usize,
    /// Luma, 16 pixels a macroblock each way.
    pub y: Vec<u8>,
    /// Chroma, 8 pixels a macroblock each way.
    pub chroma: [Vec<u8>; 2],
}

impl Planes {
    /// The planes of a picture whose size and slices were checked.
    pub fn new(picture: &Picture) -> Self {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let (columns, rows) = (width.div_ceil(16), height.div_ceil(16));
        let chroma = || vec![0; columns * rows * 64];
        let mut planes = Self { columns, rows, y: vec![0; columns * rows * 256], chroma: [chroma(), chroma()] };
        match &picture.pixels {
            Pixels::Rgb(pixels) => planes.fill_rgb::<3>(pixels, width),
            Pixels::Rgba(pixels) => planes.fill_rgb::<4>(pixels, width),
            Pixels::Planes(slices) => planes.fill_planes(slices, width, height),
        }
        pad(&mut planes.y, columns * 16, width, height);
        for plane in &mut planes.chroma {
            pad(plane, columns * 8, width.div_ceil(2), height.div_ceil(2));
        }
        planes
    }

    /// Bytes from one row of luma to the next.
    pub fn y_stride(&self) -> usize {
        self.columns * 16
    }

    /// Bytes from one row of chroma to the next.
    pub fn chroma_stride(&self) -> usize {
        self.columns * 8
    }

    fn fill_rgb<const N: usize>(&mut self, pixels: &[u8], width: usize) {
        let (y_stride, chroma_stride) = (self.y_stride(), self.chroma_stride());
        let [u, v] = &mut self.chroma;
        let luma_rows = self.y.chunks_exact_mut(y_stride * 2);
        let chroma_rows = u.chunks_exact_mut(chroma_stride).zip(v.chunks_exact_mut(chroma_stride));
        for ((two, luma), (u, v)) in pixels.chunks(width * N * 2).zip(luma_rows).zip(chroma_rows) {
            let (first, second) = two.split_at(width * N);
            let (luma_first, luma_second) = luma.split_at_mut(y_stride);
            luma_row::<N>(first, luma_first);
            luma_row::<N>(second, luma_second);
            chroma_row::<N>(first, if second.is_empty() { first } else { second }, u, v);
        }
    }

    fn fill_planes(&mut self, slices: &PlaneSlices, width: usize, height: usize) {
        let (y_stride, chroma_stride) = (self.y_stride(), self.chroma_stride());
        let (luma, chroma) = match slices.range {
            Range::Full => (&FULL_LUMA, &FULL_CHROMA),
            Range::Limited => (&SAME, &SAME),
        };
        let rows = slices.y.chunks(slices.y_stride).zip(self.y.chunks_exact_mut(y_stride)).take(height);
        for (from, to) in rows {
            map(&from[..width], to, luma);
        }
        for (from, to) in [slices.cb, slices.cr].into_iter().zip(&mut self.chroma) {
            match slices.chroma {
                Chroma::Half => {
                    let rows = from.chunks(slices.chroma_stride).zip(to.chunks_exact_mut(chroma_stride));
                    for (from, to) in rows.take(height.div_ceil(2)) {
                        map(&from[..width.div_ceil(2)], to, chroma);
                    }
                }
                Chroma::Full => halve(from, slices.chroma_stride, (width, height), to, chroma_stride, chroma),
            }
        }
    }
}

/// From 0..=255 to 16..=235, and to 16..=240 around 128.
static FULL_LUMA: [u8; 256] = scale(219, 0, 16);
static FULL_CHROMA: [u8; 256] = scale(224, 128, 128);
static SAME: [u8; 256] = scale(255, 0, 0);

/// Spans of 255 made `span` wide, so that `from` becomes `to`.
const fn scale(span: i32, from: i32, to: i32) -> [u8; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = (((i as i32 - from) * span * 2 + 255).div_euclid(510) + to) as u8;
        i += 1;
    }
    table
}

fn map(from: &[u8], to: &mut [u8], table: &[u8; 256]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = table[usize::from(from)];
    }
}

/// Averages two by two values.
fn halve(from: &[u8], stride: usize, size: (usize, usize), to: &mut [u8], to_stride: usize, table: &[u8; 256]) {
    let (width, height) = size;
    for (row, to) in to.chunks_exact_mut(to_stride).enumerate().take(height.div_ceil(2)) {
        let first = &from[row * 2 * stride..][..width];
        let second = &from[(row * 2 + 1).min(height - 1) * stride..][..width];
        for (x, to) in to.iter_mut().enumerate().take(width.div_ceil(2)) {
            let (left, right) = (x * 2, (x * 2 + 1).min(width - 1));
            let sum = [first[left], first[right], second[left], second[right]].map(u32::from).iter().sum::<u32>();
            *to = table[((sum + 2) >> 2) as usize];
        }
    }
}

fn luma_row<const N: usize>(pixels: &[u8], luma: &mut [u8]) {
    for (pixel, luma) in pixels.chunks_exact(N).zip(luma) {
        let (r, g, b) = (i32::from(pixel[0]), i32::from(pixel[1]), i32::from(pixel[2]));
        *luma = ((16839 * r + 33059 * g + 6420 * b + (16 << 16) + (1 << 15)) >> 16) as u8;
    }
}

fn chroma_row<const N: usize>(first: &[u8], second: &[u8], u: &mut [u8], v: &mut [u8]) {
    let pairs = first.chunks(2 * N).zip(second.chunks(2 * N));
    for ((top, bottom), (u, v)) in pairs.zip(u.iter_mut().zip(v)) {
        let right = top.len() - N;
        let four = [&top[..N], &top[right..], &bottom[..N], &bottom[right..]];
        let [r, g, b] = if N == 4 { visible_sum(four) } else { sum(four) };
        *u = chroma(-9719 * r - 19081 * g + 28800 * b);
        *v = chroma(28800 * r - 24116 * g - 4684 * b);
    }
}

#[inline(always)]
fn sum(four: [&[u8]; 4]) -> [i32; 3] {
    std::array::from_fn(|i| four.iter().map(|pixel| i32::from(pixel[i])).sum())
}

/// Four times the mean colour of the pixels, each as much as it can be seen.
#[inline(always)]
fn visible_sum(four: [&[u8]; 4]) -> [i32; 3] {
    let alpha = four.map(|pixel| i32::from(pixel[3]));
    let total: i32 = alpha.iter().sum();
    if total == 4 * 255 || total == 0 {
        return sum(four);
    }
    std::array::from_fn(|i| {
        let weighted: i32 = four.iter().zip(alpha).map(|(pixel, alpha)| i32::from(pixel[i]) * alpha).sum();
        (weighted * 4 + total / 2) / total
    })
}

/// The chroma value of four times a colour's weighted sum.
fn chroma(sum: i32) -> u8 {
    ((sum + (128 << 18) + (1 << 17)) >> 18).clamp(0, 255) as u8
}

/// Repeats the last column and the last row of what is filled.
fn pad(plane: &mut [u8], stride: usize, width: usize, height: usize) {
    if width < stride {
        for row in plane.chunks_exact_mut(stride).take(height) {
            let last = row[width - 1];
            row[width..].fill(last);
        }
    }
    let (filled, rest) = plane.split_at_mut(height * stride);
    let last = &filled[(height - 1) * stride..];
    for row in rest.chunks_exact_mut(stride) {
        row.copy_from_slice(last);
    }
}
