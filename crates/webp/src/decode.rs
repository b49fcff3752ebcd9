//! Lossy pictures to planes: VP8 key frames, RFC 6386. The pixels are libwebp's, bit for bit.
//!
//! Macroblocks are made row by row, each row from modes and coefficients, and then filtered. Prediction is from pixels
//! before the filter, so the last row of them is kept.

mod bits;
mod filter;
mod header;
mod modes;
mod reconstruct;
mod residual;
mod upsample;

use crate::macroblock::{LumaMode, NonZero};
use crate::picture::{Chroma, PlaneSlices, Range};
use crate::yuv::Planes;
use bits::BoolDecoder;
use filter::{Filtering, filter_row};
use header::{Header, Parts};
use modes::ModeReader;
use reconstruct::{Place, Reconstruction};
use residual::Coefficients;

/// Why a frame was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There are fewer bytes than the frame needs.
    #[error("the picture ends too early")]
    Truncated,
    /// This is no frame of a WebP.
    #[error("{0}")]
    Invalid(&'static str),
}

/// A decoded lossy picture: luma, and chroma at half the resolution, in limited range.
pub struct LossyPicture {
    /// Pixels, 1 to 16383.
    pub width: u32,
    /// Pixels, 1 to 16383.
    pub height: u32,
    /// As large as whole macroblocks.
    planes: Planes,
}

impl LossyPicture {
    /// The planes, their sides rounded up to whole macroblocks of 16 pixels.
    pub fn planes(&self) -> PlaneSlices<'_> {
        let planes = &self.planes;
        PlaneSlices {
            y: &planes.y,
            cb: &planes.chroma[0],
            cr: &planes.chroma[1],
            y_stride: planes.y_stride(),
            chroma_stride: planes.chroma_stride(),
            range: Range::Limited,
            chroma: Chroma::Half,
        }
    }

    /// The samples of luma and both chroma planes, as [`planes`](Self::planes) has them.
    pub fn into_planes(self) -> [Vec<u8>; 3] {
        let [cb, cr] = self.planes.chroma;
        [self.planes.y, cb, cr]
    }

    /// Red, green and blue of each pixel, row by row, as libwebp gives them by default.
    pub fn to_rgb(&self) -> Vec<u8> {
        upsample::rgb(&self.planes(), self.width as usize, self.height as usize)
    }
}

/// How many bytes [`decode`] takes for a picture of so many pixels: a byte of luma and half a byte of chroma for each,
/// in whole macroblocks, and what is kept of a row.
pub fn decoding_bytes(width: u32, height: u32) -> u64 {
    let (columns, rows) = (u64::from(width.div_ceil(16)), u64::from(height.div_ceil(16)));
    columns * rows * 384 + columns * 128 + 65_536
}

/// Decodes the payload of a `VP8 ` chunk.
///
/// # Errors
///
/// [`DecodeError`], also where the frame is cut off; nothing of it is given then.
pub fn decode(frame: &[u8]) -> Result<LossyPicture, DecodeError> {
    let Parts { header, modes, mut coefficients } = Parts::read(frame)?;
    let (columns, rows) = (header.width.div_ceil(16), header.height.div_ceil(16));
    let chroma = || vec![0; columns * rows * 64];
    let mut planes = Planes { columns, rows, y: vec![0; columns * rows * 256], chroma: [chroma(), chroma()] };
    let mut decoder = Decoder {
        modes: ModeReader::new(modes, columns),
        coefficients: Coefficients::new(),
        above: vec![NonZero::default(); columns],
        reconstruction: Reconstruction::new(columns),
        filterings: vec![Filtering::default(); columns],
        header: &header,
    };
    let n_partitions = coefficients.len();
    for row in 0..rows {
        decoder.row(row, &mut coefficients[row % n_partitions], &mut planes)?;
        filter_row(&mut planes, row, header.filter, &decoder.filterings);
    }
    Ok(LossyPicture { width: header.width as u32, height: header.height as u32, planes })
}

struct Decoder<'a> {
    header: &'a Header,
    modes: ModeReader<'a>,
    /// Of the macroblock at hand.
    coefficients: Coefficients,
    /// Which blocks above have coefficients.
    above: Vec<NonZero>,
    reconstruction: Reconstruction,
    filterings: Vec<Filtering>,
}

impl Decoder<'_> {
    fn row(&mut self, row: usize, bits: &mut BoolDecoder, planes: &mut Planes) -> Result<(), DecodeError> {
        let columns = planes.columns;
        let mut left = NonZero::default();
        for column in 0..columns {
            let modes = self.modes.read(column, self.header);
            let segment = &self.header.segments[usize::from(modes.segment)];
            let is_whole = matches!(modes.luma, LumaMode::Whole(_));
            self.coefficients.clear();
            let around = (&mut self.above[column], &mut left);
            if modes.is_skipped {
                skip(around.0, is_whole);
                skip(around.1, is_whole);
            } else {
                self.coefficients.read(bits, &self.header.probabilities, segment, is_whole, around);
            }
            self.filterings[column] = Filtering {
                strength: segment.strengths[usize::from(!is_whole)],
                has_inner: !is_whole || !self.coefficients.is_empty(),
            };
            let (luma_at, chroma_at) = (row * columns * 256 + column * 16, row * columns * 64 + column * 8);
            let [cb, cr] = &mut planes.chroma;
            let targets = [&mut planes.y[luma_at..], &mut cb[chroma_at..], &mut cr[chroma_at..]];
            let place = Place { column, row, columns };
            self.reconstruction.macroblock(place, &modes, &self.coefficients, targets);
        }
        if bits.is_past_end() || self.modes.is_past_end() {
            return Err(DecodeError::Truncated);
        }
        Ok(())
    }
}

/// What a macroblock without coefficients leaves behind. The flag of transformed DC stays as it was where it has no such
/// block.
fn skip(nonzero: &mut NonZero, is_whole: bool) {
    let dc = if is_whole { 0 } else { nonzero.flags[8] };
    *nonzero = NonZero { flags: [0, 0, 0, 0, 0, 0, 0, 0, dc] };
}
