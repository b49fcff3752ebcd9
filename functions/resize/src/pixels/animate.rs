//! Carrying out a plan on every frame of an animation. One frame is in memory at a time, and the file that is written.

use std::borrow::Cow;

use probe::Probe;
use transform::{Output, Quality, Render};

use super::decode::Decoded;
use super::decode::frames::{Frame, Frames, frames_bytes};
use super::encode::gif::GifWriter;
use super::encode::{Encoded, webp::WebPWriter};
use super::finish::{Extras, finished, finishing_bytes};
use super::quality::settled;
use super::raster::Raster;
use super::render::{Cutting, exif_orientation};
use super::{Limits, PixelError};

/// Pixels of all frames together, as many times the limit of one. Each is decoded, and scaled.
const MAX_TIMES_PIXELS: u64 = 8;

/// Makes an animation of an animation: every frame as the plan says, the place of a crop that is looked for as in the
/// first.
///
/// # Errors
/// As [`render`](super::render()). An animation that breaks off is as long as what is sound of it.
pub(super) fn animated(
    input: &[u8],
    probe: &Probe,
    render: &Render,
    extras: &Extras,
    limits: &Limits,
) -> Result<Encoded, PixelError> {
    let finishing = render.geometry().map_or(0, |geometry| finishing_bytes(render, &geometry));
    limits.check_memory(frames_bytes(probe).saturating_add(finishing))?;
    let max_total = limits.max_pixels.saturating_mul(MAX_TIMES_PIXELS);
    let mut frames = Frames::open(input, probe, limits, max_total)?;
    let (plays, profile) = (frames.plays(), frames.profile().map(<[u8]>::to_vec));
    let upright = exif_orientation(probe);

    let made = |cutting: &Cutting, raster: Raster| {
        let scaled = cutting.scaled(Cow::Owned(raster), profile.as_deref(), render)?;
        finished(scaled, render, &cutting.geometry, extras, limits)
    };
    let mut started: Option<(Cutting, Writer)> = None;
    loop {
        let Frame { canvas, delay } = match frames.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(PixelError::Corrupt { .. }) if started.is_some() => break,
            Err(error) => return Err(error),
        };
        let raster = Cutting::prepared(canvas.clone(), upright, render)?;
        match &mut started {
            Some((cutting, writer)) => writer.add(&made(cutting, raster)?, delay)?,
            None => {
                let extent = (raster.width().into(), raster.height().into());
                let decoded = Decoded { raster: raster.clone(), extent, profile: None, is_lossless: true };
                let mut cutting = Cutting::of(&decoded, upright, render, limits)?;
                cutting.look(&raster, profile.as_deref(), render)?;
                let first = made(&cutting, raster)?;
                // The quality that the first frame needs is that of all.
                let output = settled(&first, render.output())?;
                let canvas = cutting.geometry.canvas;
                let mut writer = Writer::new(canvas.width, canvas.height, plays, output)?;
                writer.add(&first, delay)?;
                started = Some((cutting, writer));
            }
        }
    }
    let (cutting, writer) = started.ok_or_else(|| PixelError::corrupt("no frame"))?;
    let canvas = cutting.geometry.canvas;
    let format = render.output().format();
    Ok(Encoded { bytes: writer.finish()?, format, width: canvas.width, height: canvas.height })
}

/// The formats that are written animated.
enum Writer {
    Gif(GifWriter),
    WebP(WebPWriter),
}

impl Writer {
    fn new(width: u32, height: u32, plays: u32, output: Output) -> Result<Self, PixelError> {
        match output {
            Output::Gif => Ok(Self::Gif(GifWriter::new(width, height, plays, 256)?)),
            Output::WebPLossless => Ok(Self::WebP(WebPWriter::new(width, height, plays, None)?)),
            Output::WebP { quality: Quality::Fixed(quality) } => {
                Ok(Self::WebP(WebPWriter::new(width, height, plays, Some(quality))?))
            }
            _ => Err(PixelError::encode(format!("{output:?} is not written animated"))),
        }
    }

    fn add(&mut self, frame: &Raster, delay: u32) -> Result<(), PixelError> {
        match self {
            Self::Gif(writer) => writer.add(frame, delay),
            Self::WebP(writer) => writer.add(frame, delay),
        }
    }

    fn finish(self) -> Result<Vec<u8>, PixelError> {
        match self {
            Self::Gif(writer) => writer.finish(),
            Self::WebP(writer) => writer.finish(),
        }
    }
}
