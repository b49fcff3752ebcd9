//! HEIC through `heic-decoder`: the main picture in eight bits, upright. Behind the feature `heic`, which is off: HEVC is
//! under patents that are licensed for money, and whoever turns it on has to know about that.
//!
//! The decoder has no `unsafe`. It uses `rayon`, which works on the calling thread where there are no others.

use heic_decoder::{DecodedImage, HeifError};

use super::{Decoded, Input, unsupported};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// HEIC.
pub(super) struct Heic;

impl super::Decoder for Heic {
    fn decode(&self, input: &Input, _limits: &Limits) -> Result<Decoded, PixelError> {
        decode(input.file)
    }
}

/// Decodes the main picture of `file`.
///
/// # Errors
/// `Corrupt` when it is not complete.
fn decode(file: &[u8]) -> Result<Decoded, PixelError> {
    let header = heif::header(file).map_err(PixelError::corrupt)?;
    if header.family != heif::Family::Heic {
        return Err(unsupported("a picture that is not HEVC"));
    }
    let image = heic_decoder::decode(file).map_err(failure)?;
    let (width, height) = (u32::try_from(image.width), u32::try_from(image.height));
    let (Ok(width), Ok(height)) = (width, height) else { return Err(PixelError::corrupt("a side that is too long")) };
    let (layout, pixels) = pixels(&image)?;
    Ok(Decoded::whole(Raster::new(width, height, layout, pixels)?, image.metadata.icc_profile, false))
}

fn pixels(image: &DecodedImage) -> Result<(Layout, Vec<u8>), PixelError> {
    match &image.alpha {
        Some(alpha) => {
            let mut pixels = image.to_rgba8().map_err(failure)?.data;
            if alpha.premultiplied {
                pixels.as_chunks_mut::<4>().0.iter_mut().for_each(divide);
            }
            Ok((Layout::Rgba, pixels))
        }
        None if image.chroma_format_idc == 0 => {
            let pixels = image.to_rgb8().map_err(failure)?.data;
            Ok((Layout::Gray, pixels.as_chunks::<3>().0.iter().map(|&[gray, ..]| gray).collect()))
        }
        None => Ok((Layout::Rgb, image.to_rgb8().map_err(failure)?.data)),
    }
}

/// Takes the opacity out of colours that were multiplied by it.
fn divide([r, g, b, alpha]: &mut [u8; 4]) {
    for channel in [r, g, b] {
        let value = (u32::from(*channel) * 255 + u32::from(*alpha) / 2).checked_div((*alpha).into());
        *channel = value.map_or(0, |value| u8::try_from(value).unwrap_or(u8::MAX));
    }
}

fn failure(error: HeifError) -> PixelError {
    match error {
        HeifError::Unsupported(found) => unsupported(found),
        HeifError::LimitExceeded(what) => unsupported(format!("too much: {what}")),
        other => PixelError::corrupt(other),
    }
}

#[cfg(test)]
mod tests {
    use probe::LimitError;

    use super::*;

    fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, PixelError> {
        super::super::decode(&Input::whole(file, &probe::probe(file)?), limits)
    }

    const FULL: &[u8] = include_bytes!("fixtures/full.heic");
    const QUARTER: &[u8] = include_bytes!("fixtures/quarter.heic");
    const ALPHA: &[u8] = include_bytes!("fixtures/alpha.heic");
    const GRAY: &[u8] = include_bytes!("fixtures/gray.heic");
    const LIMITS: Limits = Limits { max_pixels: 1 << 20, max_side: 4096, max_frames: 9, max_memory_bytes: 1 << 30 };

    #[test]
    fn every_kind_shows_the_same_picture() {
        let colors = [[220, 40, 30], [40, 200, 60], [30, 60, 210], [240, 240, 240]];
        for (name, file, layout, n) in
            [("full", FULL, Layout::Rgb, 3), ("quarter", QUARTER, Layout::Rgb, 3), ("alpha", ALPHA, Layout::Rgba, 4)]
        {
            let raster = decode(file, &LIMITS).unwrap_or_else(|error| panic!("{name}: {error}")).raster;
            assert_eq!((raster.width(), raster.height(), raster.layout()), (33, 21, layout), "{name}");
            for (at, expected) in [0, 32, 20 * 33, 20 * 33 + 32].into_iter().zip(colors) {
                let found = &raster.pixels()[at * n..at * n + n];
                if name == "alpha" && at == 20 * 33 + 32 {
                    assert!(found[3] < 5, "{found:?}");
                    continue;
                }
                let is_close = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 12);
                assert!(is_close, "{name}: {found:?} for {expected:?}");
            }
        }
        let gray = decode(GRAY, &LIMITS).unwrap().raster;
        assert_eq!((gray.layout(), gray.pixels().len()), (Layout::Gray, 33 * 21));
        assert!(gray.pixels()[0].abs_diff(93) < 6 && gray.pixels()[33 * 21 - 1].abs_diff(240) < 6);
    }

    #[test]
    fn limits_are_checked_first() {
        let few = Limits { max_pixels: 33 * 21 - 1, ..LIMITS };
        assert!(matches!(decode(FULL, &few), Err(PixelError::Limit(LimitError::TooManyPixels { .. }))));
        let little = Limits { max_memory_bytes: 1000, ..LIMITS };
        assert!(matches!(decode(FULL, &little), Err(PixelError::Limit(LimitError::TooMuchMemory { .. }))));
    }

    #[test]
    fn what_is_cut_off_or_damaged_does_not_panic() {
        for file in [QUARTER, ALPHA] {
            for length in (0..file.len()).step_by(5) {
                assert!(std::panic::catch_unwind(|| decode(&file[..length], &LIMITS)).is_ok(), "{length} bytes");
            }
            assert!(decode(&file[..file.len() - 20], &LIMITS).is_err());
            for at in (0..file.len() * 8).step_by(11) {
                let mut file = file.to_vec();
                file[at / 8] ^= 1 << (at % 8);
                assert!(std::panic::catch_unwind(|| decode(&file, &LIMITS)).is_ok(), "bit {at}");
            }
        }
    }
}
