//! WebP, lossy and lossless, by our own encoder.

use std::borrow::Cow;

use webp::{Animation, AnimationOptions, Blend, Dispose, Frame, Options, Picture, Pixels};

use super::Encoder;
use crate::pixels::PixelError;
use crate::pixels::raster::{Layout, Raster};

/// WebP.
pub(super) struct WebP {
    /// 1 to 100 on the scale of libwebp; without loss where there is none.
    pub(super) quality: Option<u8>,
}

impl Encoder for WebP {
    fn encode(&self, raster: &Raster) -> Result<Vec<u8>, PixelError> {
        let colored = colored(raster)?;
        webp::encode(&picture(&colored), &options(self.quality)).map_err(PixelError::encode)
    }
}

fn options(quality: Option<u8>) -> Options<'static> {
    match quality {
        Some(quality) => Options { quality, ..Options::default() },
        None => Options { lossless: true, ..Options::default() },
    }
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
        let animation_options = AnimationOptions { loop_count, ..AnimationOptions::default() };
        let animation = Animation::new(width, height, &animation_options).map_err(PixelError::encode)?;
        Ok(Self { animation, options: options(quality) })
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
