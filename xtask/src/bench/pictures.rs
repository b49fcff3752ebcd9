//! The pictures that are measured with.

use std::path::PathBuf;

use anyhow::{Context, Result};
use image::RgbImage;
use image::imageops::{FilterType, resize};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::shell::root;

/// The size of the picture that renders start from, in pixels: that of the one in sharp's own benchmark.
const SAMPLE_SIZE: (u32, u32) = (2725, 2225);

/// The size of the pictures that are ingested, in pixels: six million of them.
const INGEST_SIZE: (u32, u32) = (3000, 2000);

/// The quality that pictures of ours are encoded with: a common setting of cameras.
const QUALITY: u8 = 88;

/// The pictures.
pub struct Pictures {
    /// Where they are from, for the report.
    pub origin: &'static str,
    /// A JPEG of 2725x2225 pixels.
    pub sample: Vec<u8>,
    pixels: RgbImage,
}

impl Pictures {
    /// The photograph at SCALEHOSTER_SAMPLE or in `../shared/images`, else a made-up picture; that as well where
    /// SCALEHOSTER_SAMPLE is empty.
    ///
    /// # Errors
    /// When a photograph is there and can't be read.
    pub fn load() -> Result<Self> {
        let Some(path) = sample_path() else { return Self::made_up() };
        let bytes = std::fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
        let pixels = image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg);
        let pixels = pixels.with_context(|| format!("{} is no JPEG", path.display()))?.into_rgb8();
        let sample = if pixels.dimensions() == SAMPLE_SIZE { bytes } else { encoded(&pixels, SAMPLE_SIZE)? };
        Ok(Self { origin: "a photograph", sample, pixels })
    }

    fn made_up() -> Result<Self> {
        let pixels = RgbImage::from_fn(SAMPLE_SIZE.0, SAMPLE_SIZE.1, made_up_pixel);
        Ok(Self { origin: "a made-up picture", sample: encoded(&pixels, SAMPLE_SIZE)?, pixels })
    }

    /// A JPEG of 3000x2000 pixels.
    ///
    /// # Errors
    /// When it can't be encoded.
    pub fn six_megapixels(&self) -> Result<Vec<u8>> {
        self.sized(INGEST_SIZE)
    }

    /// A JPEG of so many pixels across and down.
    ///
    /// # Errors
    /// When it can't be encoded.
    pub fn sized(&self, size: (u32, u32)) -> Result<Vec<u8>> {
        encoded(&self.pixels, size)
    }
}

fn sample_path() -> Option<PathBuf> {
    match std::env::var_os("SCALEHOSTER_SAMPLE") {
        Some(path) if path.is_empty() => None,
        Some(path) => Some(path.into()),
        None => Some(root().join("../shared/images/sharp-headline.jpg")).filter(|path| path.is_file()),
    }
}

fn encoded(pixels: &RgbImage, (width, height): (u32, u32)) -> Result<Vec<u8>> {
    let pixels = resize(pixels, width, height, FilterType::CatmullRom);
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(pixels.as_raw(), u16::try_from(width)?, u16::try_from(height)?, ColorType::Rgb)?;
    Ok(jpeg)
}

/// The same picture in other bytes: a JPEG, a PNG or a WebP with a note that holds `number`, of 8 digits.
pub fn numbered(file: &[u8], number: usize) -> Vec<u8> {
    let note = format!("{number:08}");
    match file {
        [0x89, b'P', b'N', b'G', ..] => numbered_png(file, &note),
        [b'R', b'I', b'F', b'F', ..] => numbered_webp(file, &note),
        _ => with(file, 2, &[&[0xff, 0xfe, 0, 10], note.as_bytes()]),
    }
}

/// With a text behind the first chunk.
fn numbered_png(file: &[u8], note: &str) -> Vec<u8> {
    const AFTER_HEADER: usize = 33;
    let body = [b"tEXtComment\0", note.as_bytes()].concat();
    let length = (body.len() - 4) as u32;
    with(file, AFTER_HEADER, &[&length.to_be_bytes(), &body, &crc(&body).to_be_bytes()])
}

