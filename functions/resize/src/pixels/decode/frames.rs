//! The frames of an animation, one after the other, each as the whole canvas that is seen.
//!
//! One canvas is held, with what a frame needs to be undone; nothing is kept of frames that have been.

use std::io::Cursor;
use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DisposalMethod, MemoryLimit, Repeat};
use image_webp::{LoopCount, WebPDecoder};
use png::{BlendOp, ColorType, DisposeOp, FrameControl, Transformations};
use probe::{LimitError, Probe};

use super::{MAX_PROFILE_BYTES, eight_bits};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// A frame that is asked to be shown for less than this is shown for [`USUAL_DELAY`], as in every browser, in ms.
const LEAST_DELAY: u32 = 11;
const USUAL_DELAY: u32 = 100;

/// One frame, composed.
pub(in crate::pixels) struct Frame<'a> {
    /// The whole canvas, in `Rgba`.
    pub(in crate::pixels) canvas: &'a Raster,
    /// How long it is shown, in ms. At least 11.
    pub(in crate::pixels) delay: u32,
}

/// An animation that is being decoded.
pub(in crate::pixels) struct Frames<'a> {
    source: Source<'a>,
    canvas: Raster,
    /// Times the animation is played; 0 for ever.
    plays: u32,
    profile: Option<Vec<u8>>,
    frames_left: u32,
    pixels_left: u64,
}

enum Source<'a> {
    Gif(Box<GifSource<'a>>),
    Png(Box<PngSource<'a>>),
    WebP(Box<WebPSource<'a>>),
}

impl<'a> Frames<'a> {
    /// Begins with the file that `probe` describes. Over all frames, at most `max_total_pixels` pixels of canvas are
    /// composed.
    ///
    /// # Errors
    /// `Unsupported` for formats without frames, a limit, or `Corrupt`.
    pub(in crate::pixels) fn open(
        file: &'a [u8],
        probe: &Probe,
        limits: &Limits,
        max_total_pixels: u64,
    ) -> Result<Self, PixelError> {
        limits.check(probe)?;
        limits.check_memory(frames_bytes(probe))?;
        let (source, plays, profile) = match probe.format {
            probe::Format::Gif => GifSource::open(file, limits)?,
            probe::Format::Png => PngSource::open(file)?,
            probe::Format::WebP => WebPSource::open(file, limits)?,
            other => return Err(PixelError::Unsupported { found: format!("no animation but {}", other.name()) }),
        };
        Ok(Self {
            source,
            canvas: Raster::zeroed(probe.width, probe.height, Layout::Rgba)?,
            plays,
            profile: profile.filter(|profile| profile.len() <= MAX_PROFILE_BYTES),
            frames_left: limits.max_frames,
            pixels_left: max_total_pixels,
        })
    }

    /// Times the animation is played; 0 for ever.
    pub(in crate::pixels) fn plays(&self) -> u32 {
        self.plays
    }

    /// The colour profile of all frames, if there is one that is not too large.
    pub(in crate::pixels) fn profile(&self) -> Option<&[u8]> {
        self.profile.as_deref()
    }

    /// The next frame; `None` after the last.
    ///
    /// # Errors
    /// `Corrupt` where the file is damaged, which ends the animation: frames before are sound. A limit.
    pub(in crate::pixels) fn next_frame(&mut self) -> Result<Option<Frame<'_>>, PixelError> {
        let delay = match &mut self.source {
            Source::Gif(source) => source.next_frame(&mut self.canvas)?,
            Source::Png(source) => source.next_frame(&mut self.canvas)?,
            Source::WebP(source) => source.next_frame(&mut self.canvas)?,
        };
        let Some(delay) = delay else { return Ok(None) };
        let n_pixels = u64::from(self.canvas.width()) * u64::from(self.canvas.height());
        let too_many = LimitError::TooManyPixels { limit: self.pixels_left, actual: n_pixels };
        self.pixels_left = self.pixels_left.checked_sub(n_pixels).ok_or(too_many)?;
        // A file may hold more than its header counts.
        let too_many = LimitError::TooManyFrames { limit: 0, actual: 1 };
        self.frames_left = self.frames_left.checked_sub(1).ok_or(too_many)?;
        let delay = if delay < LEAST_DELAY { USUAL_DELAY } else { delay };
        Ok(Some(Frame { canvas: &self.canvas, delay }))
    }
}

/// The most bytes that decoding an animation holds at once: the canvas, a copy of it to go back to, and a frame of
/// 64 bits a pixel (PNG) or whatever a still picture takes.
pub(in crate::pixels) fn frames_bytes(probe: &Probe) -> u64 {
    probe.pixels.saturating_mul(8 + 11)
}

/// A part of the canvas, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Area {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Area {
    /// The rows of this part, as far as they are on the canvas.
    fn rows(self, canvas: &mut Raster) -> impl Iterator<Item = &mut [u8]> {
        let width = canvas.width() as usize;
        let stride = canvas.stride();
        let (left, right) = (self.left.min(width), self.left.saturating_add(self.width).min(width));
        let rows = canvas.pixels_mut().chunks_exact_mut(stride).skip(self.top).take(self.height);
        rows.map(move |row| &mut row[4 * left..4 * right])
    }

    fn clear(self, canvas: &mut Raster) {
        self.rows(canvas).for_each(|row| row.fill(0));
    }
}

