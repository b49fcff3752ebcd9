//! A baseline JPEG encoder: one scan, standard Huffman codes, colour at full or at half resolution.
//!
//! Of our own, because nothing at hand is both quick in wasm and right: `jpeg-encoder` 0.7 takes half a picture's time
//! on requests, and by default keeps one colour of four where it should average them. Here everything before the codes
//! is arithmetic on eight numbers at a time, which the compiler turns into SIMD, and the result is that of libjpeg
//! with its floating-point transform.

use super::jpeg_tables::{
    CHROMA_AC, CHROMA_DC, CHROMA_QUANTIZERS, CodeTable, LUMA_AC, LUMA_DC, LUMA_QUANTIZERS, ZIGZAG,
};
use crate::pixels::PixelError;
use crate::pixels::raster::{Layout, Raster};

/// Sides of a block, in samples.
const SIDE: usize = 8;

/// How finely colour is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chroma {
    /// As finely as brightness (4:4:4).
    Full,
    /// One for four pixels, their average (4:2:0).
    Quarter,
}

/// Encodes a `Gray` or `Rgb` raster at `quality`, 1 to 100 in libjpeg's sense.
pub(super) fn encoded(raster: &Raster, quality: u8, chroma: Chroma) -> Result<Vec<u8>, PixelError> {
    let too_large = |_| PixelError::encode("a JPEG has at most 65535 pixels a side");
    let width = u16::try_from(raster.width()).map_err(too_large)?;
    let height = u16::try_from(raster.height()).map_err(too_large)?;
    let is_gray = match raster.layout() {
        Layout::Gray => true,
        Layout::Rgb => false,
        Layout::Rgba | Layout::Cmyk => return Err(PixelError::encode("JPEG has neither opacity nor ink")),
    };
    let chroma = if is_gray { Chroma::Full } else { chroma };
    let quantizers = [quantizers(&LUMA_QUANTIZERS, quality), quantizers(&CHROMA_QUANTIZERS, quality)];

    let mut file = header((width, height), is_gray, chroma, &quantizers);
    file.reserve(raster.pixels().len() / 8);
    let mut channels = vec![Channel::new(&quantizers[0], &LUMA_DC, &LUMA_AC)];
    if !is_gray {
        channels.extend([0, 1].map(|_| Channel::new(&quantizers[1], &CHROMA_DC, &CHROMA_AC)));
    }
    let mut bits = BitWriter::new(file);
    match chroma {
        Chroma::Full => scan_full(raster, &mut channels, &mut bits),
        Chroma::Quarter => scan_quarter(raster, &mut channels, &mut bits),
    }
    let mut file = bits.finish();
    file.extend([0xFF, 0xD9]);
    Ok(file)
}

/// The standard table, scaled to `quality` by libjpeg's rule.
fn quantizers(standard: &[u16; 64], quality: u8) -> [u8; 64] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    standard.map(|quantizer| ((u32::from(quantizer) * percent + 50) / 100).clamp(1, 255) as u8)
}

/// Everything before the first code.
fn header((width, height): (u16, u16), is_gray: bool, chroma: Chroma, quantizers: &[[u8; 64]; 2]) -> Vec<u8> {
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

    let code_tables = [(0x00, LUMA_DC), (0x10, LUMA_AC), (0x01, CHROMA_DC), (0x11, CHROMA_AC)];
    for (class_and_idx, table) in code_tables.into_iter().take(2 * usize::from(n_tables)) {
        segment(&mut file, 0xC4, &[&[class_and_idx], &table.n_codes[..], table.values].concat());
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
fn scan_full(raster: &Raster, channels: &mut [Channel], bits: &mut BitWriter) {
    let (width, height) = (raster.width() as usize, raster.height() as usize);
    let n_columns = width.div_ceil(SIDE);
    let mut strips: Vec<_> = channels.iter().map(|_| Strip::new(n_columns * SIDE, SIDE)).collect();
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
            for (channel, strip) in channels.iter_mut().zip(&strips) {
                channel.write(strip.block(x * SIDE, 0), bits);
            }
        }
    }
}

/// Colour once for four pixels: four blocks of brightness, then one of each colour, for 16 by 16 pixels.
fn scan_quarter(raster: &Raster, channels: &mut [Channel], bits: &mut BitWriter) {
    let [luma_channel, blue_channel, red_channel] = channels else { return };
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
                luma_channel.write(luma.block((2 * x + right) * SIDE, down * SIDE), bits);
            }
            blue_channel.write(blue.block(x * SIDE, 0), bits);
            red_channel.write(red.block(x * SIDE, 0), bits);
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

/// Eight numbers that undergo the same arithmetic.
#[derive(Debug, Clone, Copy)]
struct Lanes([f32; SIDE]);

impl std::ops::Add for Lanes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
}

impl std::ops::Sub for Lanes {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] - other.0[i]))
    }
}

impl std::ops::Mul<f32> for Lanes {
    type Output = Self;