/// With a chunk that nobody knows behind the last.
fn numbered_webp(file: &[u8], note: &str) -> Vec<u8> {
    let length = note.len() as u32;
    let mut bytes = with(file, file.len(), &[b"NOTE", &length.to_le_bytes(), note.as_bytes()]);
    let riff_size = (bytes.len() - 8) as u32;
    bytes[4..8].copy_from_slice(&riff_size.to_le_bytes());
    bytes
}

/// `file` with `parts` put in at `position`.
fn with(file: &[u8], position: usize, parts: &[&[u8]]) -> Vec<u8> {
    let (before, after) = file.split_at(position);
    [before, &parts.concat(), after].concat()
}

/// The check sum of a PNG's chunk: CRC-32, reflected.
fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum)))
}

/// Something like a landscape to an encoder: soft light, hard edges, and noise that fades out with its frequency.
fn made_up_pixel(x: u32, y: u32) -> image::Rgb<u8> {
    let (fx, fy) = (x as f32, y as f32);
    let noise: f32 = (0..7).map(|octave| value_noise(fx, fy, 512.0 / f32::from(1_u16 << octave))).sum();
    let ridge = 900.0 + 260.0 * (fx / 310.0).sin() + 90.0 * (fx / 71.0).sin();
    let is_ground = fy > ridge;
    let light = if is_ground { 70.0 + noise * 30.0 } else { 190.0 - fy / 16.0 + noise * 5.0 };
    let tint = if is_ground { [0.9, 1.0, 0.6] } else { [0.8, 0.95, 1.2] };
    image::Rgb(tint.map(|part: f32| (light * part).clamp(0.0, 255.0) as u8))
}

/// Smooth noise between -1 and 1 whose hills are `size` pixels apart.
fn value_noise(x: f32, y: f32, size: f32) -> f32 {
    let (left, top) = ((x / size).floor(), (y / size).floor());
    let smooth = |part: f32| part * part * (3.0 - 2.0 * part);
    let (right_share, lower_share) = (smooth(x / size - left), smooth(y / size - top));
    let corner = |dx: f32, dy: f32| hashed(left + dx, top + dy, size);
    let upper = corner(0.0, 0.0) + (corner(1.0, 0.0) - corner(0.0, 0.0)) * right_share;
    let lower = corner(0.0, 1.0) + (corner(1.0, 1.0) - corner(0.0, 1.0)) * right_share;
    upper + (lower - upper) * lower_share
}

/// A number between -1 and 1 that looks like chance.
fn hashed(x: f32, y: f32, seed: f32) -> f32 {
    let mixed = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca6b) ^ seed.to_bits();
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
    let mixed = (mixed ^ (mixed >> 12)).wrapping_mul(0x297a_2d39);
    (mixed ^ (mixed >> 15)) as f32 / (u32::MAX / 2) as f32 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_pictures_have_the_same_pixels_in_other_bytes() {
        let picture = RgbImage::from_fn(32, 32, made_up_pixel);
        let jpeg = encoded(&picture, (32, 32)).unwrap();
        let pixels = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().into_rgb8();
        let (first, second) = (numbered(&jpeg, 1), numbered(&jpeg, 2));
        assert_ne!(first, second);
        assert_eq!(pixels(&first), pixels(&second));
    }

    #[test]
    fn notes_are_where_their_formats_have_them() {
        let png = [&b"\x89PNG\r\n\x1a\n"[..], &[0; 25], b"rest"].concat();
        let numbered_png = numbered(&png, 7);
        assert_eq!((&numbered_png[..33], &numbered_png[33 + 28..]), (&png[..33], &b"rest"[..]));
        assert_eq!(&numbered_png[33..57], b"\0\0\0\x10tEXtComment\x0000000007");
        let webp = b"RIFF\x08\0\0\0WEBPrest";
        assert_eq!(numbered(webp, 7), b"RIFF\x18\0\0\0WEBPrestNOTE\x08\0\0\x0000000007");
    }

    #[test]
    fn check_sums_are_those_of_png() {
        // What every PNG ends with.
        assert_eq!(crc(b"IEND"), 0xae42_6082);
    }
}
