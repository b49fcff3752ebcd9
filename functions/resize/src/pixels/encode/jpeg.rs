//! A baseline JPEG encoder: one scan, colour at full or at half resolution, codes standard or fitted to the picture.
//!
//! Of our own, because nothing at hand is both quick in wasm and right: `jpeg-encoder` 0.7 took a third of the time of
//! a request, by default keeps one colour of four where it should average them, and fits codes only in files of three
//! scans, for which every viewer must hold the whole picture twice. Here everything before the codes is arithmetic on
//! eight numbers at a time, which the compiler turns into SIMD, and the result is that of libjpeg with its
//! floating-point transform.

use super::jpeg_blocks::{Channel, Lanes, SIDE};
use super::jpeg_codes::{BitWriter, CodeTables, Codes, Frequencies};
use super::jpeg_tables::{CHROMA_QUANTIZERS, LUMA_QUANTIZERS, ZIGZAG};
use crate::pixels::PixelError;
use crate::pixels::raster::{Layout, Raster};

/// How finely colour is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chroma {
    /// As finely as brightness (4:4:4).
    Full,
    /// One for four pixels, their average (4:2:0).
    Quarter,
}

/// Whose codes a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CodeChoice {
    /// The standard's: quick.
    Standard,
    /// The best for this picture: 2 % smaller for a large one, 15 % for a thumbnail. Takes a sixth more time, and as
    /// much memory again as the picture, so that it is kept to pictures of up to [`MAX_FITTED_PIXELS`].
    Fitted,
}

/// The largest picture that codes are fitted to, in pixels.
const MAX_FITTED_PIXELS: u64 = 1 << 22;

/// How a JPEG is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    /// 1 to 100, in libjpeg's sense.
    pub(super) quality: u8,
    pub(super) chroma: Chroma,
    pub(super) codes: CodeChoice,
}

/// Encodes a `Gray` or `Rgb` raster.
pub(super) fn encoded(raster: &Raster, options: Options) -> Result<Vec<u8>, PixelError> {
    let too_large = |_| PixelError::encode("a JPEG has at most 65535 pixels a side");
    let width = u16::try_from(raster.width()).map_err(too_large)?;
    let height = u16::try_from(raster.height()).map_err(too_large)?;
    let is_gray = match raster.layout() {
        Layout::Gray => true,
        Layout::Rgb => false,
        Layout::Rgba | Layout::Cmyk => return Err(PixelError::encode("JPEG has neither opacity nor ink")),
    };
    let chroma = if is_gray { Chroma::Full } else { options.chroma };
    let quantizers = [&LUMA_QUANTIZERS, &CHROMA_QUANTIZERS].map(|standard| quantizers(standard, options.quality));
    let n_pixels = u64::from(raster.width()) * u64::from(raster.height());
    let is_fitted = options.codes == CodeChoice::Fitted && n_pixels <= MAX_FITTED_PIXELS;

    let mut channels = vec![Channel::new(&quantizers[0])];
    if !is_gray {
        channels.extend([0, 1].map(|_| Channel::new(&quantizers[1])));
    }
    let start = |tables: &CodeTables| {
        let mut file = header((width, height), is_gray, chroma, &quantizers, tables);
        file.reserve(raster.pixels().len() / 8);
        (BitWriter::new(file), [Codes::new(&tables[0]), Codes::new(&tables[1])])
    };

    if !is_fitted {
        let (mut bits, codes) = start(&CodeTables::standard());
        scan(raster, chroma, |channel_idx, block| {
            let block = channels[channel_idx].finished(block);
            block.for_each_symbol(|symbol| codes[channel_idx.min(1)].write(symbol, &mut bits));
        });
        return Ok(bits.finish());
    }
    let mut frequencies = [Frequencies::default(), Frequencies::default()];
    let mut blocks = Vec::with_capacity(raster.pixels().len() / 64 + 8);
    scan(raster, chroma, |channel_idx, block| {
        let block = channels[channel_idx].finished(block);
        block.for_each_symbol(|symbol| frequencies[channel_idx.min(1)].count(symbol));
        blocks.push((channel_idx.min(1), block));
    });
    let (mut bits, codes) = start(&CodeTables::fitted(&frequencies));
    for (codes_idx, block) in &blocks {
        block.for_each_symbol(|symbol| codes[*codes_idx].write(symbol, &mut bits));
    }
    Ok(bits.finish())
}