    fn mul(self, factor: f32) -> Self {
        Self(self.0.map(|number| number * factor))
    }
}

/// What scales a coefficient of each row or column, left out of the transform: cosines of Arai, Agui and Nakajima.
const SCALES: [f64; SIDE] =
    [1.0, 1.387_039_845, 1.306_562_965, 1.175_875_602, 1.0, 0.785_694_958, 0.541_196_100, 0.275_899_379];

/// The cosine transform of eight columns at once, by Arai, Agui and Nakajima (as in libjpeg's `jfdctflt.c`).
fn transform_columns(v: &mut [Lanes; SIDE]) {
    let (tmp0, tmp7) = (v[0] + v[7], v[0] - v[7]);
    let (tmp1, tmp6) = (v[1] + v[6], v[1] - v[6]);
    let (tmp2, tmp5) = (v[2] + v[5], v[2] - v[5]);
    let (tmp3, tmp4) = (v[3] + v[4], v[3] - v[4]);

    let (tmp10, tmp13) = (tmp0 + tmp3, tmp0 - tmp3);
    let (tmp11, tmp12) = (tmp1 + tmp2, tmp1 - tmp2);
    let z1 = (tmp12 + tmp13) * 0.707_106_77;
    (v[0], v[4]) = (tmp10 + tmp11, tmp10 - tmp11);
    (v[2], v[6]) = (tmp13 + z1, tmp13 - z1);

    let (tmp10, tmp11, tmp12) = (tmp4 + tmp5, tmp5 + tmp6, tmp6 + tmp7);
    let z5 = (tmp10 - tmp12) * 0.382_683_43;
    let z2 = tmp10 * 0.541_196_1 + z5;
    let z4 = tmp12 * 1.306_563 + z5;
    let z3 = tmp11 * 0.707_106_77;
    let (z11, z13) = (tmp7 + z3, tmp7 - z3);
    (v[5], v[3]) = (z13 + z2, z13 - z2);
    (v[1], v[7]) = (z11 + z4, z11 - z4);
}

fn transposed(block: &[Lanes; SIDE]) -> [Lanes; SIDE] {
    std::array::from_fn(|column| Lanes(std::array::from_fn(|row| block[row].0[column])))
}

/// A channel on its way into the file.
struct Channel {
    /// One divided by quantiser and scale, of each coefficient, columns first: the transform leaves it so.
    factors: [Lanes; SIDE],
    means: Codes,
    others: Codes,
    last_mean: i32,
}

/// [`ZIGZAG`], for coefficients that lie columns first.
const ZIGZAG_OF_COLUMNS: [u8; 64] = {
    let mut order = ZIGZAG;
    let mut place_idx = 0;
    while place_idx < 64 {
        order[place_idx] = ZIGZAG[place_idx] % 8 * 8 + ZIGZAG[place_idx] / 8;
        place_idx += 1;
    }
    order
};

impl Channel {
    fn new(quantizers: &[u8; 64], means: &CodeTable, others: &CodeTable) -> Self {
        let factor = |column: usize, row: usize| {
            let quantizer = f64::from(quantizers[row * SIDE + column]);
            (1.0 / (quantizer * SCALES[row] * SCALES[column] * 8.0)) as f32
        };
        let factors = std::array::from_fn(|column| Lanes(std::array::from_fn(|row| factor(column, row))));
        Self { factors, means: Codes::new(means), others: Codes::new(others), last_mean: 0 }
    }

    fn write(&mut self, block: [Lanes; SIDE], bits: &mut BitWriter) {
        let coefficients = self.quantized(block);
        self.write_codes(&coefficients, bits);
    }

    /// Transformed and quantised, columns first.
    fn quantized(&self, mut block: [Lanes; SIDE]) -> [[i16; SIDE]; SIDE] {
        // Added to a small number, this leaves its nearest whole one in the lower bits.
        const ROUNDER: f32 = 12_582_912.0;
        transform_columns(&mut block);
        let mut block = transposed(&block);
        transform_columns(&mut block);
        std::array::from_fn(|column| {
            let (lanes, factors) = (&block[column].0, &self.factors[column].0);
            std::array::from_fn(|row| {
                let rounded = (lanes[row] * factors[row] + ROUNDER).to_bits() as i32 - ROUNDER.to_bits() as i32;
                // Ten bits is what the codes can say; only a checkerboard of black and white comes near.
                rounded.clamp(-1023, 1023) as i16
            })
        })
    }

