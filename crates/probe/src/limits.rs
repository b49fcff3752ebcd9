//! Limits on what a header may claim, checked before anything is decoded.

use crate::{Format, Probe, ProbeError};

/// How much an image may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels in one frame.
    pub max_pixels: u64,
    /// Frames in one file.
    pub max_frames: u32,
}

impl Default for Limits {
    /// 50 megapixels (200 MB once decoded to RGBA) and 256 frames.
    fn default() -> Self {
        Self { max_pixels: 50_000_000, max_frames: 256 }
    }
}

/// Which limit an image is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// More pixels in a frame than allowed.
    #[error("the image has {actual} pixels, {limit} are allowed")]
    TooManyPixels {
        /// The pixels allowed.
        limit: u64,
        /// The pixels claimed.
        actual: u64,
    },
    /// More frames than allowed.
    #[error("the image has {actual} frames, {limit} are allowed")]
    TooManyFrames {
        /// The frames allowed.
        limit: u32,
        /// The frames claimed or counted.
        actual: u32,
    },
}

/// Refuses an image that claims more than `limits` allow.
///
/// # Errors
/// The first limit that is exceeded, pixels before frames.
pub fn check_limits(probe: &Probe, limits: &Limits) -> Result<(), LimitError> {
    if probe.pixels > limits.max_pixels {
        return Err(LimitError::TooManyPixels { limit: limits.max_pixels, actual: probe.pixels });
    }
    if probe.frames > limits.max_frames {
        return Err(LimitError::TooManyFrames { limit: limits.max_frames, actual: probe.frames });
    }
    Ok(())
}

/// Refuses what is recognised without being decoded anywhere here: HEIC.
///
/// # Errors
/// `Unsupported`, with a name for the kind.
pub const fn check_decodable(probe: &Probe) -> Result<(), ProbeError> {
    match probe.format {
        Format::Heic => Err(ProbeError::Unsupported { found: "HEIC" }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{gif, heic, jpeg, png};
    use heif::samples::avif;

    fn check(bytes: &[u8], limits: Limits, expected: Result<(), LimitError>) {
        let probe = crate::probe(bytes).expect("the sample is sound");
        assert_eq!(check_limits(&probe, &limits), expected);
    }

    #[test]
    fn what_can_not_be_decoded_is_refused_by_name() {
        for (file, expected) in [
            (jpeg().bytes(), Ok(())),
            (avif().bytes(), Ok(())),
            (heic().bytes(), Err("HEIC")),
            (jpeg().sof(0xCA).bytes(), Ok(())),
            (jpeg().bits(12).bytes(), Ok(())),
        ] {
            let probe = crate::probe(&file).expect("the sample is sound");
            let expected = expected.map_err(|found| ProbeError::Unsupported { found });
            assert_eq!(check_decodable(&probe), expected);
        }
    }

    #[test]
    fn allows_what_is_at_a_limit_and_refuses_what_is_over() {
        let small = Limits { max_pixels: 600, max_frames: 2 };
        let two = gif().size(10, 10).frame(0, 0, 10, 10).frame(0, 0, 10, 10);
        check(&png().size(30, 20).bytes(), small, Ok(()));
        check(&png().size(601, 1).bytes(), small, Err(LimitError::TooManyPixels { limit: 600, actual: 601 }));
        check(&two.clone().bytes(), small, Ok(()));
        check(&two.clone().frame(0, 0, 1, 1).bytes(), small, Err(LimitError::TooManyFrames { limit: 2, actual: 3 }));
        check(&two.frame(0, 0, 100, 100).bytes(), small, Err(LimitError::TooManyPixels { limit: 600, actual: 10_000 }));
        let bomb = LimitError::TooManyPixels { limit: 50_000_000, actual: 10_000_000_000 };
        check(&png().size(100_000, 100_000).bytes(), Limits::default(), Err(bomb));
    }
}
