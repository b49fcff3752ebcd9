//! TIFF through `tiff`: the first page, whatever its colours, as eight bits of gray, RGB, RGBA or ink.

use std::io::Cursor;

use tiff::ColorType;
use tiff::decoder::{ChunkType, Decoder, DecodingResult};
use tiff::tags::Tag;

use super::{Decoded, MAX_PROFILE_BYTES, eighth};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// Compressions of this number hold JPEG.
const JPEG: u16 = 7;
/// What `PhotometricInterpretation` says of a palette, and of gray.
const PALETTE: u16 = 3;
const GRAY: u8 = 1;

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

pub(super) fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, PixelError> {
    let mut decoder = open(file, limits)?;
    let kind = decoder.find_tag_unsigned::<u16>(Tag::PhotometricInterpretation).map_err(error)?;
    let profile = decoder.find_tag(Tag::IccProfile).map_err(error)?.and_then(|value| value.into_u8_vec().ok());
    let raster = if kind == Some(PALETTE) {
        let map = decoder.get_tag_u16_vec(Tag::ColorMap).map_err(error)?;
        // The crate reads everything but palettes: as gray, the places in them come out.
        let file = as_gray(file)?;
        let places = read(&mut open(&file, limits)?, &file, Gray::Place)?;
        colored(&places, &map)?
    } else {
        read(&mut decoder, file, Gray::Brightness)?
    };
    let is_lossless = decoder.find_tag_unsigned::<u16>(Tag::Compression).map_err(error)? != Some(JPEG);
    let profile = profile.filter(|profile| profile.len() <= MAX_PROFILE_BYTES);
    Ok(Decoded { raster, extent: (0.0, 0.0), profile, is_lossless })
}

fn open<'a>(file: &'a [u8], limits: &Limits) -> Result<Reader<'a>, PixelError> {
    let max_bytes = usize::try_from(limits.max_memory_bytes).unwrap_or(usize::MAX);
    let mut own = tiff::decoder::Limits::default();
    own.decoding_buffer_size = max_bytes;
    own.intermediate_buffer_size = max_bytes;
    own.ifd_value_size = 4 << 20;
    Ok(Decoder::new(Cursor::new(file)).map_err(error)?.with_limits(own))
}

/// What one channel means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gray {
    Brightness,
    /// A place in a palette, as it is.
    Place,
}

/// Reads all strips or tiles of the first page.
fn read(decoder: &mut Reader<'_>, file: &[u8], gray: Gray) -> Result<Raster, PixelError> {
    let (width, height) = decoder.dimensions().map_err(error)?;
    let color = decoder.colortype().map_err(error)?;
    if decoder.find_tag_unsigned::<u16>(Tag::Compression).map_err(error)? == Some(JPEG) {
        check_jpegs(decoder, file)?;
    }
    let opacity = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(error)?;
    let opacity = opacity.and_then(|kinds| kinds.first().copied());
    let mut result = DecodingResult::U8(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut result).map_err(error)?;

    let n_pixels = width as usize * height as usize;
    let n_channels = usize::from(color.num_samples());
    let samples = match result {
        DecodingResult::U8(bytes) if color.bit_depth() < 8 => {
            let stride = layout.row_stride.map_or(0, |stride| stride.get());
            unpacked(&bytes, width as usize * n_channels, stride, color.bit_depth(), gray)
        }
        DecodingResult::U8(bytes) if color.bit_depth() == 8 => bytes,
        DecodingResult::U16(words) if color.bit_depth() == 16 => words.into_iter().map(eighth).collect(),
        _ => return Err(unsupported(format!("a TIFF of {} bits a channel", color.bit_depth()))),
    };
    if samples.len() != n_pixels * n_channels {
        return Err(unsupported("a TIFF with more channels than colours".to_owned()));
    }
    let samples = if layout.planes > 1 { interleaved(&samples, layout.planes, n_pixels) } else { samples };
    let (layout, pixels) = converted(color, opacity, samples)?;
    Raster::new(width, height, layout, pixels)
}

