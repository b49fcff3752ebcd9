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

use super::still::{Channels, Still, StillError, StillLimits};

/// Memory for each pixel, in bytes, besides what extra channels take: samples of four bytes in three planes, as much
/// again for what frames refer to, coefficients, and the result.
const BYTES_PER_PIXEL: u64 = 40;

/// The same for each extra channel.
const BYTES_PER_EXTRA: u64 = 12;

/// The largest profile that is handed on, in bytes.
const MAX_PROFILE_BYTES: usize = 4 << 20;

/// Decodes the first frame of `file`.
///
/// # Errors
/// `Corrupt` when the frame is not complete; a limit of `limits`, before anything of its size is allocated.
pub(super) fn decode(file: &[u8], limits: &StillLimits) -> Result<Still, StillError> {
    let mut options = JxlDecoderOptions::default();
    // It counts three channels and the extra ones, also in frames that are larger than the picture.
    options.sample_limit = Some(usize::try_from(limits.max_pixels.saturating_mul(4) + 64).unwrap_or(usize::MAX));
    options.alpha_mode = AlphaMode::Unpremultiplied;
    let mut decoder = JxlDecoder::new(options);
    let mut input = file;
    match decoder.process(&mut input, None, None) {
        Ok(Event::BasicInfo) => {}
        Ok(_) => return Err(StillError::corrupt("the file ends inside its header")),
        Err(error) => return Err(failure(error, limits)),
    }
    let info = decoder.basic_info().ok_or_else(|| StillError::corrupt("a file without a header"))?;
    let (width, height) = info.size;
    let n_extra = info.extra_channels.len();
    let n_pixels = u64::try_from(width).unwrap_or(u64::MAX).saturating_mul(u64::try_from(height).unwrap_or(u64::MAX));
    limits.check(n_pixels, BYTES_PER_PIXEL + BYTES_PER_EXTRA * u64::try_from(n_extra).unwrap_or(u64::MAX))?;
    let format = format(info, decoder.embedded_color_profile())?;
    decoder.set_pixel_format(format.clone()).map_err(StillError::corrupt)?;
    let row_bytes = width * format.color_type.samples_per_pixel();
    let mut pixels = vec![0; row_bytes * height];
    draw(&mut decoder, &mut input, &mut pixels, height, row_bytes).map_err(|error| error.unwrap_or_else(cut))?;
    let (channels, pixels) = match format.color_type {
        JxlColorType::Grayscale => (Channels::Gray, pixels),
        JxlColorType::GrayscaleAlpha => {
            let pixels =
                pixels.as_chunks::<2>().0.iter().flat_map(|&[gray, alpha]| [gray, gray, gray, alpha]).collect();
            (Channels::Rgba, pixels)
        }
        JxlColorType::Rgba => (Channels::Rgba, pixels),
        _ => (Channels::Rgb, pixels),
    };
    Ok(Still {
        width: u32::try_from(width).map_err(StillError::corrupt)?,
        height: u32::try_from(height).map_err(StillError::corrupt)?,
        channels,
        pixels,
        icc: decoder.output_color_profile().and_then(profile),
    })
}

fn cut() -> StillError {
    StillError::corrupt("the file ends before the picture does")
}

/// Eight bits of gray or RGB, with the first alpha channel where there is one.
fn format(info: &JxlBasicInfo, profile: Option<&JxlColorProfile>) -> Result<JxlPixelFormat, StillError> {
    if profile.is_some_and(JxlColorProfile::is_cmyk) {
        return Err(StillError::unsupported("four printing inks"));
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
) -> Result<(), Option<StillError>> {
    let mut buffers = [JxlOutputBuffer::new(pixels, n_rows, row_bytes)];
    loop {
        let is_at_end = input.is_empty();
        match decoder.process(input, Some(&mut buffers), None) {
            Ok(Event::FrameComplete { .. }) => return Ok(()),
            Ok(Event::FrameHeader | Event::BasicInfo) => {}
            Ok(Event::NeedMoreInput { .. }) if !is_at_end => {}
            Ok(Event::NeedMoreInput { .. } | Event::Complete) => return Err(None),
            Err(error) => return Err(Some(StillError::corrupt(error))),
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

fn failure(error: jxl::error::Error, limits: &StillLimits) -> StillError {
    match error {
        jxl::error::Error::ImageSizeTooLarge(width, height) => StillError::TooManyPixels {
            limit: limits.max_pixels,
            actual: u64::try_from(width.saturating_mul(height)).unwrap_or(u64::MAX),
        },
        other => StillError::corrupt(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSSY: &[u8] = include_bytes!("fixtures/lossy.jxl");
    const LOSSLESS: &[u8] = include_bytes!("fixtures/lossless.jxl");
    const ALPHA: &[u8] = include_bytes!("fixtures/alpha.jxl");
    const GRAY: &[u8] = include_bytes!("fixtures/gray.jxl");
    const BOXED: &[u8] = include_bytes!("fixtures/boxed.jxl");
    const LIMITS: StillLimits = StillLimits { max_pixels: 1 << 20, max_memory_bytes: 1 << 30 };

    /// Red, green, blue and white, one a quarter.
    const EXPECTED: [[u8; 3]; 4] = [[220, 40, 30], [40, 200, 60], [30, 60, 210], [240, 240, 240]];

    fn check(name: &str, file: &[u8], channels: Channels, order: [usize; 4], tolerance: u8) {
        let still = decode(file, &LIMITS).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (width, height) = (still.width as usize, still.height as usize);
        assert_eq!((still.channels, width * height, &still.icc), (channels, 33 * 21, &None), "{name}");
        let n = match channels {
            Channels::Gray => 1,
            Channels::Rgb => 3,
            Channels::Rgba => 4,
        };
        let corners = [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)];
        for ((x, y), expected) in corners.into_iter().zip(order.map(|at| EXPECTED[at])) {
            let at = (y * width + x) * n;
            let found = &still.pixels[at..at + n];
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
        check("lossy", LOSSY, Channels::Rgb, [0, 1, 2, 3], 10);
        check("lossless", LOSSLESS, Channels::Rgb, [0, 1, 2, 3], 0);
        check("alpha", ALPHA, Channels::Rgba, [0, 1, 2, 3], 0);
        check("gray", GRAY, Channels::Gray, [0, 1, 2, 3], 0);
    }

    #[test]
    fn limits_are_checked_first() {
        let few = StillLimits { max_pixels: 33 * 21 - 1, ..LIMITS };
        assert!(matches!(decode(LOSSLESS, &few), Err(StillError::TooManyPixels { .. })));
        let little = StillLimits { max_memory_bytes: 1000, ..LIMITS };
        assert!(matches!(decode(LOSSLESS, &little), Err(StillError::TooMuchMemory { .. })));
        let exact = StillLimits { max_pixels: 33 * 21, ..LIMITS };
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