/// Hands out the blocks of samples in the order in which they are written, with the index of their channel.
fn scan(raster: &Raster, chroma: Chroma, write: impl FnMut(usize, [Lanes; SIDE])) {
    match chroma {
        Chroma::Full => scan_full(raster, write),
        Chroma::Quarter => scan_quarter(raster, write),
    }
}

/// The standard table, scaled to `quality` by libjpeg's rule.
fn quantizers(standard: &[u16; 64], quality: u8) -> [u8; 64] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    standard.map(|quantizer| ((u32::from(quantizer) * percent + 50) / 100).clamp(1, 255) as u8)
}

/// Everything before the first code.
fn header(
    (width, height): (u16, u16),
    is_gray: bool,
    chroma: Chroma,
    quantizers: &[[u8; 64]; 2],
    tables: &CodeTables,
) -> Vec<u8> {
    let mut file = vec![0xFF, 0xD8];
    // JFIF 1.1 of square pixels, without preview.
    segment(&mut file, 0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    let n_tables = if is_gray { 1 } else { 2 };
    for (table_idx, table) in (0..n_tables).zip(quantizers) {
        let in_order = ZIGZAG.map(|place| table[usize::from(place)]);
        segment(&mut file, 0xDB, &[&[table_idx], &in_order[..]].concat());
    }

    // Number, sampling factors, quantiser table of each channel.
    let luma_sampling = if chroma == Chroma::Quarter { 0x22 } else { 0x11 };
    let channels: &[u8] = if is_gray { &[1, 0x11, 0] } else { &[1, luma_sampling, 0, 2, 0x11, 1, 3, 0x11, 1] };
    let n_channels = (channels.len() / 3) as u8;
    let [height_high, height_low] = height.to_be_bytes();
    let [width_high, width_low] = width.to_be_bytes();
    let frame = [8, height_high, height_low, width_high, width_low, n_channels];
    segment(&mut file, 0xC0, &[&frame, channels].concat());

    for (table_idx, table) in (0..n_tables).zip(&tables.0) {
        segment(&mut file, 0xC4, &[&[table_idx], &table.means.n_codes[..], &table.means.values].concat());
        segment(&mut file, 0xC4, &[&[0x10 | table_idx], &table.others.n_codes[..], &table.others.values].concat());
    }
    let scan: &[u8] = if is_gray { &[1, 1, 0x00] } else { &[3, 1, 0x00, 2, 0x11, 3, 0x11] };
    segment(&mut file, 0xDA, &[scan, &[0, 63, 0]].concat());
    file
}

/// A marker with its segment, which is short.
fn segment(file: &mut Vec<u8>, marker: u8, contents: &[u8]) {
    file.extend([0xFF, marker]);
    file.extend((contents.len() as u16 + 2).to_be_bytes());
    file.extend_from_slice(contents);
}

/// A strip of one channel: eight or sixteen rows of samples around zero.
struct Strip {
    samples: Vec<f32>,
    stride: usize,
}

impl Strip {
    fn new(stride: usize, n_rows: usize) -> Self {
        Self { samples: vec![0.0; stride * n_rows], stride }
    }

    fn row_mut(&mut self, y: usize) -> &mut [f32] {
        &mut self.samples[y * self.stride..(y + 1) * self.stride]
    }

    /// Repeats the last of the first `n_samples` of a row to its end.
    fn extend_row(&mut self, y: usize, n_samples: usize) {
        let row = self.row_mut(y);
        let last = row[n_samples - 1];
        row[n_samples..].fill(last);
    }

    /// The block whose upper left sample is at (`x`, `y`).
    fn block(&self, x: usize, y: usize) -> [Lanes; SIDE] {
        let mut block = [Lanes([0.0; SIDE]); SIDE];
        for (row_idx, lanes) in block.iter_mut().enumerate() {
            let start = (y + row_idx) * self.stride + x;
            if let Some(samples) = self.samples[start..].first_chunk::<SIDE>() {
                lanes.0 = *samples;
            }
        }
        block
    }
}

/// Every channel of every pixel: blocks of 8 by 8 pixels, one of each channel in turn.
fn scan_full(raster: &Raster, mut write: impl FnMut(usize, [Lanes; SIDE])) {
    let (width, height) = (raster.width() as usize, raster.height() as usize);
    let n_columns = width.div_ceil(SIDE);
    let mut strips: Vec<_> = (0..raster.layout().channels()).map(|_| Strip::new(n_columns * SIDE, SIDE)).collect();
    for top in (0..height).step_by(SIDE) {
        for y in 0..SIDE {
            let row = row_at(raster, top + y);
            match &mut strips[..] {
                [luma, blue, red] => {
                    let samples = luma.row_mut(y).iter_mut().zip(blue.row_mut(y)).zip(red.row_mut(y));
                    for (pixel, ((luma, blue), red)) in row.as_chunks::<3>().0.iter().zip(samples) {
                        let [r, g, b] = pixel.map(f32::from);
                        *luma = luma_of(r, g, b);
                        (*blue, *red) = chroma_of(r, g, b);
                    }
                }
                strips => {
                    let samples = strips.iter_mut().flat_map(|strip| strip.row_mut(y));
                    samples.zip(row).for_each(|(sample, gray)| *sample = f32::from(*gray) - 128.0);
                }
            }
            strips.iter_mut().for_each(|strip| strip.extend_row(y, width));
        }
        for x in 0..n_columns {
            for (channel_idx, strip) in strips.iter().enumerate() {
                write(channel_idx, strip.block(x * SIDE, 0));
            }
        }
    }
}

/// Colour once for four pixels: four blocks of brightness, then one of each colour, for 16 by 16 pixels.
fn scan_quarter(raster: &Raster, mut write: impl FnMut(usize, [Lanes; SIDE])) {
    let (width, height) = (raster.width() as usize, raster.height() as usize);
    let n_columns = width.div_ceil(2 * SIDE);
    let mut luma = Strip::new(n_columns * 2 * SIDE, 2 * SIDE);
    let mut blue = Strip::new(n_columns * SIDE, SIDE);
    let mut red = Strip::new(n_columns * SIDE, SIDE);
    for top in (0..height).step_by(2 * SIDE) {
        for y in 0..SIDE {
            let rows = [2 * y, 2 * y + 1].map(|row_idx| row_at(raster, top + row_idx));
            for (row_idx, row) in rows.into_iter().enumerate() {
                let samples = luma.row_mut(2 * y + row_idx).iter_mut();
                for (pixel, sample) in row.as_chunks::<3>().0.iter().zip(samples) {
                    let [r, g, b] = pixel.map(f32::from);
                    *sample = luma_of(r, g, b);
                }
                luma.extend_row(2 * y + row_idx, width);
            }
            average_chroma(rows, blue.row_mut(y), red.row_mut(y));
            blue.extend_row(y, width.div_ceil(2));
            red.extend_row(y, width.div_ceil(2));
        }
        for x in 0..n_columns {
            for (right, down) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                write(0, luma.block((2 * x + right) * SIDE, down * SIDE));
            }
            write(1, blue.block(x * SIDE, 0));
            write(2, red.block(x * SIDE, 0));
        }
    }
}