/// The pixels in a layout of ours.
fn converted(color: ColorType, opacity: Option<u16>, mut samples: Vec<u8>) -> Result<(Layout, Vec<u8>), PixelError> {
    // 1 is opacity that is multiplied into the colours, 2 is opacity, and anything else is something else.
    let has_alpha = matches!(opacity, Some(1 | 2));
    match color {
        ColorType::Gray(_) => Ok((Layout::Gray, samples)),
        ColorType::RGB(_) => Ok((Layout::Rgb, samples)),
        ColorType::CMYK(_) => Ok((Layout::Cmyk, samples)),
        ColorType::RGBA(_) => {
            if opacity == Some(1) {
                samples.as_chunks_mut().0.iter_mut().for_each(unpremultiply);
            }
            Ok((Layout::Rgba, samples))
        }
        ColorType::Multiband { num_samples, .. } => {
            let pixels = samples.chunks_exact(usize::from(num_samples.max(1))).flat_map(|pixel| {
                let mut pixel = [pixel[0], pixel[0], pixel[0], if has_alpha { pixel[1] } else { 255 }];
                if opacity == Some(1) {
                    unpremultiply(&mut pixel);
                }
                pixel
            });
            Ok((Layout::Rgba, pixels.collect()))
        }
        ColorType::YCbCr(_) => {
            samples.as_chunks_mut().0.iter_mut().for_each(|pixel| *pixel = rgb(*pixel));
            Ok((Layout::Rgb, samples))
        }
        ColorType::CMYKA(_) => Ok((
            Layout::Cmyk,
            samples.as_chunks::<5>().0.iter().flat_map(|ink| [ink[0], ink[1], ink[2], ink[3]]).collect(),
        )),
        other => Err(unsupported(format!("a TIFF of {other:?}"))),
    }
}

fn unpremultiply(pixel: &mut [u8; 4]) {
    let alpha = u32::from(pixel[3]);
    for channel in &mut pixel[..3] {
        *channel = (u32::from(*channel) * 255 + alpha / 2).checked_div(alpha).unwrap_or(0).min(255) as u8;
    }
}

/// Luma and chroma as JPEG has them, in 16ths of a thousandth: 1.402, 0.344136, 0.714136 and 1.772.
fn rgb([luma, blue, red]: [u8; 3]) -> [u8; 3] {
    let (luma, blue, red) = (i32::from(luma) << 16, i32::from(blue) - 128, i32::from(red) - 128);
    let channel = |value: i32| ((value + 32_768) >> 16).clamp(0, 255) as u8;
    [channel(luma + 91_881 * red), channel(luma - 22_554 * blue - 46_802 * red), channel(luma + 116_130 * blue)]
}

/// Rows of samples of less than eight bits, one a byte.
fn unpacked(bytes: &[u8], n_samples: usize, stride: usize, n_bits: u8, gray: Gray) -> Vec<u8> {
    let n_bits = usize::from(n_bits.clamp(1, 8));
    let largest = (1_u32 << n_bits) - 1;
    let sample = |row: &[u8], at: usize| {
        // A sample may lie in two bytes, if its bits don't divide eight.
        let bit = at * n_bits;
        let word = u32::from(row[bit / 8]) << 8 | u32::from(row.get(bit / 8 + 1).copied().unwrap_or(0));
        let value = word >> (16 - n_bits - bit % 8) & largest;
        if gray == Gray::Place { value as u8 } else { ((value * 255 + largest / 2) / largest) as u8 }
    };
    if stride < (n_samples * n_bits).div_ceil(8) || stride == 0 {
        return Vec::new();
    }
    bytes.chunks_exact(stride).flat_map(|row| (0..n_samples).map(move |at| sample(row, at))).collect()
}

/// Pixels from planes, one behind the other.
fn interleaved(planes: &[u8], n_planes: usize, n_pixels: usize) -> Vec<u8> {
    (0..n_pixels)
        .flat_map(|at| (0..n_planes).map(move |plane| planes.get(plane * n_pixels + at).copied().unwrap_or(0)))
        .collect()
}

