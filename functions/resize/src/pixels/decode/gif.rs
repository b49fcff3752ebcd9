//! GIF through `gif`: the first frame, on the canvas where it belongs.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use super::{Decoded, Decoder, Input};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// GIF.
pub(super) struct Gif;

impl Decoder for Gif {
    fn decode(&self, input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::RGBA);
        let max_bytes = NonZeroU64::new(limits.max_pixels.saturating_mul(4)).unwrap_or(NonZeroU64::MIN);
        options.set_memory_limit(MemoryLimit::Bytes(max_bytes));
        let mut decoder = options.read_info(input.file).map_err(error)?;
        let (width, height) = (decoder.width(), decoder.height());
        let profile = decoder.icc_profile().map(<[u8]>::to_vec);
        let frame = decoder.read_next_frame().map_err(error)?;
        let frame = frame.ok_or_else(|| PixelError::corrupt("no frame"))?;

        let mut canvas = Raster::zeroed(width.into(), height.into(), Layout::Rgba)?;
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let n_columns = usize::from(frame.width).min(usize::from(width).saturating_sub(left));
        if n_columns > 0 {
            let stride = canvas.stride();
            let rows = canvas.pixels_mut().chunks_exact_mut(stride).skip(top);
            for (row, line) in rows.zip(frame.buffer.chunks_exact(usize::from(frame.width) * 4)) {
                row[left * 4..(left + n_columns) * 4].copy_from_slice(&line[..n_columns * 4]);
            }
        }
        Ok(Decoded::whole(canvas, profile, true))
    }
}

fn error(error: DecodingError) -> PixelError {
    match error {
        DecodingError::Io(_) => PixelError::corrupt("the file ends before the picture does"),
        other => PixelError::corrupt(other),
    }
}