/// What happens to a frame before the next one.
enum Undo {
    Nothing,
    Clear(Area),
    Restore(Vec<u8>),
}

impl Undo {
    fn apply(self, canvas: &mut Raster) {
        match self {
            Self::Nothing => {}
            Self::Clear(area) => area.clear(canvas),
            Self::Restore(pixels) => canvas.pixels_mut().copy_from_slice(&pixels),
        }
    }
}

struct GifSource<'a> {
    decoder: gif::Decoder<&'a [u8]>,
    /// Whether the next frame's header has been read.
    has_next: bool,
    max_pixels: u64,
    undo: Undo,
}

type Opened<'a> = (Source<'a>, u32, Option<Vec<u8>>);

impl<'a> GifSource<'a> {
    fn open(file: &'a [u8], limits: &Limits) -> Result<Opened<'a>, PixelError> {
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::RGBA);
        let max_bytes = NonZeroU64::new(limits.max_pixels.saturating_mul(4)).unwrap_or(NonZeroU64::MIN);
        options.set_memory_limit(MemoryLimit::Bytes(max_bytes));
        let mut decoder = options.read_info(file).map_err(gif_error)?;
        // How often it is played stands before the first frame.
        let has_next = decoder.next_frame_info().map_err(gif_error)?.is_some();
        let plays = match decoder.repeat() {
            Repeat::Infinite => 0,
            Repeat::Finite(again) => u32::from(again) + 1,
        };
        let profile = decoder.icc_profile().map(<[u8]>::to_vec);
        Ok((
            Source::Gif(Box::new(Self { decoder, has_next, max_pixels: limits.max_pixels, undo: Undo::Nothing })),
            plays,
            profile,
        ))
    }

    fn next_frame(&mut self, canvas: &mut Raster) -> Result<Option<u32>, PixelError> {
        let Some(frame) = self.decoder.current_frame_info().filter(|_| self.has_next) else { return Ok(None) };
        let area = Area {
            left: frame.left.into(),
            top: frame.top.into(),
            width: frame.width.into(),
            height: frame.height.into(),
        };
        let n_pixels = area.width as u64 * area.height as u64;
        if n_pixels > self.max_pixels {
            return Err(LimitError::TooManyPixels { limit: self.max_pixels, actual: n_pixels }.into());
        }
        let (delay, disposal) = (10 * u32::from(frame.delay), frame.dispose);
        let mut pixels = vec![0; self.decoder.buffer_size()];
        self.decoder.read_into_buffer(&mut pixels).map_err(gif_error)?;

        std::mem::replace(&mut self.undo, Undo::Nothing).apply(canvas);
        self.undo = match disposal {
            DisposalMethod::Any | DisposalMethod::Keep => Undo::Nothing,
            DisposalMethod::Background => Undo::Clear(area),
            DisposalMethod::Previous => Undo::Restore(canvas.pixels().to_vec()),
        };
        if area.width > 0 {
            for (row, line) in area.rows(canvas).zip(pixels.chunks_exact(4 * area.width)) {
                for (below, above) in row.as_chunks_mut::<4>().0.iter_mut().zip(line.as_chunks::<4>().0) {
                    if above[3] != 0 {
                        *below = *above;
                    }
                }
            }
        }
        self.has_next = self.decoder.next_frame_info().map_err(gif_error).is_ok_and(|frame| frame.is_some());
        Ok(Some(delay))
    }
}

fn gif_error(error: gif::DecodingError) -> PixelError {
    match error {
        gif::DecodingError::Io(_) => PixelError::corrupt("the file ends before the picture does"),
        other => PixelError::corrupt(other),
    }
}

