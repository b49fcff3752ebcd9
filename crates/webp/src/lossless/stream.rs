//! The image stream: transforms, prefix codes and tokens (the specification's sections 3 to 6).

use super::bits::BitWriter;
use super::costs::{Costs, Counts};
use super::matches::{Token, tokens};
use super::palette::Palette;
use super::predictor::{TILE_BITS, predict, subtract_green};
use super::prefix::PrefixCode;

/// Symbols of the first code: green, and after it the prefixes of lengths.
pub const LENGTHS: usize = 256;
/// The number of symbols of each code: green and lengths, red, blue, alpha, distances.
pub const SYMBOLS: [usize; 5] = [LENGTHS + 24, 256, 256, 256, 40];

/// The cache of colours has `1 << CACHE_BITS` places.
const CACHE_BITS: u32 = 10;

/// The numbers of transforms.
const PREDICTOR: u32 = 0;
const SUBTRACT_GREEN: u32 = 2;
const COLOR_INDEXING: u32 = 3;

/// The stream of an image of ARGB pixels after its header, in the smallest of the ways tried.
pub fn encode(pixels: &[u32], width: usize) -> Vec<u8> {
    let predicted = |pixels| with_prediction(pixels, width);
    match Palette::new(pixels) {
        None if has_plain_areas(pixels) => smaller(predicted(pixels), directly(pixels, width)),
        None => predicted(pixels),
        Some(palette) => {
            let indexed = with_palette(pixels, width, &palette);
            // Few colours are seldom predicted well, and many colours seldom found again.
            if palette.colors.len() <= 16 {
                return indexed;
            }
            smaller(predicted(pixels), indexed)
        }
    }
}

fn with_prediction(pixels: &[u32], width: usize) -> Vec<u8> {
    let mut writer = BitWriter::new();
    let mut pixels = pixels.to_vec();
    let is_grey = pixels.iter().all(|pixel| pixel & 0x00ff_00ff == 0);
    if !is_grey {
        writer.put(1 | SUBTRACT_GREEN << 1, 3);
        subtract_green(&mut pixels);
    }
    let (left_over, modes) = predict(&pixels, width);
    writer.put(1 | PREDICTOR << 1, 3);
    writer.put(TILE_BITS - 2, 3);
    let modes: Vec<u32> = modes.into_iter().map(|mode| u32::from(mode) << 8).collect();
    write_image(&mut writer, &modes, width.div_ceil(1 << TILE_BITS), false);
    writer.put(0, 1);
    write_image(&mut writer, &left_over, width, true);
    writer.finish()
}

fn smaller(a: Vec<u8>, b: Vec<u8>) -> Vec<u8> {
    if b.len() < a.len() { b } else { a }
}

/// Whether at least half of the pixels are like the one before, as they are in drawings.
fn has_plain_areas(pixels: &[u32]) -> bool {
    let repeated = pixels.windows(2).filter(|two| two[0] == two[1]).count();
    repeated * 2 >= pixels.len()
}

/// Without transforms, but with a cache of colours.
fn directly(pixels: &[u32], width: usize) -> Vec<u8> {
    let mut writer = BitWriter::new();
    writer.put(0, 1);
    writer.put(1, 1);
    writer.put(CACHE_BITS, 4);
    writer.put(0, 1);
    let tokens = with_cache(find_tokens(pixels, width), pixels);
    write_tokens(&mut writer, &tokens, 1 << CACHE_BITS);
    writer.finish()
}

/// Pixels that the decoder's cache of recent colours has (section 5.2.3) as their places in it.
fn with_cache(mut tokens: Vec<Token>, pixels: &[u32]) -> Vec<Token> {
    let place = |pixel: u32| (pixel.wrapping_mul(0x1e35_a7bd) >> (32 - CACHE_BITS)) as usize;
    let mut cache = vec![0; 1 << CACHE_BITS];
    let mut at = 0;
    for token in &mut tokens {
        let length = match *token {
            Token::Literal(pixel) if cache[place(pixel)] == pixel => {
                *token = Token::Cached(place(pixel) as u16);
                1
            }
            Token::Literal(_) | Token::Cached(_) => 1,
            Token::Copy { length, .. } => usize::from(length),
        };
        for &pixel in &pixels[at..at + length] {
            cache[place(pixel)] = pixel;
        }
        at += length;
    }
    tokens
}