/// The row at `y`, or the last one below the picture.
fn row_at(raster: &Raster, y: usize) -> &[u8] {
    let y = y.min(raster.height() as usize - 1);
    &raster.pixels()[y * raster.stride()..(y + 1) * raster.stride()]
}

/// Colours of two rows of pixels, four pixels to one; the last column of an odd width counts twice.
fn average_chroma([upper, lower]: [&[u8]; 2], blue: &mut [f32], red: &mut [f32]) {
    let (upper_pairs, upper_rest) = upper.as_chunks::<6>();
    let (lower_pairs, lower_rest) = lower.as_chunks::<6>();
    let n_pairs = upper_pairs.len();
    let samples = blue.iter_mut().zip(red.iter_mut());
    for ((upper, lower), (blue, red)) in upper_pairs.iter().zip(lower_pairs).zip(samples) {
        let sum =
            |i: usize| u16::from(upper[i]) + u16::from(upper[i + 3]) + u16::from(lower[i]) + u16::from(lower[i + 3]);
        let [r, g, b] = [0, 1, 2].map(|i| f32::from(sum(i)) * 0.25);
        (*blue, *red) = chroma_of(r, g, b);
    }
    if let ([r, g, b], [r2, g2, b2]) = (upper_rest, lower_rest) {
        let [r, g, b] = [(r, r2), (g, g2), (b, b2)].map(|(a, b)| f32::from(u16::from(*a) + u16::from(*b)) * 0.5);
        (blue[n_pairs], red[n_pairs]) = chroma_of(r, g, b);
    }
}