/// The colours at places of a palette: all reds, all greens, then all blues, of sixteen bits.
fn colored(places: &Raster, map: &[u16]) -> Result<Raster, PixelError> {
    let n_colors = map.len() / 3;
    if places.layout() != Layout::Gray || n_colors == 0 {
        return Err(PixelError::corrupt("a palette without colours"));
    }
    // Some writers fill in eight bits where there should be sixteen.
    let is_narrow = map.iter().all(|&channel| channel < 256);
    let channel = |value: u16| if is_narrow { value as u8 } else { eighth(value) };
    Ok(places.map(Layout::Rgb, |place| {
        let at = usize::from(place[0]).min(n_colors - 1);
        [channel(map[at]), channel(map[n_colors + at]), channel(map[2 * n_colors + at])]
    }))
}

/// The file with gray in place of the palette.
fn as_gray(file: &[u8]) -> Result<Vec<u8>, PixelError> {
    const MEANING: u16 = 262;
    let lost = || PixelError::corrupt("a page that can't be found");
    let is_little = file.starts_with(b"II");
    let is_big = file.get(2..4).is_some_and(|mark| mark.contains(&43));
    let number = |at: usize, n_bytes: usize| -> Option<usize> {
        let bytes = file.get(at..at.checked_add(n_bytes)?)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        let number = if is_little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) };
        usize::try_from(number).ok()
    };
    let (start, width, count_width, field) = if is_big { (8, 8, 8, 20) } else { (4, 4, 2, 12) };
    let directory = number(start, width).ok_or_else(lost)?;
    let n_fields = number(directory, count_width).ok_or_else(lost)?.min(4096);
    let first = directory + count_width;
    let at = (0..n_fields).map(|n| first + n * field).find(|&at| number(at, 2) == Some(usize::from(MEANING)));
    // Behind tag, type and count; the lower of the two bytes.
    let value = at.ok_or_else(lost)? + 4 + width + usize::from(!is_little);
    let mut file = file.to_vec();
    *file.get_mut(value).ok_or_else(lost)? = GRAY;
    Ok(file)
}

/// Checks that every JPEG inside is as large as its strip or tile at the most, because its decoder believes it.
fn check_jpegs(decoder: &mut Reader<'_>, file: &[u8]) -> Result<(), PixelError> {
    let (offsets, lengths) = match decoder.get_chunk_type() {
        ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
        ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
    };
    let (width, height) = decoder.chunk_dimensions();
    let offsets = decoder.find_tag_unsigned_vec::<u64>(offsets).map_err(error)?.unwrap_or_default();
    let lengths = decoder.find_tag_unsigned_vec::<u64>(lengths).map_err(error)?.unwrap_or_default();
    for (offset, length) in offsets.into_iter().zip(lengths) {
        let (offset, length) = (usize::try_from(offset).ok(), usize::try_from(length).ok());
        let part = offset.and_then(|offset| file.get(offset..)?.get(..length?));
        let probe = probe::probe(part.ok_or_else(|| PixelError::corrupt("a strip beyond the end of the file"))?)?;
        probe::check_decodable(&probe)?;
        if probe.format != probe::Format::Jpeg || probe.width > width || probe.height > height {
            return Err(PixelError::corrupt("a strip that is larger than it should be"));
        }
    }
    Ok(())
}

fn unsupported(found: String) -> PixelError {
    PixelError::Unsupported { found }
}

fn error(error: tiff::TiffError) -> PixelError {
    match error {
        tiff::TiffError::IoError(_) => PixelError::corrupt("the file ends before the picture does"),
        tiff::TiffError::UnsupportedError(what) => unsupported(format!("a TIFF of a kind that is not read ({what})")),
        tiff::TiffError::LimitsExceeded => PixelError::corrupt("a part that is larger than any picture needs"),
        other => PixelError::corrupt(other),
    }
}
