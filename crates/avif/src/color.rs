//! Samples to pixels, in whole numbers.

use crate::av1::{Chroma, Frame, Plane};
use crate::error::AvifError;
use crate::obu::Sequence;

/// Binary digits behind the point of the factors.
const SHIFT: u32 = 20;

/// A colour sample is brought to this many times its value, so that the average of four neighbours stays whole.
const CHROMA_SCALE: i32 = 16;

/// What the samples of a picture mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// Bits per sample: 8, 10 or 12.
    pub(crate) bits: u8,
    /// Whether every value is used, and not the range of television.
    pub(crate) is_full_range: bool,
    /// Matrix coefficients, a code point of ISO/IEC 23091-2.
    pub(crate) matrix: u16,
    /// Colour primaries, a code point of ISO/IEC 23091-2.
    pub(crate) primaries: u16,
    /// Transfer characteristics, a code point of ISO/IEC 23091-2.
    pub(crate) transfer: u16,
}

impl Meaning {
    /// What the container says, or else the AV1 data.
    pub(crate) fn new(nclx: Option<heif::Nclx>, sequence: &Sequence) -> Self {
        let bits = sequence.bits;
        match nclx {
            Some(heif::Nclx { primaries, transfer, matrix, is_full_range }) => {
                Self { bits, is_full_range, matrix, primaries, transfer }
            }
            None => Self {
                bits,
                is_full_range: sequence.is_full_range,
                matrix: sequence.matrix.into(),
                primaries: sequence.primaries.into(),
                transfer: sequence.transfer.into(),
            },
        }
    }

    fn depth_factor(&self) -> i64 {
        1 << (self.bits - 8)
    }

    fn max(&self) -> i64 {
        (1 << self.bits) - 1
    }

    /// The value of black, and the difference of white from it.
    fn luma(&self) -> (i64, i64) {
        if self.is_full_range { (0, self.max()) } else { (16 * self.depth_factor(), 219 * self.depth_factor()) }
    }

    /// The value of no colour, and the difference of the least from the most colour.
    fn chroma(&self) -> (i64, i64) {
        let middle = 128 * self.depth_factor();
        if self.is_full_range { (middle, self.max()) } else { (middle, 224 * self.depth_factor()) }
    }

    /// How much red and blue weigh in brightness, in ten-thousandths; `None` for what is not such a sum.
    fn weights(&self) -> Result<(i64, i64), AvifError> {
        match (self.matrix, self.primaries) {
            (1, _) | (12, 1) => Ok((2126, 722)),
            (4, _) => Ok((3000, 1100)),
            // What says nothing is taken for the matrix of JPEG, as other readers do.
            (2 | 5 | 6, _) | (12, 5 | 6) => Ok((2990, 1140)),
            (7, _) | (12, 7) => Ok((2120, 870)),
            (9, _) | (12, 9) => Ok((2627, 593)),
            _ => Err(AvifError::unsupported("colours in an uncommon form")),
        }
    }
}

/// `n / d` in binary digits behind the point, rounded.
fn factor(n: i64, d: i64) -> i32 {
    let scaled = (n << SHIFT) + if n < 0 { -d / 2 } else { d / 2 };
    i32::try_from(scaled / d).unwrap_or(i32::MAX)
}

/// A number with binary digits behind the point, as one of eight bits.
fn byte(value: i32) -> u8 {
    let rounded = (value + (1 << (SHIFT - 1))) >> SHIFT;
    u8::try_from(rounded.clamp(0, 255)).unwrap_or_default()
}

/// Brightness alone to eight bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gray {
    black: i32,
    factor: i32,
}

impl Gray {
    pub(crate) fn new(meaning: &Meaning) -> Self {
        let (black, range) = meaning.luma();
        Self { black: i32::try_from(black).unwrap_or_default(), factor: factor(255, range) }
    }

    fn scaled(self, sample: u16) -> i32 {
        (i32::from(sample) - self.black) * self.factor
    }

    pub(crate) fn pixel(self, sample: u16) -> u8 {
        byte(self.scaled(sample))
    }
}

/// How three samples become red, green and blue.
#[derive(Debug, Clone, Copy)]
enum Mixing {
    /// By the weights of brightness.
    Matrix { red_v: i32, green_u: i32, green_v: i32, blue_u: i32 },
    /// They are green, blue and red.
    Identity,
    /// By sums and differences (YCgCo), with this factor.
    Sums { factor: i32 },
}

/// Three samples to a pixel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Colors {
    gray: Gray,
    /// The value of no colour, times `CHROMA_SCALE`.
    middle: i32,
    mixing: Mixing,
}

