//! GIF, still or animated: a table of colours for each frame, and of each frame only what changed.

use gif::{DisposalMethod, Encoder, Frame, Repeat};

use super::super::PixelError;
use super::super::raster::{Layout, Raster};
use super::quantise::{MAX_COLORS, Palette, places};

/// From this opacity on a pixel is shown: GIF has none between.
const LEAST_ALPHA: u8 = 128;
/// The least and the most a frame can be shown, in hundredths of a second. Browsers take 1 for 10.
const DELAYS: std::ops::RangeInclusive<u32> = 2..=65_535;

/// GIF of a picture that does not move, in at most 256 colours.
pub(super) struct Gif;

impl super::Encoder for Gif {
    fn encode(&self, raster: &Raster) -> Result<Vec<u8>, PixelError> {
        let mut writer = GifWriter::new(raster.width(), raster.height(), 1, MAX_COLORS)?;
        writer.add(raster, 0)?;
        writer.finish()
    }
}

/// Writes an animation, frame by frame. What is held is the canvas before and after the last frame.
pub(in crate::pixels) struct GifWriter {
    encoder: Encoder<Vec<u8>>,
    n_colors: usize,
    /// What is seen before the frame that waits.
    before: Raster,
    /// The last frame: how it goes is not known before the next is there.
    waiting: Option<(Raster, u32)>,
}

impl GifWriter {
    /// An animation of this canvas that is played `plays` times, or for ever if 0, with at most `n_colors` colours (2
    /// to 256) a frame.
    pub(in crate::pixels) fn new(width: u32, height: u32, plays: u32, n_colors: usize) -> Result<Self, PixelError> {
        let side = |side: u32| u16::try_from(side).map_err(|_| PixelError::encode("a side beyond 65,535 pixels"));
        let mut encoder = Encoder::new(Vec::new(), side(width)?, side(height)?, &[]).map_err(PixelError::encode)?;
        match plays {
            0 => encoder.set_repeat(Repeat::Infinite).map_err(PixelError::encode)?,
            1 => {}
            plays => {
                let again = u16::try_from(plays - 1).unwrap_or(u16::MAX);
                encoder.set_repeat(Repeat::Finite(again)).map_err(PixelError::encode)?;
            }
        }
        let before = Raster::zeroed(width, height, Layout::Rgba)?;
        Ok(Self { encoder, n_colors: n_colors.clamp(2, MAX_COLORS), before, waiting: None })
    }

    /// Adds a frame, the whole canvas, shown for `delay` ms.
    ///
    /// # Errors
    /// `Encode` when it is not of the canvas's size.
    pub(in crate::pixels) fn add(&mut self, canvas: &Raster, delay: u32) -> Result<(), PixelError> {
        if canvas.layout() == Layout::Cmyk {
            return Err(PixelError::encode("GIF has no ink"));
        }
        if (canvas.width(), canvas.height()) != (self.before.width(), self.before.height()) {
            return Err(PixelError::encode("a frame of another size"));
        }
        let mut canvas = canvas.clone().into_rgba();
        for pixel in canvas.pixels_mut().as_chunks_mut::<4>().0 {
            *pixel = if pixel[3] < LEAST_ALPHA { [0; 4] } else { [pixel[0], pixel[1], pixel[2], 255] };
        }
        match self.waiting.take() {
            Some((same, so_far)) if same == canvas => self.waiting = Some((same, so_far.saturating_add(delay))),
            Some((last, last_delay)) => {
                self.write(last, last_delay, Some(&canvas))?;
                self.waiting = Some((canvas, delay));
            }
            None => self.waiting = Some((canvas, delay)),
        }
        Ok(())
    }

    /// The file.
    ///
    /// # Errors
    /// `Encode` when there is no frame.
    pub(in crate::pixels) fn finish(mut self) -> Result<Vec<u8>, PixelError> {
        let (last, delay) = self.waiting.take().ok_or_else(|| PixelError::encode("an animation without a frame"))?;
        self.write(last, delay, None)?;
        self.encoder.into_inner().map_err(PixelError::encode)
    }

    fn write(&mut self, canvas: Raster, delay: u32, next: Option<&Raster>) -> Result<(), PixelError> {
        // What is to become transparent again can only be cleared, and then with all that is seen.
        let is_cleared = next.is_some_and(|next| pairs(&canvas, next).any(|(now, then)| now[3] > then[3]));
        let is_in = |(before, now): (&[u8; 4], &[u8; 4])| before != now || is_cleared && now[3] != 0;
        let area = Area::around(pairs(&self.before, &canvas).map(is_in), canvas.width() as usize);
        let (part, below) = (area.cut(&canvas)?, area.cut(&self.before)?);
        let is_new: Vec<bool> = pairs(&below, &part).map(|(before, now)| before != now && now[3] != 0).collect();

        let is_partial = is_new.contains(&false);
        let pixels = part.pixels().as_chunks::<4>().0.iter().zip(&is_new);
        let shown = pixels.filter(|(_, is_new)| **is_new).map(|(pixel, _)| *pixel);
        let palette = Palette::of(shown, self.n_colors.min(MAX_COLORS - usize::from(is_partial)));
        let n_colors = palette.colors().len();
        let transparent = is_partial.then_some(n_colors.min(MAX_COLORS - 1) as u8);
        let buffer = places(&part, &palette, true, |at| is_new[at], transparent.unwrap_or(0));
        let mut table: Vec<u8> = palette.colors().iter().flat_map(|color| color[..3].to_vec()).collect();
        if is_partial {
            table.extend([0; 3]);
        }
        let frame = Frame {
            delay: (delay.saturating_add(5) / 10).clamp(*DELAYS.start(), *DELAYS.end()) as u16,
            dispose: if is_cleared { DisposalMethod::Background } else { DisposalMethod::Keep },
            transparent,
            left: area.left as u16,
            top: area.top as u16,
            width: area.width as u16,
            height: area.height as u16,
            palette: Some(table),
            buffer: buffer.into(),
            ..Frame::default()
        };
        self.encoder.write_frame(&frame).map_err(PixelError::encode)?;
        self.before = if is_cleared { Raster::zeroed(canvas.width(), canvas.height(), Layout::Rgba)? } else { canvas };
        Ok(())
    }
}