/// Brightness by ITU-R BT.601, around zero.
fn luma_of(r: f32, g: f32, b: f32) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b - 128.0
}

/// How much bluer and how much redder than gray.
fn chroma_of(r: f32, g: f32, b: f32) -> (f32, f32) {
    (-0.168_735_9 * r - 0.331_264_1 * g + 0.5 * b, 0.5 * r - 0.418_687_6 * g - 0.081_312_4 * b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::samples::noisy;

    /// Mean of the squared differences between a raster and what decodes from its JPEG.
    fn error(raster: &Raster, file: &[u8]) -> f64 {
        let mut decoder = jpeg_decoder::Decoder::new(file);
        let pixels = decoder.decode().unwrap();
        let info = decoder.info().unwrap();
        assert_eq!((u32::from(info.width), u32::from(info.height)), (raster.width(), raster.height()));
        assert_eq!(pixels.len(), raster.pixels().len());
        let squares = pixels.iter().zip(raster.pixels()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
        squares.sum::<f64>() / pixels.len() as f64
    }

    /// Encodes with fitted and with standard codes, of which the former must not be longer by more than their tables.
    fn encoded(raster: &Raster, quality: u8, chroma: Chroma) -> Vec<u8> {
        let encoded = |codes| super::encoded(raster, Options { quality, chroma, codes }).unwrap();
        let (standard, fitted) = (encoded(CodeChoice::Standard), encoded(CodeChoice::Fitted));
        assert!(fitted.len() <= standard.len(), "{} for {} bytes", fitted.len(), standard.len());
        assert_eq!(error(raster, &fitted), error(raster, &standard));
        standard
    }

    /// A smooth picture, which JPEG keeps well.
    fn smooth(width: u32, height: u32, layout: Layout) -> Raster {
        let pixels = (0..height).flat_map(|y| {
            (0..width).flat_map(move |x| {
                let pixel = [x + y, 2 * y, 255_u32.saturating_sub(x)].map(|channel| channel.min(255) as u8);
                pixel[..layout.channels()].to_vec()
            })
        });
        Raster::new(width, height, layout, pixels.collect()).unwrap()
    }

    #[test]
    fn every_size_and_layout_decodes_to_the_picture() {
        let sizes = [(1, 1), (2, 1), (1, 9), (7, 8), (8, 8), (9, 9), (15, 16), (16, 17), (17, 15), (33, 64), (100, 90)];
        for (width, height) in sizes {
            for (layout, chroma) in
                [(Layout::Gray, Chroma::Full), (Layout::Rgb, Chroma::Full), (Layout::Rgb, Chroma::Quarter)]
            {
                let raster = smooth(width, height, layout);
                let error = error(&raster, &encoded(&raster, 95, chroma));
                assert!(error < 6.0, "{width}x{height} {layout:?} {chroma:?}: {error}");
            }
        }
    }

    #[test]
    fn even_colours_are_exact() {
        for color in [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [12, 200, 77]] {
            for chroma in [Chroma::Full, Chroma::Quarter] {
                let raster = Raster::new(20, 20, Layout::Rgb, color.repeat(400)).unwrap();
                let error = error(&raster, &encoded(&raster, 100, chroma));
                assert!(error <= 1.0, "{color:?} {chroma:?}: {error}");
            }
        }
    }

    #[test]
    fn the_hardest_blocks_are_coded_whole() {
        // Stripes and checkers of black and white make the largest coefficients, noise the longest codes.
        let pattern = |value: fn(u32, u32) -> bool| {
            let pixels = (0..64).flat_map(|y| (0..64).map(move |x| if value(x, y) { 255 } else { 0 }));
            Raster::new(64, 64, Layout::Gray, pixels.collect()).unwrap()
        };
        let rasters = [
            pattern(|x, y| (x + y) % 2 == 0),
            pattern(|x, _| x % 2 == 0),
            pattern(|_, y| y % 2 == 0),
            pattern(|x, y| (x / 8 + y / 8) % 2 == 0),
            pattern(|x, y| x % 8 == 0 && y % 8 == 0),
            noisy(61, 67, Layout::Gray),
        ];
        for (raster_idx, raster) in rasters.iter().enumerate() {
            for quality in [1, 25, 50, 90, 100] {
                let error = error(raster, &encoded(raster, quality, Chroma::Full));
                let expected = if quality == 100 { 1.0 } else { 20_000.0 };
                assert!(error <= expected, "{raster_idx} at {quality}: {error}");
            }
        }
    }

    #[test]
    fn is_as_good_and_as_small_as_another_encoder() {
        let raster = noisy(200, 150, Layout::Rgb);
        for (quality, chroma, sampling) in [
            (80, Chroma::Quarter, jpeg_encoder::SamplingFactor::F_2_2),
            (92, Chroma::Full, jpeg_encoder::SamplingFactor::F_1_1),
            (30, Chroma::Quarter, jpeg_encoder::SamplingFactor::F_2_2),
        ] {
            let ours = encoded(&raster, quality, chroma);
            let mut theirs = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut theirs, quality);
            encoder.set_sampling_factor(sampling);
            encoder.set_chroma_subsampling_method(jpeg_encoder::ChromaSubsamplingMethod::Average);
            encoder.encode(raster.pixels(), 200, 150, jpeg_encoder::ColorType::Rgb).unwrap();
            let ratio = ours.len() as f64 / theirs.len() as f64;
            assert!((0.98..1.02).contains(&ratio), "{quality}: {} for {} bytes", ours.len(), theirs.len());
            let (our_error, their_error) = (error(&raster, &ours), error(&raster, &theirs));
            assert!(our_error < their_error * 1.02, "{quality}: {our_error} for {their_error}");
        }
    }

    #[test]
    fn quality_is_that_of_libjpeg() {
        assert_eq!(quantizers(&LUMA_QUANTIZERS, 50)[..3], [16, 11, 10]);
        assert_eq!(quantizers(&LUMA_QUANTIZERS, 80)[..3], [6, 4, 4]);
        assert_eq!(quantizers(&LUMA_QUANTIZERS, 100), [1; 64]);
        assert_eq!(quantizers(&LUMA_QUANTIZERS, 1), [255; 64]);
    }

    #[test]
    fn refuses_what_jpeg_cannot_hold() {
        let wide = Raster::zeroed(65_536, 1, Layout::Gray).unwrap();
        let options = Options { quality: 80, chroma: Chroma::Full, codes: CodeChoice::Standard };
        assert!(super::encoded(&wide, options).is_err());
        let ink = Raster::zeroed(1, 1, Layout::Cmyk).unwrap();
        assert!(super::encoded(&ink, options).is_err());
    }
}
