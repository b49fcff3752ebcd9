//! Lossless coding (VP8L), by Google's specification of the WebP lossless bitstream: palettes or prediction, copies of
//! earlier pixels, and one group of prefix codes.

mod bits;
mod costs;
mod matches;
mod palette;
mod predictor;
mod prefix;
mod stream;

use crate::error::Error;
use crate::picture::{Picture, Pixels};

/// The first byte of a stream.
const SIGNATURE: u32 = 0x2f;

/// The payload of a `VP8L` chunk, and whether the picture has alpha. The colour of pixels that are fully transparent is
/// not kept.
///
/// # Errors
///
/// [`Error::LosslessPlanes`].
pub fn encode(picture: &Picture) -> Result<(Vec<u8>, bool), Error> {
    let pixels: Vec<u32> = match &picture.pixels {
        Pixels::Planes(_) => return Err(Error::LosslessPlanes),
        Pixels::Rgb(pixels) => pixels.chunks_exact(3).map(|p| u32::from_le_bytes([p[2], p[1], p[0], 255])).collect(),
        Pixels::Rgba(pixels) => pixels.chunks_exact(4).map(visible).collect(),
    };
    let has_alpha = pixels.iter().any(|pixel| pixel >> 24 != 255);
    let mut header = bits::BitWriter::new();
    header.put(SIGNATURE, 8);
    header.put(picture.width - 1, 14);
    header.put(picture.height - 1, 14);
    header.put(u32::from(has_alpha), 1);
    // The version.
    header.put(0, 3);
    let mut bytes = header.finish();
    bytes.extend_from_slice(&stream::encode(&pixels, picture.width as usize));
    Ok((bytes, has_alpha))
}

/// The stream of an `ALPH` chunk: the values as green, without a header.
pub fn encode_alpha(values: &[u8], width: u32) -> Vec<u8> {
    let pixels: Vec<u32> = values.iter().map(|&value| 0xff00_0000 | u32::from(value) << 8).collect();
    stream::encode(&pixels, width as usize)
}

/// Nobody sees the colour of a pixel that is fully transparent.
fn visible(p: &[u8]) -> u32 {
    if p[3] == 0 { 0 } else { u32::from_le_bytes([p[2], p[1], p[0], p[3]]) }
}