struct PngSource<'a> {
    reader: png::Reader<Cursor<&'a [u8]>>,
    /// Frames that are still to come.
    frames_left: u32,
    is_first: bool,
    undo: Undo,
    pixels: Vec<u8>,
}

impl<'a> PngSource<'a> {
    fn open(file: &'a [u8]) -> Result<Opened<'a>, PixelError> {
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), png::Limits { bytes: 64 << 20 });
        decoder.set_transformations(Transformations::EXPAND);
        decoder.set_ignore_text_chunk(true);
        let reader = decoder.read_info().map_err(png_error)?;
        let info = reader.info();
        let profile = info.icc_profile.as_ref().filter(|_| info.srgb.is_none()).map(|profile| profile.to_vec());
        let (frames_left, plays) = match info.animation_control {
            Some(control) => (control.num_frames, control.num_plays),
            None => (1, 1),
        };
        let n_bytes = reader.output_buffer_size().ok_or_else(|| PixelError::corrupt("too large"))?;
        let source = Self { reader, frames_left, is_first: true, undo: Undo::Nothing, pixels: vec![0; n_bytes] };
        Ok((Source::Png(Box::new(source)), plays, profile))
    }

    fn next_frame(&mut self, canvas: &mut Raster) -> Result<Option<u32>, PixelError> {
        if self.frames_left == 0 {
            return Ok(None);
        }
        let is_still = self.reader.info().animation_control.is_none();
        let control = if std::mem::replace(&mut self.is_first, false) {
            match self.reader.info().frame_control {
                Some(control) => control,
                None if is_still => whole(canvas),
                None => {
                    // The default image is for those who don't know animations.
                    self.reader.next_frame(&mut self.pixels).map_err(png_error)?;
                    *self.reader.next_frame_info().map_err(png_error)?
                }
            }
        } else {
            *self.reader.next_frame_info().map_err(png_error)?
        };
        self.frames_left -= 1;
        let info = self.reader.next_frame(&mut self.pixels).map_err(png_error)?;
        let stride = if self.reader.info().interlaced {
            self.reader.output_line_size(canvas.width()).unwrap_or(info.line_size)
        } else {
            info.line_size
        };
        let line_bytes = info.line_size.min(stride);

        std::mem::replace(&mut self.undo, Undo::Nothing).apply(canvas);
        let area = Area {
            left: control.x_offset as usize,
            top: control.y_offset as usize,
            width: control.width as usize,
            height: control.height as usize,
        };
        self.undo = match control.dispose_op {
            DisposeOp::None => Undo::Nothing,
            DisposeOp::Background => Undo::Clear(area),
            DisposeOp::Previous => Undo::Restore(canvas.pixels().to_vec()),
        };
        let n_bytes = if info.bit_depth == png::BitDepth::Sixteen { 2 } else { 1 };
        let mut line = Vec::new();
        for (row, stored) in area.rows(canvas).zip(self.pixels.chunks_exact(stride.max(1))) {
            line.clear();
            line.extend_from_slice(&stored[..line_bytes]);
            if n_bytes == 2 {
                eight_bits(&mut line);
            }
            lay(row, &line, info.color_type, control.blend_op)?;
        }
        // A divisor of 0 stands for 100.
        let per_second = if control.delay_den == 0 { 100 } else { u32::from(control.delay_den) };
        Ok(Some((1000 * u32::from(control.delay_num)).div_ceil(per_second)))
    }
}

/// The whole canvas as the only frame.
fn whole(canvas: &Raster) -> FrameControl {
    FrameControl { width: canvas.width(), height: canvas.height(), ..FrameControl::default() }
}

/// Lays a line of a PNG's frame over a row of the canvas.
fn lay(row: &mut [u8], line: &[u8], color: ColorType, blend: BlendOp) -> Result<(), PixelError> {
    let row = row.as_chunks_mut::<4>().0.iter_mut();
    match color {
        ColorType::Grayscale => row.zip(line).for_each(|(below, &gray)| *below = [gray, gray, gray, 255]),
        ColorType::Rgb => {
            row.zip(line.as_chunks().0).for_each(|(below, &[red, green, blue])| *below = [red, green, blue, 255]);
        }
        ColorType::GrayscaleAlpha => row
            .zip(line.as_chunks().0)
            .for_each(|(below, &[gray, alpha])| *below = blended(*below, [gray, gray, gray, alpha], blend)),
        ColorType::Rgba => {
            row.zip(line.as_chunks().0).for_each(|(below, above)| *below = blended(*below, *above, blend));
        }
        ColorType::Indexed => return Err(PixelError::corrupt("a palette that could not be expanded")),
    }
    Ok(())
}

