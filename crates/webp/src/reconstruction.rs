//! For tests: a lossy frame together with the pixels that the encoder believes the decoder will have.

use crate::error::Error;
use crate::frame;
use crate::options::{Options, Tuning};
use crate::picture::Picture;
use crate::yuv::Planes;

/// A frame and its pixels before the loop filter, the planes padded to whole macroblocks.
pub struct Reconstruction {
    /// The payload of a `VP8 ` chunk.
    pub bytes: Vec<u8>,
    /// Luma, then both chroma planes.
    pub planes: [Vec<u8>; 3],
    /// Bytes from one row of luma to the next; half of it for chroma.
    pub stride: usize,
}

/// Encodes a picture without alpha; its modes may take about `header_bits`.
///
/// # Errors
///
/// Those of [`crate::encode`].
pub fn encode(picture: &Picture, options: &Options, header_bits: Option<u64>) -> Result<Reconstruction, Error> {
    picture.check()?;
    let tuning = Tuning::default();
    let tuning = Tuning { header_bits: header_bits.unwrap_or(tuning.header_bits), ..tuning };
    let size = (picture.width, picture.height);
    let frame = frame::encode(&Planes::new(picture), size, options.quality, options.effort, &tuning, true)?;
    let stride = size.0.div_ceil(16) as usize * 16;
    let planes = frame.pixels.map(|planes| {
        let [u, v] = planes.chroma;
        [planes.y, u, v]
    });
    Ok(Reconstruction { bytes: frame.bytes, planes: planes.unwrap_or_default(), stride })
}
