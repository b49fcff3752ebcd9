//! HEIC through `heic-decoder`: the main picture in eight bits, upright. Behind the feature `heic`, which is off: HEVC is
//! under patents that are licensed for money, and whoever turns it on has to know about that.
//!
//! The decoder has no `unsafe`. It uses `rayon`, which works on the calling thread where there are no others.

use heic_decoder::{DecodedImage, HeifError};

use super::still::{Channels, Still, StillError, StillLimits};

/// Memory for each pixel, in bytes: up to three planes of four bytes, once for the tiles, once for the whole and once
/// for what is turned, and the result.
const BYTES_PER_PIXEL: u64 = 40;

/// Decodes the main picture of `file`.
///
/// # Errors
/// `Corrupt` when it is not complete; a limit of `limits`, before anything of its size is allocated.
pub(super) fn decode(file: &[u8], limits: &StillLimits) -> Result<Still, StillError> {
    let header = heif::header(file).map_err(StillError::corrupt)?;
    if header.family != heif::Family::Heic {
        return Err(StillError::unsupported("a picture that is not HEVC"));
    }
    let planes = if header.has_alpha { 2 } else { 1 };
    limits.check(u64::from(header.coded_width) * u64::from(header.coded_height), BYTES_PER_PIXEL * planes)?;
    let image = heic_decoder::decode(file).map_err(failure)?;
    let (width, height) = (u32::try_from(image.width), u32::try_from(image.height));
    let (Ok(width), Ok(height)) = (width, height) else { return Err(StillError::corrupt("a side that is too long")) };
    let (channels, pixels) = pixels(&image)?;
    Ok(Still { width, height, channels, pixels, icc: image.metadata.icc_profile })
}

fn pixels(image: &DecodedImage) -> Result<(Channels, Vec<u8>), StillError> {
    match &image.alpha {
        Some(alpha) => {
            let mut pixels = image.to_rgba8().map_err(failure)?.data;
            if alpha.premultiplied {
                pixels.as_chunks_mut::<4>().0.iter_mut().for_each(divide);
            }
            Ok((Channels::Rgba, pixels))
        }
        None if image.chroma_format_idc == 0 => {
            let pixels = image.to_rgb8().map_err(failure)?.data;
            Ok((Channels::Gray, pixels.as_chunks::<3>().0.iter().map(|&[gray, ..]| gray).collect()))
        }
        None => Ok((Channels::Rgb, image.to_rgb8().map_err(failure)?.data)),
    }
}

/// Takes the opacity out of colours that were multiplied by it.
fn divide([r, g, b, alpha]: &mut [u8; 4]) {
    for channel in [r, g, b] {
        let value = (u32::from(*channel) * 255 + u32::from(*alpha) / 2).checked_div((*alpha).into());
        *channel = value.map_or(0, |value| u8::try_from(value).unwrap_or(u8::MAX));
    }
}

fn failure(error: HeifError) -> StillError {
    match error {
        HeifError::Unsupported(found) => StillError::unsupported(found),
        HeifError::LimitExceeded(what) => StillError::unsupported(format!("too much: {what}")),
        other => StillError::corrupt(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &[u8] = include_bytes!("fixtures/full.heic");
    const QUARTER: &[u8] = include_bytes!("fixtures/quarter.heic");
    const ALPHA: &[u8] = include_bytes!("fixtures/alpha.heic");
    const GRAY: &[u8] = include_bytes!("fixtures/gray.heic");
    const LIMITS: StillLimits = StillLimits { max_pixels: 1 << 20, max_memory_bytes: 1 << 30 };

    #[test]
    fn every_kind_shows_the_same_picture() {
        let colors = [[220, 40, 30], [40, 200, 60], [30, 60, 210], [240, 240, 240]];
        for (name, file, channels, n) in [
            ("full", FULL, Channels::Rgb, 3),
            ("quarter", QUARTER, Channels::Rgb, 3),
            ("alpha", ALPHA, Channels::Rgba, 4),
        ] {
            let still = decode(file, &LIMITS).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((still.width, still.height, still.channels), (33, 21, channels), "{name}");
            for (at, expected) in [0, 32, 20 * 33, 20 * 33 + 32].into_iter().zip(colors) {
                let found = &still.pixels[at * n..at * n + n];
                if name == "alpha" && at == 20 * 33 + 32 {
                    assert!(found[3] < 5, "{found:?}");
                    continue;
                }
                let is_close = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 12);
                assert!(is_close, "{name}: {found:?} for {expected:?}");
            }
        }
        let gray = decode(GRAY, &LIMITS).unwrap();
        assert_eq!((gray.channels, gray.pixels.len()), (Channels::Gray, 33 * 21));
        assert!(gray.pixels[0].abs_diff(93) < 6 && gray.pixels[33 * 21 - 1].abs_diff(240) < 6);
    }

    #[test]
    fn limits_are_checked_first() {
        let few = StillLimits { max_pixels: 33 * 21 - 1, ..LIMITS };
        assert!(matches!(decode(FULL, &few), Err(StillError::TooManyPixels { .. })));
        let little = StillLimits { max_memory_bytes: 1000, ..LIMITS };
        assert!(matches!(decode(FULL, &little), Err(StillError::TooMuchMemory { .. })));
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
