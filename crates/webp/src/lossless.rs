//! Lossless coding (VP8L), by the `image-webp` crate.

use image_webp::{ColorType, EncoderParams, WebPEncoder};

use crate::error::Error;
use crate::picture::{Picture, Pixels};

/// Where the payload of the only chunk begins in a simple file: after the `RIFF` and the chunk header.
const PAYLOAD: usize = 20;

/// The payload of a `VP8L` chunk, and whether the picture has alpha.
///
/// # Errors
///
/// [`Error::LosslessPlanes`], or the coder's.
pub fn encode(picture: &Picture) -> Result<(Vec<u8>, bool), Error> {
    let (width, height) = (picture.width, picture.height);
    match &picture.pixels {
        Pixels::Planes(_) => Err(Error::LosslessPlanes),
        Pixels::Rgb(pixels) => Ok((payload(pixels, width, height, ColorType::Rgb8, true)?, false)),
        Pixels::Rgba(pixels) if pixels.chunks_exact(4).all(|pixel| pixel[3] == 255) => {
            let rgb: Vec<u8> = pixels.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
            Ok((payload(&rgb, width, height, ColorType::Rgb8, true)?, false))
        }
        Pixels::Rgba(pixels) => {
            let seen: Vec<u8> = pixels.chunks_exact(4).flat_map(blank_if_transparent).collect();
            Ok((payload(&seen, width, height, ColorType::Rgba8, true)?, true))
        }
    }
}

/// Nobody sees the colour of a pixel that is fully transparent.
fn blank_if_transparent(pixel: &[u8]) -> [u8; 4] {
    if pixel[3] == 0 { [0; 4] } else { [pixel[0], pixel[1], pixel[2], pixel[3]] }
}

/// The payload of a `VP8L` chunk.
pub fn payload(pixels: &[u8], width: u32, height: u32, color: ColorType, predict: bool) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    let mut encoder = WebPEncoder::new(&mut file);
    let mut params = EncoderParams::default();
    params.use_predictor_transform = predict;
    encoder.set_params(params);
    encoder.encode(pixels, width, height, color)?;
    let length = file.get(16..PAYLOAD).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    file.drain(..PAYLOAD.min(file.len()));
    file.truncate(length as usize);
    Ok(file)
}