impl Colors {
    /// # Errors
    /// `Unsupported` for matrices that no picture has.
    pub(crate) fn new(meaning: &Meaning) -> Result<Self, AvifError> {
        let (middle, range) = meaning.chroma();
        let range = range * i64::from(CHROMA_SCALE);
        let mixing = match meaning.matrix {
            0 => Mixing::Identity,
            8 => Mixing::Sums { factor: factor(255, range) },
            _ => {
                let (red, blue) = meaning.weights()?;
                let green = 10_000 - red - blue;
                // 2 (1 - red), and the same for blue; green gives back what both took.
                let (red_v, blue_u) = (2 * (10_000 - red), 2 * (10_000 - blue));
                Mixing::Matrix {
                    red_v: factor(255 * red_v, 10_000 * range),
                    green_u: -factor(255 * blue_u * blue, 10_000 * green * range),
                    green_v: -factor(255 * red_v * red, 10_000 * green * range),
                    blue_u: factor(255 * blue_u, 10_000 * range),
                }
            }
        };
        let middle = i32::try_from(middle).unwrap_or_default() * CHROMA_SCALE;
        Ok(Self { gray: Gray::new(meaning), middle, mixing })
    }

    /// Whether the colour planes may be smaller.
    fn may_be_sampled(self) -> bool {
        !matches!(self.mixing, Mixing::Identity)
    }

    /// A row of pixels, from samples of which the colours are `CHROMA_SCALE` times as large.
    fn row(self, [y, u, v]: [&[u16]; 3], pixels: &mut [u8]) {
        let pixels = pixels.as_chunks_mut::<3>().0;
        let samples = y.iter().zip(u).zip(v).map(|((y, u), v)| (*y, *u, *v));
        match self.mixing {
            Mixing::Identity => {
                for (pixel, (green, blue, red)) in pixels.iter_mut().zip(samples) {
                    // These are no differences: they are as brightness is, only scaled.
                    let channel = |sample: u16| self.gray.pixel(sample / 16);
                    *pixel = [channel(red), self.gray.pixel(green), channel(blue)];
                }
            }
            Mixing::Sums { factor } => {
                for (pixel, (y, u, v)) in pixels.iter_mut().zip(samples) {
                    let y = self.gray.scaled(y);
                    let green = (i32::from(u) - self.middle) * factor;
                    let orange = (i32::from(v) - self.middle) * factor;
                    *pixel = [byte(y - green + orange), byte(y + green), byte(y - green - orange)];
                }
            }
            Mixing::Matrix { red_v, green_u, green_v, blue_u } => {
                for (pixel, (y, u, v)) in pixels.iter_mut().zip(samples) {
                    let y = self.gray.scaled(y);
                    let (u, v) = (i32::from(u) - self.middle, i32::from(v) - self.middle);
                    *pixel = [byte(y + v * red_v), byte(y + u * green_u + v * green_v), byte(y + u * blue_u)];
                }
            }
        }
    }
}

/// The pixels of `frame`: one channel where it has no colours, or else three.
pub(crate) fn pixels(frame: &Frame, meaning: &Meaning) -> Result<Vec<u8>, AvifError> {
    if frame.chroma == Chroma::None {
        return gray_pixels(frame, Gray::new(meaning));
    }
    let colors = Colors::new(meaning)?;
    if frame.chroma != Chroma::Full && !colors.may_be_sampled() {
        return Err(AvifError::corrupt("RGB with planes of unequal size"));
    }
    let mut pixels = vec![0; frame.width * frame.height * 3];
    let mut luma = vec![0; frame.width];
    let mut planes = [Upsampler::new(frame, Plane::U), Upsampler::new(frame, Plane::V)];
    for (y, row) in pixels.chunks_exact_mut(frame.width * 3).enumerate() {
        frame.row(Plane::Y, y, &mut luma)?;
        for plane in &mut planes {
            plane.read(y)?;
        }
        let [u, v] = &planes;
        colors.row([&luma, &u.row, &v.row], row);
    }
    Ok(pixels)
}

/// The plane of brightness alone.
pub(crate) fn gray_pixels(frame: &Frame, gray: Gray) -> Result<Vec<u8>, AvifError> {
    let mut pixels = vec![0; frame.width * frame.height];
    let mut samples = vec![0; frame.width];
    for (y, row) in pixels.chunks_exact_mut(frame.width).enumerate() {
        frame.row(Plane::Y, y, &mut samples)?;
        for (pixel, sample) in row.iter_mut().zip(&samples) {
            *pixel = gray.pixel(*sample);
        }
    }
    Ok(pixels)
}

/// One colour plane as rows of the full width, of samples `CHROMA_SCALE` times as large.
///
/// A missing sample is three parts of the nearer and one part of the farther neighbour, in either direction, which is
/// where samples stand that lie in the middle of those that they are for.
struct Upsampler<'a> {
    frame: &'a Frame,
    plane: Plane,
    near: Vec<u16>,
    far: Vec<u16>,
    /// The row that was asked for.
    row: Vec<u16>,
}

impl<'a> Upsampler<'a> {
    fn new(frame: &'a Frame, plane: Plane) -> Self {
        let stored = if frame.chroma == Chroma::Full { frame.width } else { frame.width.div_ceil(2) };
        Self { frame, plane, near: vec![0; stored], far: vec![0; stored], row: vec![0; frame.width] }
    }

