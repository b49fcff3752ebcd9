//! WebP, lossy and lossless, by our own encoder.

use std::borrow::Cow;

use webp::{Animation, AnimationOptions, Blend, Dispose, Frame, Options, Picture, Pixels};

use crate::pixels::PixelError;
use crate::pixels::raster::{Layout, Raster};

/// With loss; `quality` from 1 to 100 on the scale of libwebp.
pub(super) fn lossy(raster: &Raster, quality: u8) -> Result<Vec<u8>, PixelError> {
    encoded(raster, Options { quality, ..Options::default() })
}

/// Without loss.
pub(super) fn lossless(raster: &Raster) -> Result<Vec<u8>, PixelError> {
    encoded(raster, Options { lossless: true, ..Options::default() })
}

fn encoded(raster: &Raster, options: Options) -> Result<Vec<u8>, PixelError> {
    let colored = colored(raster)?;
    webp::encode(&picture(&colored), &options).map_err(PixelError::encode)
}

/// In three or four channels.
fn colored(raster: &Raster) -> Result<Cow<'_, Raster>, PixelError> {
    match raster.layout() {
        Layout::Gray => Ok(Cow::Owned(raster.clone().into_rgb())),
        Layout::Rgb | Layout::Rgba => Ok(Cow::Borrowed(raster)),
        Layout::Cmyk => Err(PixelError::encode("WebP has no ink")),
    }
}

fn picture(raster: &Raster) -> Picture<'_> {
    let bytes = raster.pixels();
    let pixels = if raster.layout() == Layout::Rgba { Pixels::Rgba(bytes) } else { Pixels::Rgb(bytes) };
    Picture { width: raster.width(), height: raster.height(), pixels }
}

/// Writes an animation, frame by frame.
pub(in crate::pixels) struct WebPWriter {
    animation: Animation,
    options: Options<'static>,
}

impl WebPWriter {
    /// An animation of this canvas that is played `plays` times, or for ever if 0; without loss where there is no
    /// `quality`.
    pub(in crate::pixels) fn new(width: u32, height: u32, plays: u32, quality: Option<u8>) -> Result<Self, PixelError> {
        let loop_count = u16::try_from(plays).unwrap_or(u16::MAX);
        let options = AnimationOptions { loop_count, ..AnimationOptions::default() };
        let animation = Animation::new(width, height, &options).map_err(PixelError::encode)?;
        let options = match quality {
            Some(quality) => Options { quality, ..Options::default() },
            None => Options { lossless: true, ..Options::default() },
        };
        Ok(Self { animation, options })
    }

    /// Adds a frame, the whole canvas, that is shown for `delay` ms.
    pub(in crate::pixels) fn add(&mut self, canvas: &Raster, delay: u32) -> Result<(), PixelError> {
        let colored = colored(canvas)?;
        let picture = picture(&colored);
        let frame = Frame { picture, x: 0, y: 0, duration: delay, blend: Blend::Replace, dispose: Dispose::Keep };
        self.animation.add(&frame, &self.options).map_err(PixelError::encode)
    }

    /// The file.
    pub(in crate::pixels) fn finish(self) -> Result<Vec<u8>, PixelError> {
        self.animation.finish().map_err(PixelError::encode)
    }
}
