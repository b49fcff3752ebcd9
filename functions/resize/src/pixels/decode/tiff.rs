//! TIFF through `tiff`: the first page, whatever its colours, as eight bits of gray, RGB, RGBA or ink.

use std::io::Cursor;

use tiff::ColorType;
use tiff::decoder::{ChunkType, Decoder, DecodingResult};
use tiff::tags::Tag;

use super::{Decoded, Input, MAX_PROFILE_BYTES, eighth, jpeg};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// Compressions of this number hold JPEG.
const JPEG: u16 = 7;
/// What `PhotometricInterpretation` says of a palette, and of gray.
const PALETTE: u16 = 3;
const GRAY: u8 = 1;

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

/// TIFF.
pub(super) struct Tiff;

impl super::Decoder for Tiff {
    fn decode(&self, input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
        decode(input.file, limits)
    }
}

fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, PixelError> {
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
    Ok(Decoded::whole(raster, profile, is_lossless))
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
    // Some writers fill in eight bits where there should be sixteen, and some leave the lower ones empty.
    let is_narrow = map.iter().all(|&channel| channel < 256);
    let is_high = map.iter().all(|&channel| channel & 0xFF == 0);
    let channel = |value: u16| match (is_narrow, is_high) {
        (true, _) => value as u8,
        (_, true) => (value >> 8) as u8,
        _ => eighth(value),
    };
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
        if probe.format != probe::Format::Jpeg || probe.width > width || probe.height > height {
            return Err(PixelError::corrupt("a strip that is larger than it should be"));
        }
        if !jpeg::is_common(&probe) {
            return Err(unsupported("a TIFF of JPEGs of 12 bits or in arithmetic code".to_owned()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::decode::{Input, decode};
    use crate::pixels::samples::*;
    use ::tiff::encoder::{Compression, DeflateLevel, TiffEncoder, colortype};

    fn decoded(file: &[u8]) -> Result<Raster, PixelError> {
        let probe = probe::probe(file)?;
        Ok(decode(&Input::whole(file, &probe), &Limits::default())?.raster)
    }

    /// A TIFF of fields (tag, type, values) and strips; where these are and how long stands in fields of their own.
    fn file(is_little: bool, fields: &[(u16, u16, &[u32])], strips: &[&[u8]]) -> Vec<u8> {
        let number = |value: u32, n_bytes: usize| {
            if is_little {
                value.to_le_bytes()[..n_bytes].to_vec()
            } else {
                value.to_be_bytes()[4 - n_bytes..].to_vec()
            }
        };
        let mut bytes = if is_little { b"II*\0\0\0\0\0".to_vec() } else { b"MM\0*\0\0\0\0".to_vec() };
        let (mut places, mut lengths) = (Vec::new(), Vec::new());
        for strip in strips {
            places.push(bytes.len() as u32);
            lengths.push(strip.len() as u32);
            bytes.extend_from_slice(strip);
        }
        let mut entries = Vec::new();
        for (tag, kind, values) in fields.iter().copied().chain([(273, 4, &places[..]), (279, 4, &lengths)]) {
            let size = if kind == 3 { 2 } else { 4 };
            let mut value: Vec<u8> = values.iter().flat_map(|&value| number(value, size)).collect();
            if value.len() > 4 {
                let at = bytes.len() as u32;
                bytes.extend(value);
                value = number(at, 4);
            }
            value.resize(4, 0);
            entries
                .push([number(tag.into(), 2), number(kind.into(), 2), number(values.len() as u32, 4), value].concat());
        }
        let at = number(bytes.len() as u32, 4);
        bytes[4..8].copy_from_slice(&at);
        bytes.extend(number(entries.len() as u32, 2));
        bytes.extend(entries.concat());
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn every_compression_gives_the_same_picture() {
        let picture = quadrants(WIDTH, HEIGHT, CLEAR);
        let kinds = [
            ("none", Compression::Uncompressed),
            ("lzw", Compression::Lzw),
            ("deflate", Compression::Deflate(DeflateLevel::Best)),
            ("packbits", Compression::Packbits),
        ];
        for (name, compression) in kinds {
            let mut file = Cursor::new(Vec::new());
            let mut encoder = TiffEncoder::new(&mut file).unwrap().with_compression(compression);
            encoder.write_image::<colortype::RGBA8>(WIDTH, HEIGHT, picture.pixels()).unwrap();
            assert_eq!(decoded(file.get_ref()).unwrap(), picture, "compression {name}");
        }
    }

    #[test]
    fn every_kind_of_colour_is_read() {
        // Two by two pixels.
        let size: [(u16, u16, &[u32]); 2] = [(256, 3, &[2]), (257, 3, &[2])];
        let palette: Vec<u32> = [[0x0A0A, 0xFFFF], [0x1414, 0], [0x1E1E, 0x8080]].concat();
        type Case<'a> = (&'a str, &'a [(u16, u16, &'a [u32])], &'a [&'a [u8]], Layout, &'a [u8]);
        let cases: [Case; 14] = [
            ("bits", &[(262, 3, &[1])], &[&[0x40, 0x80]], Layout::Gray, &[0, 255, 255, 0]),
            ("bits, white is zero", &[(262, 3, &[0])], &[&[0x40, 0x80]], Layout::Gray, &[255, 0, 0, 255]),
            ("four bits", &[(258, 3, &[4]), (262, 3, &[1])], &[&[0x1F, 0x20]], Layout::Gray, &[17, 255, 34, 0]),
            ("gray", &[(258, 3, &[8]), (262, 3, &[1])], &[&[1, 2, 3, 4]], Layout::Gray, &[1, 2, 3, 4]),
            (
                "two strips",
                &[(258, 3, &[8]), (262, 3, &[1]), (278, 3, &[1])],
                &[&[1, 2], &[3, 4]],
                Layout::Gray,
                &[1, 2, 3, 4],
            ),
            (
                "gray of 16 bits",
                &[(258, 3, &[16]), (262, 3, &[1])],
                &[&[1, 1, 2, 2, 3, 0x84, 255, 255]],
                Layout::Gray,
                &[1, 2, 4, 255],
            ),
            (
                "palette",
                &[(258, 3, &[1]), (262, 3, &[3]), (320, 3, &palette)],
                &[&[0x40, 0x80]],
                Layout::Rgb,
                &[10, 20, 30, 255, 0, 128, 255, 0, 128, 10, 20, 30],
            ),
            (
                "rgb",
                &[(258, 3, &[8, 8, 8]), (262, 3, &[2]), (277, 3, &[3])],
                &[&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
                Layout::Rgb,
                &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
            ),
            (
                "planes",
                &[(258, 3, &[8, 8, 8]), (262, 3, &[2]), (277, 3, &[3]), (284, 3, &[2])],
                &[&[1, 4, 7, 10], &[2, 5, 8, 11], &[3, 6, 9, 12]],
                Layout::Rgb,
                &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
            ),
            (
                "premultiplied",
                &[(258, 3, &[8; 4]), (262, 3, &[2]), (277, 3, &[4]), (338, 3, &[1])],
                &[&[50, 0, 100, 100, 7, 8, 9, 255, 0, 0, 0, 0, 1, 2, 3, 255]],
                Layout::Rgba,
                &[128, 0, 255, 100, 7, 8, 9, 255, 0, 0, 0, 0, 1, 2, 3, 255],
            ),
            (
                "gray with opacity",
                &[(258, 3, &[8; 2]), (262, 3, &[1]), (277, 3, &[2]), (338, 3, &[2])],
                &[&[9, 255, 8, 100, 7, 0, 6, 255]],
                Layout::Rgba,
                &[9, 9, 9, 255, 8, 8, 8, 100, 7, 7, 7, 0, 6, 6, 6, 255],
            ),
            (
                "ink",
                &[(258, 3, &[8; 4]), (262, 3, &[5]), (277, 3, &[4])],
                &[&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]],
                Layout::Cmyk,
                &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
            ),
            (
                "luma and chroma",
                &[(258, 3, &[8; 3]), (262, 3, &[6]), (277, 3, &[3]), (530, 3, &[1, 1])],
                &[&[100, 128, 128, 0, 128, 128, 76, 85, 255, 255, 128, 128]],
                Layout::Rgb,
                &[100, 100, 100, 0, 0, 0, 254, 0, 0, 255, 255, 255],
            ),
            (
                "rgb of 16 bits",
                &[(258, 3, &[16; 3]), (262, 3, &[2]), (277, 3, &[3])],
                &[&[9; 24]],
                Layout::Rgb,
                &[9; 12],
            ),
        ];
        for (name, fields, strips, layout, expected) in cases {
            for is_little in [true, false] {
                let fields = [&size, fields].concat();
                let raster =
                    decoded(&file(is_little, &fields, strips)).unwrap_or_else(|error| panic!("{name}: {error}"));
                // Numbers of 16 bits come out otherwise in the other order, but for those of two equal bytes.
                if is_little && name == "gray of 16 bits" {
                    continue;
                }
                assert_eq!((raster.layout(), raster.pixels()), (layout, expected), "{name}");
            }
        }
    }

    #[test]
    fn jpeg_inside_is_read_if_it_is_no_larger_than_its_strip() {
        let jpeg = jpeg(&opaque(), |_| {});
        let fields = |width: &'static [u32]| -> Vec<(u16, u16, &[u32])> {
            vec![
                (256, 3, width),
                (257, 3, &[24]),
                (258, 3, &[8; 3]),
                (259, 3, &[7]),
                (262, 3, &[6]),
                (277, 3, &[3]),
                (530, 3, &[1, 1]),
            ]
        };
        let raster = decoded(&file(true, &fields(&[32]), &[&jpeg])).unwrap();
        assert!(are_close(&corners(&raster), &[RED, GREEN, BLUE, WHITE]));
        assert!(decoded(&file(true, &fields(&[16]), &[&jpeg])).is_err());
        assert!(decoded(&file(true, &fields(&[32]), &[&jpeg[..40]])).is_err());
    }

    #[test]
    fn damage_never_panics() {
        let mut random = 1_u32;
        let gray: [(u16, u16, &[u32]); 4] = [(256, 3, &[2]), (257, 3, &[2]), (258, 3, &[8]), (262, 3, &[1])];
        let palette: [(u16, u16, &[u32]); 5] =
            [(256, 3, &[2]), (257, 3, &[2]), (258, 3, &[1]), (262, 3, &[3]), (320, 3, &[9; 6])];
        let fax: [(u16, u16, &[u32]); 5] =
            [(256, 3, &[2]), (257, 3, &[2]), (258, 3, &[1]), (259, 3, &[4]), (262, 3, &[0])];
        let lzw: [(u16, u16, &[u32]); 5] =
            [(256, 3, &[2]), (257, 3, &[2]), (258, 3, &[8]), (259, 3, &[5]), (262, 3, &[1])];
        for fields in [&gray[..], &palette, &fax, &lzw] {
            let sound = file(true, fields, &[&[0x80, 1, 2, 3, 4, 5, 6]]);
            for at in 0..sound.len() {
                for _ in 0..12 {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let mut broken = sound.clone();
                    broken[at] = (random >> 24) as u8;
                    let Ok(probe) = probe::probe(&broken) else { continue };
                    let limits = Limits { max_pixels: 10_000, max_memory_bytes: 1 << 20, ..Limits::default() };
                    let _ = decode(&Input::whole(&broken, &probe), &limits);
                }
            }
        }
    }
}