fn with_palette(pixels: &[u32], width: usize, palette: &Palette) -> Vec<u8> {
    let mut writer = BitWriter::new();
    writer.put(1 | COLOR_INDEXING << 1, 3);
    writer.put(palette.colors.len() as u32 - 1, 8);
    write_image(&mut writer, &palette.deltas(), palette.colors.len(), false);
    writer.put(0, 1);
    let (indices, packed_width) = palette.indices(pixels, width);
    write_image(&mut writer, &indices, packed_width, true);
    writer.finish()
}

/// Writes entropy-coded pixels; only the main image says that it has one group of codes.
fn write_image(writer: &mut BitWriter, pixels: &[u32], width: usize, is_main: bool) {
    // No colour cache.
    writer.put(0, if is_main { 2 } else { 1 });
    write_tokens(writer, &find_tokens(pixels, width), 0);
}

/// The pixels as tokens: a first look finds which symbols will be common, a second one uses that.
fn find_tokens(pixels: &[u32], width: usize) -> Vec<Token> {
    let guess = count(&tokens(pixels, width, &Costs::of_literals(pixels)), 0);
    tokens(pixels, width, &Costs::new(&guess))
}

/// Writes the codes and the tokens; the cache of colours has so many places.
fn write_tokens(writer: &mut BitWriter, tokens: &[Token], cache: usize) {
    let counts = count(tokens, cache);
    let codes = counts.map(|counts| PrefixCode::new(&counts).write(writer));
    for token in tokens {
        match *token {
            Token::Cached(place) => codes[0].put(writer, SYMBOLS[0] + usize::from(place)),
            Token::Literal(pixel) => symbols(pixel).into_iter().zip(&codes).for_each(|(s, code)| code.put(writer, s)),
            Token::Copy { length, code } => {
                let (symbol, extra, bits) = prefix(length.into());
                codes[0].put(writer, LENGTHS + symbol);
                writer.put(extra, bits);
                let (symbol, extra, bits) = prefix(code as usize);
                codes[4].put(writer, symbol);
                writer.put(extra, bits);
            }
        }
    }
}

fn count(tokens: &[Token], cache: usize) -> Counts {
    let mut counts = SYMBOLS.map(|symbols| vec![0u32; symbols]);
    counts[0].resize(SYMBOLS[0] + cache, 0);
    for token in tokens {
        match *token {
            Token::Cached(place) => counts[0][SYMBOLS[0] + usize::from(place)] += 1,
            Token::Literal(pixel) => symbols(pixel).into_iter().zip(&mut counts).for_each(|(s, counts)| counts[s] += 1),
            Token::Copy { length, code } => {
                counts[0][LENGTHS + prefix(length.into()).0] += 1;
                counts[4][prefix(code as usize).0] += 1;
            }
        }
    }
    counts
}

/// Green, red, blue and alpha: the order of the codes.
#[inline]
pub fn symbols(pixel: u32) -> [usize; 4] {
    let [b, g, r, a] = pixel.to_le_bytes();
    [g.into(), r.into(), b.into(), a.into()]
}

/// A length or a distance code as a symbol with extra bits.
#[inline]
pub fn prefix(value: usize) -> (usize, u32, u32) {
    let value = value - 1;
    if value < 4 {
        return (value, 0, 0);
    }
    let high = value.ilog2();
    let extra_bits = high - 1;
    let symbol = 2 * high as usize + ((value >> extra_bits) & 1);
    (symbol, (value & ((1 << extra_bits) - 1)) as u32, extra_bits)
}