fn pairs<'a>(a: &'a Raster, b: &'a Raster) -> impl Iterator<Item = (&'a [u8; 4], &'a [u8; 4])> {
    a.pixels().as_chunks::<4>().0.iter().zip(b.pixels().as_chunks::<4>().0)
}

/// A part of the canvas, in pixels; never empty.
#[derive(Clone, Copy)]
struct Area {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Area {
    /// The smallest part around all pixels that are in; a single pixel if none is.
    fn around(is_in: impl Iterator<Item = bool>, width: usize) -> Self {
        let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
        for (at, _) in is_in.enumerate().filter(|(_, is_in)| *is_in) {
            let (x, y) = (at % width, at / width);
            (left, right) = (left.min(x), right.max(x));
            (top, bottom) = (top.min(y), bottom.max(y));
        }
        if left == usize::MAX {
            return Self { left: 0, top: 0, width: 1, height: 1 };
        }
        Self { left, top, width: right - left + 1, height: bottom - top + 1 }
    }

    fn cut(self, raster: &Raster) -> Result<Raster, PixelError> {
        let rows = raster.pixels().chunks_exact(raster.stride()).skip(self.top).take(self.height);
        let pixels = rows.flat_map(|row| &row[4 * self.left..4 * (self.left + self.width)]).copied().collect();
        Raster::new(self.width as u32, self.height as u32, Layout::Rgba, pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::Limits;
    use crate::pixels::decode::frames::Frames;
    use crate::pixels::samples::{BLUE, CLEAR, GREEN, RED, WHITE, noisy, quadrants};

    /// A canvas of one colour, with a square of another.
    fn square(ground: [u8; 4], at: usize, color: [u8; 4]) -> Raster {
        let pixels = (0..32 * 32).flat_map(|place: usize| {
            let is_in = (at..at + 6).contains(&(place % 32)) && (at..at + 6).contains(&(place / 32));
            if is_in { color } else { ground }
        });
        Raster::new(32, 32, Layout::Rgba, pixels.collect()).unwrap()
    }

    fn written(plays: u32, frames: &[(Raster, u32)]) -> Vec<u8> {
        let mut writer = GifWriter::new(frames[0].0.width(), frames[0].0.height(), plays, 256).unwrap();
        for (canvas, delay) in frames {
            writer.add(canvas, *delay).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(file: &[u8]) -> (u32, Vec<(Raster, u32)>) {
        let probe = probe::probe(file).unwrap();
        let mut frames = Frames::open(file, &probe, &Limits::default(), 1 << 24).unwrap();
        let mut found = Vec::new();
        while let Some(frame) = frames.next_frame().unwrap() {
            found.push((frame.canvas.clone(), frame.delay));
        }
        (frames.plays(), found)
    }

    #[test]
    fn frames_come_back_as_they_were() {
        let moving: Vec<_> = (0..20).map(|at| (square(WHITE, at, RED), 40)).collect();
        let over_nothing: Vec<_> = (0..20).map(|at| (square(CLEAR, at, BLUE), 50)).collect();
        let mixed = vec![
            (square(CLEAR, 3, CLEAR), 20),
            (square(GREEN, 3, CLEAR), 100),
            (quadrants(32, 32, CLEAR), 30),
            (quadrants(32, 32, WHITE), 20),
            (square(CLEAR, 9, RED), 70),
        ];
        for (plays, frames) in [(0, moving), (1, over_nothing), (3, mixed)] {
            assert_eq!(read(&written(plays, &frames)), (plays, frames));
        }
    }

    #[test]
    fn only_what_changed_is_written() {
        let still = noisy(100, 100, Layout::Rgb).into_rgba();
        let mut changed = still.clone();
        changed.pixels_mut()[4 * 5050..4 * 5060].fill(255);
        let one = written(0, &[(still.clone(), 100)]);
        let two = written(0, &[(still.clone(), 100), (changed, 100)]);
        assert!(two.len() < one.len() + 200, "{} and {}", one.len(), two.len());
        // A frame that is the last one again is the last one for longer.
        let (_, found) = read(&written(0, &[(still.clone(), 100), (still, 250)]));
        assert_eq!(found.iter().map(|frame| frame.1).collect::<Vec<_>>(), [350]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(GifWriter::new(70_000, 1, 0, 256).is_err());
        let mut writer = GifWriter::new(32, 32, 0, 256).unwrap();
        assert!(writer.add(&quadrants(8, 8, RED), 10).is_err());
        assert!(writer.finish().is_err());
    }
}
