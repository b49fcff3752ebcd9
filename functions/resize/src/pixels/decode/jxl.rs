//! JPEG XL through `jxl` (jxl-rs): of an animation the first frame, in eight bits, upright.
//!
//! Colours of lossy files come out in the space that the file names, or in sRGB where that cannot be; those of lossless
//! files stay in the space of their profile. The profile stands beside the pixels unless it is sRGB.
//!
//! The decoder is given the limit on samples before it reads the header. It is mostly safe Rust; `unsafe` is in its
//! vector code and its buffers.

use jxl::api::{
    AlphaMode, Event, JxlBasicInfo, JxlColorEncoding, JxlColorProfile, JxlColorType, JxlDataFormat, JxlDecoder,
    JxlDecoderOptions, JxlOutputBuffer, JxlPixelFormat,
};
use probe::LimitError;

use super::{Decoded, Input, MAX_PROFILE_BYTES, decoded_size, unsupported};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// JPEG XL.
pub(super) struct JpegXl;

impl super::Decoder for JpegXl {
    fn decode(&self, input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
        decode(input, limits)
    }
}

/// Decodes the first frame of a file.
///
/// # Errors
/// `Corrupt` when the frame is not complete; a limit of `limits`, before anything of its size is allocated.
fn decode(input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
    let size = decoded_size(input.probe);
    let mut options = JxlDecoderOptions::default();
    // It counts three channels and the extra ones, also in frames that are larger than the picture.
    options.sample_limit = Some(usize::try_from(limits.max_pixels.saturating_mul(4) + 64).unwrap_or(usize::MAX));
    options.alpha_mode = AlphaMode::Unpremultiplied;
    let mut decoder = JxlDecoder::new(options);
    let mut input = input.file;
    match decoder.process(&mut input, None, None) {
        Ok(Event::BasicInfo) => {}
        Ok(_) => return Err(PixelError::corrupt("the file ends inside its header")),
        Err(error) => return Err(failure(error, limits)),
    }
    let info = decoder.basic_info().ok_or_else(|| PixelError::corrupt("a file without a header"))?;
    let (width, height) = info.size;
    // By this size the limits were checked.
    if (u32::try_from(width), u32::try_from(height)) != (Ok(size.0), Ok(size.1)) {
        return Err(PixelError::corrupt("two headers that contradict each other"));
    }
    let format = format(info, decoder.embedded_color_profile())?;
    decoder.set_pixel_format(format.clone()).map_err(PixelError::corrupt)?;
    let row_bytes = width * format.color_type.samples_per_pixel();
    let mut pixels = vec![0; row_bytes * height];
    draw(&mut decoder, &mut input, &mut pixels, height, row_bytes).map_err(|error| error.unwrap_or_else(cut))?;
    let (layout, pixels) = match format.color_type {
        JxlColorType::Grayscale => (Layout::Gray, pixels),
        JxlColorType::GrayscaleAlpha => {
            let pixels =
                pixels.as_chunks::<2>().0.iter().flat_map(|&[gray, alpha]| [gray, gray, gray, alpha]).collect();
            (Layout::Rgba, pixels)
        }
        JxlColorType::Rgba => (Layout::Rgba, pixels),
        _ => (Layout::Rgb, pixels),
    };
    let side = |side: usize| u32::try_from(side).map_err(PixelError::corrupt);
    let raster = Raster::new(side(width)?, side(height)?, layout, pixels)?;
    Ok(Decoded::whole(raster, decoder.output_color_profile().and_then(profile), false))
}

fn cut() -> PixelError {
    PixelError::corrupt("the file ends before the picture does")
}

/// Eight bits of gray or RGB, with the first alpha channel where there is one.
fn format(info: &JxlBasicInfo, profile: Option<&JxlColorProfile>) -> Result<JxlPixelFormat, PixelError> {
    if profile.is_some_and(JxlColorProfile::is_cmyk) {
        return Err(unsupported("four printing inks"));
    }
    let is_gray = profile.is_some_and(|profile| profile.channels() == 1);
    let has_alpha = info.extra_channels.iter().any(|extra| extra.ec_type == jxl::api::ExtraChannel::Alpha);
    let color_type = match (is_gray, has_alpha) {
        (true, false) => JxlColorType::Grayscale,
        (true, true) => JxlColorType::GrayscaleAlpha,
        (false, false) => JxlColorType::Rgb,
        (false, true) => JxlColorType::Rgba,
    };
    Ok(JxlPixelFormat {
        color_type,
        color_data_format: Some(JxlDataFormat::U8 { bit_depth: 8 }),
        extra_channel_format: vec![None; info.extra_channels.len()],
    })
}

/// Decodes up to the end of the first frame that is shown. An error of `None` says that the file ends too early.
fn draw(
    decoder: &mut JxlDecoder,
    input: &mut &[u8],
    pixels: &mut [u8],
    n_rows: usize,
    row_bytes: usize,
) -> Result<(), Option<PixelError>> {
    let mut buffers = [JxlOutputBuffer::new(pixels, n_rows, row_bytes)];
    loop {
        let is_at_end = input.is_empty();
        match decoder.process(input, Some(&mut buffers), None) {
            Ok(Event::FrameComplete { .. }) => return Ok(()),
            Ok(Event::FrameHeader | Event::BasicInfo) => {}
            Ok(Event::NeedMoreInput { .. }) if !is_at_end => {}
            Ok(Event::NeedMoreInput { .. } | Event::Complete) => return Err(None),
            Err(error) => return Err(Some(PixelError::corrupt(error))),
        }
    }
}