/// `above` over `below`, neither premultiplied.
fn blended(below: [u8; 4], above: [u8; 4], blend: BlendOp) -> [u8; 4] {
    let (over, under) = (u32::from(above[3]), u32::from(below[3]));
    if blend == BlendOp::Source || over == 255 || under == 0 {
        return above;
    }
    if over == 0 {
        return below;
    }
    // Shares of 255 * 255.
    let (over, under) = (255 * over, under * (255 - over));
    let total = over + under;
    let mix = |above: u8, below: u8| ((u32::from(above) * over + u32::from(below) * under + total / 2) / total) as u8;
    [mix(above[0], below[0]), mix(above[1], below[1]), mix(above[2], below[2]), ((total + 127) / 255) as u8]
}

fn png_error(error: png::DecodingError) -> PixelError {
    match error {
        png::DecodingError::IoError(_) => PixelError::corrupt("the file ends before the picture does"),
        other => PixelError::corrupt(other),
    }
}

struct WebPSource<'a> {
    decoder: WebPDecoder<Cursor<&'a [u8]>>,
    frames_left: u32,
    /// A frame in three channels, if the file has no opacity.
    rgb: Option<Vec<u8>>,
}

impl<'a> WebPSource<'a> {
    fn open(file: &'a [u8], limits: &Limits) -> Result<Opened<'a>, PixelError> {
        let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(PixelError::corrupt)?;
        decoder.set_memory_limit(usize::try_from(limits.max_memory_bytes).unwrap_or(usize::MAX));
        let profile = decoder.icc_profile().map_err(PixelError::corrupt)?;
        let (frames_left, plays) = if decoder.is_animated() {
            // What is cleared becomes transparent; the file's own ground is for nobody.
            decoder.set_background_color([0; 4]).map_err(PixelError::corrupt)?;
            let plays = match decoder.loop_count() {
                LoopCount::Forever => 0,
                LoopCount::Times(plays) => u32::from(plays.get()),
            };
            (decoder.num_frames(), plays)
        } else {
            (1, 1)
        };
        let n_bytes = decoder.output_buffer_size().ok_or_else(|| PixelError::corrupt("too large"))?;
        let rgb = (!decoder.has_alpha()).then(|| vec![0; n_bytes]);
        Ok((Source::WebP(Box::new(Self { decoder, frames_left, rgb })), plays, profile))
    }

    fn next_frame(&mut self, canvas: &mut Raster) -> Result<Option<u32>, PixelError> {
        let Some(frames_left) = self.frames_left.checked_sub(1) else { return Ok(None) };
        self.frames_left = frames_left;
        let n_bytes = canvas.pixels().len();
        let pixels = self.rgb.as_deref_mut().unwrap_or(canvas.pixels_mut());
        if self.decoder.output_buffer_size() != Some(pixels.len()) || n_bytes == 0 {
            return Err(PixelError::corrupt("the picture is not of the size that its header says"));
        }
        let delay = if self.decoder.is_animated() {
            self.decoder.read_frame(pixels).map_err(PixelError::corrupt)?
        } else {
            self.decoder.read_image(pixels).map_err(PixelError::corrupt)?;
            USUAL_DELAY
        };
        if let Some(rgb) = &self.rgb {
            for (pixel, &[red, green, blue]) in canvas.pixels_mut().as_chunks_mut().0.iter_mut().zip(rgb.as_chunks().0)
            {
                *pixel = [red, green, blue, 255];
            }
        }
        Ok(Some(delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::decode::{Input, decode};
    use crate::pixels::samples::*;

    type Shown = Vec<(Raster, u32)>;

    fn read(file: &[u8], limits: &Limits, max_total_pixels: u64) -> Result<(u32, Shown), PixelError> {
        let probe = probe::probe(file)?;
        let mut frames = Frames::open(file, &probe, limits, max_total_pixels)?;
        let mut shown = Vec::new();
        while let Some(frame) = frames.next_frame()? {
            shown.push((frame.canvas.clone(), frame.delay));
        }
        assert!(frames.profile().is_none());
        assert!(frames.profile().is_none_or(|profile| profile.len() <= MAX_PROFILE_BYTES));
        Ok((frames.plays(), shown))
    }

    /// Canvases of four pixels in a row, each told by its first channel and its opacity.
    fn told(shown: &Shown) -> Vec<String> {
        let pixel = |pixel: &[u8; 4]| if pixel[3] == 0 { "-".to_owned() } else { format!("{}/{}", pixel[0], pixel[3]) };
        let line = |(canvas, delay): &(Raster, u32)| {
            let pixels: Vec<_> = canvas.pixels().as_chunks().0.iter().map(pixel).collect();
            format!("{} {delay}", pixels.join(" "))
        };
        shown.iter().map(line).collect()
    }

    fn gif_frame(left: u16, pixels: &[u8], dispose: DisposalMethod, delay: u16) -> gif::Frame<'static> {
        gif::Frame {
            left,
            width: pixels.len() as u16,
            height: 1,
            dispose,
            delay,
            transparent: Some(0),
            palette: Some([0, 10, 20, 30].iter().flat_map(|&gray| [gray; 3]).collect()),
            buffer: pixels.to_vec().into(),
            ..gif::Frame::default()
        }
    }

    fn gif_of(repeat: Option<Repeat>, frames: &[gif::Frame<'_>]) -> Vec<u8> {
        let mut encoder = gif::Encoder::new(Vec::new(), 4, 1, &[]).unwrap();
        if let Some(repeat) = repeat {
            encoder.set_repeat(repeat).unwrap();
        }
        frames.iter().for_each(|frame| encoder.write_frame(frame).unwrap());
        encoder.into_inner().unwrap()
    }

    #[test]
    fn gif_frames_are_composed_and_undone() {
        use DisposalMethod::{Background, Keep, Previous};
        let file = gif_of(
            Some(Repeat::Infinite),
            &[
                gif_frame(0, &[1, 1, 1, 0], Keep, 5),
                gif_frame(1, &[2, 0], Background, 0),
                gif_frame(3, &[3], Previous, 2),
                gif_frame(0, &[0, 2, 0, 0], Keep, 7),
            ],
        );
        let (plays, shown) = read(&file, &Limits::default(), 1000).unwrap();
        assert_eq!(plays, 0);
        let expected =
            ["10/255 10/255 10/255 - 50", "10/255 20/255 10/255 - 100", "10/255 - - 30/255 20", "10/255 20/255 - - 70"];
        assert_eq!(told(&shown), expected);
        for (repeat, expected) in [(None, 1), (Some(Repeat::Finite(4)), 5)] {
            let file = gif_of(repeat, &[gif_frame(0, &[1], Keep, 5)]);
            assert_eq!(read(&file, &Limits::default(), 1000).unwrap().0, expected);
        }
    }

    #[test]
    fn png_frames_are_composed_and_undone() {
        let (over, source) = (BlendOp::Over, BlendOp::Source);
        type Step = (u32, &'static [[u8; 2]], DisposeOp, BlendOp);
        let steps: [Step; 4] = [
            (0, &[[10, 255], [10, 255], [10, 255], [10, 0]], DisposeOp::None, source),
            (1, &[[20, 255], [99, 0]], DisposeOp::Background, over),
            (2, &[[30, 0], [30, 255]], DisposeOp::Previous, source),
            (0, &[[30, 51], [40, 128]], DisposeOp::None, over),
        ];
        for has_default in [false, true] {
            let mut file = Vec::new();
            let mut encoder = png::Encoder::new(&mut file, 4, 1);
            encoder.set_color(png::ColorType::GrayscaleAlpha);
            encoder.set_animated(4, 3).unwrap();
            encoder.set_frame_delay(1, 25).unwrap();
            encoder.set_sep_def_img(has_default).unwrap();
            let mut writer = encoder.write_header().unwrap();
            if has_default {
                writer.write_image_data(&[77; 8]).unwrap();
            }
            for (left, pixels, dispose, blend) in steps {
                if left != 0 || pixels.len() != 4 {
                    writer.set_frame_dimension(pixels.len() as u32, 1).unwrap();
                    writer.set_frame_position(left, 0).unwrap();
                }
                writer.set_dispose_op(dispose).unwrap();
                writer.set_blend_op(blend).unwrap();
                writer.write_image_data(pixels.as_flattened()).unwrap();
            }
            writer.finish().unwrap();
            let (plays, shown) = read(&file, &Limits::default(), 1000).unwrap();
            assert_eq!(plays, 3);
            let expected = [
                "10/255 10/255 10/255 - 40",
                "10/255 20/255 10/255 - 40",
                "10/255 - - 30/255 40",
                "14/255 40/128 - - 40",
            ];
            assert_eq!(told(&shown), expected, "default image: {has_default}");
        }
    }

    #[test]
    fn webp_frames_are_composed_and_undone() {
        // Sides and places are in twos: four by one, and a frame of two in the right half.
        let image = |pixels: &[[u8; 2]]| {
            let rgba = pixels.iter().flat_map(|&[gray, alpha]| [gray, gray, gray, alpha]).collect();
            webp(&Raster::new(pixels.len() as u32, 1, Layout::Rgba, rgba).unwrap(), |_| {})[12..].to_vec()
        };
        let frame = |left: u8, pixels: &[[u8; 2]], delay: u8, flags: u8| {
            let image = image(pixels);
            let length = (16 + image.len()) as u32;
            let side = [pixels.len() as u8 - 1, 0, 0, 0, 0, 0];
            [&b"ANMF"[..], &length.to_le_bytes(), &[left / 2, 0, 0, 0, 0, 0], &side, &[delay, 0, 0, flags], &image]
                .concat()
        };
        let body = [
            b"WEBPVP8X\x0A\0\0\0\x12\0\0\0\x03\0\0\0\0\0".to_vec(),
            b"ANIM\x06\0\0\0\xFF\xFF\xFF\xFF\x02\0".to_vec(),
            frame(0, &[[10, 255], [10, 255], [10, 255], [10, 255]], 40, 0b10),
            frame(2, &[[0, 255], [0, 0]], 1, 0b01),
            frame(0, &[[30, 255], [0, 0]], 90, 0b10),
        ]
        .concat();
        let file = [b"RIFF", (body.len() as u32).to_le_bytes().as_slice(), &body].concat();
        let (plays, shown) = read(&file, &Limits::default(), 1000).unwrap();
        assert_eq!(plays, 2);
        let expected = ["10/255 10/255 10/255 10/255 40", "10/255 10/255 0/255 10/255 100", "30/255 - - - 90"];
        assert_eq!(told(&shown), expected);
    }

    #[test]
    fn the_first_frame_is_the_still_picture() {
        for (name, file) in every_kind() {
            let probe = probe::probe(&file).unwrap();
            let found = read(&file, &Limits::default(), 1 << 20);
            if probe.format == probe::Format::Jpeg {
                assert!(matches!(found, Err(PixelError::Unsupported { .. })), "{name}");
                continue;
            }
            let (_, shown) = found.unwrap();
            assert_eq!(shown.len(), probe.frames as usize, "{name}");
            let still = decode(&Input::whole(&file, &probe), &Limits::default()).unwrap().raster;
            let first = shown[0].0.clone();
            assert!(are_close(&corners(&first), &corners(&still)), "{name}");
        }
    }

    #[test]
    fn limits_hold_over_all_frames() {
        let frames: Vec<_> = (0..9).map(|_| gif_frame(0, &[1, 2, 3, 1], DisposalMethod::Keep, 5)).collect();
        let file = gif_of(None, &frames);
        assert!(read(&file, &Limits::default(), 36).is_ok());
        assert!(matches!(
            read(&file, &Limits::default(), 35),
            Err(PixelError::Limit(LimitError::TooManyPixels { .. }))
        ));
        let few = Limits { max_frames: 8, ..Limits::default() };
        assert!(matches!(read(&file, &few, 1000), Err(PixelError::Limit(LimitError::TooManyFrames { .. }))));
        let small = Limits { max_memory_bytes: 70, ..Limits::default() };
        assert!(matches!(read(&file, &small, 1000), Err(PixelError::Limit(LimitError::TooMuchMemory { .. }))));
    }

    #[test]
    fn damage_never_panics() {
        let limits = Limits { max_pixels: 4096, ..Limits::default() };
        let mut random = 1_u32;
        let sources = [ANIMATED_GIF, ANIMATED_WEBP].map(<[u8]>::to_vec).into_iter();
        for file in sources.chain(every_kind().into_iter().map(|(_, file)| file)) {
            for _ in 0..150 {
                let mut broken = file.clone();
                for _ in 0..2 {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let at = (random >> 8) as usize % broken.len();
                    broken[at] = (random >> 24) as u8;
                }
                broken.truncate(broken.len() - random as usize % 3);
                let _ = read(&broken, &limits, 100_000);
            }
        }
    }
}