    fn write_codes(&mut self, coefficients: &[[i16; SIDE]; SIDE], bits: &mut BitWriter) {
        let coefficients = coefficients.as_flattened();
        let mut in_order = [0_i16; 64];
        let mut nonzero = 0_u64;
        for (place_idx, place) in ZIGZAG_OF_COLUMNS.iter().enumerate() {
            let coefficient = coefficients[usize::from(place & 63)];
            in_order[place_idx] = coefficient;
            nonzero |= u64::from(coefficient != 0) << place_idx;
        }

        let mean = i32::from(in_order[0]);
        self.means.write(0, mean - self.last_mean, bits);
        self.last_mean = mean;

        // Each remaining one is written with the zeros before it, of which a code can say fifteen.
        let mut rest = nonzero & !1;
        let mut last_idx = 0;
        while rest != 0 {
            let place_idx = rest.trailing_zeros();
            let mut n_zeros = place_idx - last_idx - 1;
            while n_zeros > 15 {
                bits.put(self.others.of(SIXTEEN_ZEROS));
                n_zeros -= 16;
            }
            self.others.write(n_zeros, i32::from(in_order[place_idx as usize & 63]), bits);
            last_idx = place_idx;
            rest &= rest - 1;
        }
        if last_idx < 63 {
            bits.put(self.others.of(NO_MORE));
        }
    }
}

/// What a code means that stands for sixteen zeros, and for nothing but zeros from here.
const SIXTEEN_ZEROS: u8 = 0xF0;
const NO_MORE: u8 = 0x00;

/// A code's bits and their number.
type Code = (u32, u32);

/// The code of each value; of no bits for those that the table leaves out.
struct Codes([Code; 256]);

impl Codes {
    fn new(table: &CodeTable) -> Self {
        let mut codes = [(0, 0); 256];
        let mut values = table.values.iter();
        let mut code = 0;
        for (n_bits, n_codes) in (1..).zip(table.n_codes) {
            for value in values.by_ref().take(usize::from(n_codes)) {
                codes[usize::from(*value)] = (code, n_bits);
                code += 1;
            }
            code <<= 1;
        }
        Self(codes)
    }

    fn of(&self, value: u8) -> Code {
        self.0[usize::from(value)]
    }

    /// The code of a number's length (with `n_zeros`, at most 15, before it), and then the number.
    fn write(&self, n_zeros: u32, number: i32, bits: &mut BitWriter) {
        let n_number_bits = 32 - number.unsigned_abs().leading_zeros();
        let (code, n_bits) = self.of((n_zeros << 4 | n_number_bits) as u8);
        // A negative number is written as one less, without the bits above its length.
        let number_bits = (number + (number >> 31)) as u32 & ((1 << n_number_bits) - 1);
        bits.put((code << n_number_bits | number_bits, n_bits + n_number_bits));
    }
}

/// Bits into bytes, with a zero after each byte that would look like a marker.
struct BitWriter {
    file: Vec<u8>,
    /// Bits not written yet, the last one lowest.
    pending: u64,
    n_pending: u32,
}

impl BitWriter {
    fn new(file: Vec<u8>) -> Self {
        Self { file, pending: 0, n_pending: 0 }
    }

    /// At most 32 bits.
    #[inline]
    fn put(&mut self, (bits, n_bits): Code) {
        self.pending = self.pending << n_bits | u64::from(bits);
        self.n_pending += n_bits;
        if self.n_pending >= 32 {
            self.n_pending -= 32;
            self.write((self.pending >> self.n_pending) as u32);
        }
    }

    fn write(&mut self, word: u32) {
        let bytes = word.to_be_bytes();
        // Whether the complement has a byte of zeros.
        let has_marker = (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080 != 0;
        if !has_marker {
            self.file.extend_from_slice(&bytes);
            return;
        }
        bytes.into_iter().for_each(|byte| self.write_byte(byte));
    }

    fn write_byte(&mut self, byte: u8) {
        self.file.push(byte);
        if byte == 0xFF {
            self.file.push(0);
        }
    }

    /// Fills the last byte with ones.
    fn finish(mut self) -> Vec<u8> {
        while self.n_pending > 0 {
            let n_bits = self.n_pending.min(8);
            let byte = (self.pending >> (self.n_pending - n_bits)) as u8;
            self.n_pending -= n_bits;
            let n_ones = 8 - n_bits;
            self.write_byte(((u32::from(byte) << n_ones) | ((1 << n_ones) - 1)) as u8);
        }
        self.file
    }
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
                let error = error(&raster, &encoded(&raster, 95, chroma).unwrap());
                assert!(error < 6.0, "{width}x{height} {layout:?} {chroma:?}: {error}");
            }
        }
    }

    #[test]
    fn even_colours_are_exact() {
        for color in [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [12, 200, 77]] {
            for chroma in [Chroma::Full, Chroma::Quarter] {
                let raster = Raster::new(20, 20, Layout::Rgb, color.repeat(400)).unwrap();
                let error = error(&raster, &encoded(&raster, 100, chroma).unwrap());
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
                let error = error(raster, &encoded(raster, quality, Chroma::Full).unwrap());
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
            let ours = encoded(&raster, quality, chroma).unwrap();
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
        assert!(encoded(&wide, 80, Chroma::Full).is_err());
        let ink = Raster::zeroed(1, 1, Layout::Cmyk).unwrap();
        assert!(encoded(&ink, 80, Chroma::Full).is_err());
    }
}