/// The profile as ICC data, unless it is sRGB.
fn profile(profile: &JxlColorProfile) -> Option<Vec<u8>> {
    let is_srgb = [false, true].map(JxlColorEncoding::srgb).into_iter().any(|srgb| {
        let srgb = JxlColorProfile::Simple(srgb);
        profile.same_color_encoding(&srgb)
    });
    if is_srgb {
        return None;
    }
    profile.try_as_icc().map(std::borrow::Cow::into_owned).filter(|icc| icc.len() <= MAX_PROFILE_BYTES)
}

fn failure(error: jxl::error::Error, limits: &Limits) -> PixelError {
    match error {
        jxl::error::Error::ImageSizeTooLarge(width, height) => {
            let actual = u64::try_from(width.saturating_mul(height)).unwrap_or(u64::MAX);
            LimitError::TooManyPixels { limit: limits.max_pixels, actual }.into()
        }
        other => PixelError::corrupt(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, PixelError> {
        super::super::decode(&Input::whole(file, &probe::probe(file)?), limits)
    }

    const LOSSY: &[u8] = include_bytes!("fixtures/lossy.jxl");
    const LOSSLESS: &[u8] = include_bytes!("fixtures/lossless.jxl");
    const ALPHA: &[u8] = include_bytes!("fixtures/alpha.jxl");
    const GRAY: &[u8] = include_bytes!("fixtures/gray.jxl");
    const BOXED: &[u8] = include_bytes!("fixtures/boxed.jxl");
    const LIMITS: Limits = Limits { max_pixels: 1 << 20, max_side: 4096, max_frames: 9, max_memory_bytes: 1 << 30 };

    /// Red, green, blue and white, one a quarter.
    const EXPECTED: [[u8; 3]; 4] = [[220, 40, 30], [40, 200, 60], [30, 60, 210], [240, 240, 240]];

    fn check(name: &str, file: &[u8], layout: Layout, order: [usize; 4], tolerance: u8) {
        let Decoded { raster, profile, .. } = decode(file, &LIMITS).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (width, height) = (raster.width() as usize, raster.height() as usize);
        assert_eq!((raster.layout(), width * height, &profile), (layout, 33 * 21, &None), "{name}");
        let n = raster.stride() / width;
        let corners = [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)];
        for ((x, y), expected) in corners.into_iter().zip(order.map(|at| EXPECTED[at])) {
            let at = (y * width + x) * n;
            let found = &raster.pixels()[at..at + n];
            if let [r, g, b, alpha] = *found
                && alpha == 0
            {
                assert_eq!((x, y, [r, g, b]), (32, 20, [240, 240, 240]), "{name}");
            } else if let [gray] = *found {
                let luma =
                    expected.iter().zip([299, 587, 114]).map(|(c, weight)| u32::from(*c) * weight).sum::<u32>() / 1000;
                assert!(u32::from(gray).abs_diff(luma) <= 1, "{name}: {gray} for {luma}");
            } else {
                let is_close = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= tolerance);
                assert!(is_close, "{name} at {x}, {y}: {found:?} for {expected:?}");
            }
        }
    }

    #[test]
    fn every_kind_shows_the_same_picture() {
        check("lossy", LOSSY, Layout::Rgb, [0, 1, 2, 3], 10);
        check("lossless", LOSSLESS, Layout::Rgb, [0, 1, 2, 3], 0);
        check("alpha", ALPHA, Layout::Rgba, [0, 1, 2, 3], 0);
        check("gray", GRAY, Layout::Gray, [0, 1, 2, 3], 0);
    }

    #[test]
    fn limits_are_checked_first() {
        let few = Limits { max_pixels: 33 * 21 - 1, ..LIMITS };
        assert!(matches!(decode(LOSSLESS, &few), Err(PixelError::Limit(LimitError::TooManyPixels { .. }))));
        let little = Limits { max_memory_bytes: 1000, ..LIMITS };
        assert!(matches!(decode(LOSSLESS, &little), Err(PixelError::Limit(LimitError::TooMuchMemory { .. }))));
        let exact = Limits { max_pixels: 33 * 21, ..LIMITS };
        assert!(decode(LOSSLESS, &exact).is_ok() && decode(ALPHA, &exact).is_ok());
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_refused() {
        for file in [LOSSY, LOSSLESS, ALPHA, GRAY, BOXED] {
            for length in 0..file.len() - 1 {
                let result = std::panic::catch_unwind(|| decode(&file[..length], &LIMITS));
                assert!(result.is_ok(), "{length} bytes");
            }
            assert!(decode(&file[..file.len() / 2], &LIMITS).is_err());
            for at in 0..file.len() * 8 {
                let mut file = file.to_vec();
                file[at / 8] ^= 1 << (at % 8);
                assert!(std::panic::catch_unwind(|| decode(&file, &LIMITS)).is_ok(), "bit {at}");
            }
        }
    }
}