    /// Makes the row `y` of the picture.
    fn read(&mut self, y: usize) -> Result<(), AvifError> {
        match self.frame.chroma {
            Chroma::None => {}
            Chroma::Full => {
                self.frame.row(self.plane, y, &mut self.row)?;
                self.row.iter_mut().for_each(|sample| *sample *= 16);
            }
            Chroma::Half => {
                self.frame.row(self.plane, y, &mut self.near)?;
                self.near.iter_mut().for_each(|sample| *sample *= 4);
                widen(&self.near, &mut self.row);
            }
            Chroma::Quarter => {
                let (near, last) = (y / 2, self.frame.height.div_ceil(2) - 1);
                let far = if y.is_multiple_of(2) { near.saturating_sub(1) } else { last.min(near + 1) };
                self.frame.row(self.plane, near, &mut self.near)?;
                self.frame.row(self.plane, far, &mut self.far)?;
                self.near.iter_mut().zip(&self.far).for_each(|(near, far)| *near = *near * 3 + far);
                widen(&self.near, &mut self.row);
            }
        }
        Ok(())
    }
}

/// Twice as many samples, four times as large.
fn widen(stored: &[u16], row: &mut [u16]) {
    let last = stored.len().saturating_sub(1);
    for (x, pair) in row.chunks_mut(2).enumerate() {
        let near = stored[x] * 3;
        let sides = [stored[x.saturating_sub(1)], stored[last.min(x + 1)]];
        for (sample, side) in pair.iter_mut().zip(sides) {
            *sample = near + side;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(bits: u8, is_full_range: bool, matrix: u16) -> Meaning {
        Meaning { bits, is_full_range, matrix, primaries: 1, transfer: 13 }
    }

    fn pixel(meaning: Meaning, [y, u, v]: [u16; 3]) -> [u8; 3] {
        let mut pixel = [0; 3];
        Colors::new(&meaning).unwrap().row([&[y], &[u * 16], &[v * 16]], &mut pixel);
        pixel
    }

    /// What the standards' formulas say, with fractions.
    fn expected(meaning: Meaning, [y, u, v]: [u16; 3]) -> [f64; 3] {
        let (red, blue) = meaning.weights().unwrap();
        let (red, blue) = (red as f64 / 1e4, blue as f64 / 1e4);
        let ((black, luma), (middle, chroma)) = (meaning.luma(), meaning.chroma());
        let y = (f64::from(y) - black as f64) / luma as f64;
        let [u, v] = [u, v].map(|c| (f64::from(c) - middle as f64) / chroma as f64);
        let r = y + 2.0 * (1.0 - red) * v;
        let b = y + 2.0 * (1.0 - blue) * u;
        let g = (y - red * r - blue * b) / (1.0 - red - blue);
        [r, g, b].map(|c| (c * 255.0).clamp(0.0, 255.0))
    }

    #[test]
    fn the_matrices_are_those_of_the_standards() {
        for matrix in [1, 2, 4, 5, 6, 7, 9] {
            for (bits, is_full_range) in [(8, true), (8, false), (10, true), (10, false), (12, true), (12, false)] {
                let meaning = meaning(bits, is_full_range, matrix);
                let max = (1_u32 << bits) - 1;
                let mut state = 1_u32;
                for _ in 0..2000 {
                    let samples = [(); 3].map(|()| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        u16::try_from((state >> 8) % (max + 1)).unwrap()
                    });
                    let (found, expected) = (pixel(meaning, samples), expected(meaning, samples));
                    let is_close = found.iter().zip(expected).all(|(a, b)| (f64::from(*a) - b).abs() < 0.56);
                    assert!(is_close, "{meaning:?} {samples:?}: {found:?} for {expected:?}");
                }
            }
        }
    }

    #[test]
    fn the_other_forms_are_sums_and_nothing_at_all() {
        assert_eq!(pixel(meaning(8, true, 0), [10, 20, 30]), [30, 10, 20]);
        assert_eq!(pixel(meaning(10, true, 0), [0, 1023, 512]), [128, 0, 255]);
        assert_eq!(pixel(meaning(8, false, 0), [16, 235, 126]), [128, 0, 255]);
        assert_eq!(pixel(meaning(8, true, 8), [100, 128, 128]), [100, 100, 100]);
        assert_eq!(pixel(meaning(8, true, 8), [100, 138, 148]), [110, 110, 70]);
        assert_eq!(Gray::new(&meaning(12, false, 1)).pixel(235 * 16), 255);
        assert!(Colors::new(&meaning(8, true, 14)).is_err());
    }

    #[test]
    fn samples_between_others_are_three_parts_of_the_nearer_one() {
        let mut row = [0; 5];
        widen(&[0, 16, 32], &mut row);
        assert_eq!(row, [0, 16, 48, 80, 112]);
        let mut row = [0; 2];
        widen(&[7], &mut row);
        assert_eq!(row, [28, 28]);
    }
}
