//! Limits on what a header may claim, checked before anything is decoded.

use crate::{Format, Probe, ProbeError};

/// How much an image may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels in one frame.
    pub max_pixels: u64,
    /// Length of a side, in pixels. Filter tables grow with it.
    pub max_side: u32,
    /// Frames in one file. All are walked through, also where only the first is wanted.
    pub max_frames: u32,
    /// Bytes of memory held at once while one image is worked on, as estimated before anything is allocated.
    pub max_memory_bytes: u64,
}

impl Default for Limits {
    /// 50 megapixels, 65,535 pixels a side, 256 frames, 448 MiB: with the file and the result less than 512 MiB.
    fn default() -> Self {
        Self { max_pixels: 50_000_000, max_side: 65_535, max_frames: 256, max_memory_bytes: 448 << 20 }
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
    /// A longer side than allowed.
    #[error("the image has a side of {actual} pixels, {limit} are allowed")]
    SideTooLong {
        /// The pixels allowed.
        limit: u64,
        /// The pixels claimed.
        actual: u64,
    },
    /// More frames than allowed.
    #[error("the image has {actual} frames, {limit} are allowed")]
    TooManyFrames {
        /// The frames allowed.
        limit: u64,
        /// The frames claimed or counted.
        actual: u64,
    },
    /// More memory than allowed.
    #[error("the image would take {actual} bytes of memory, {limit} are allowed")]
    TooMuchMemory {
        /// The bytes allowed.
        limit: u64,
        /// The bytes estimated.
        actual: u64,
    },
}

impl LimitError {
    /// The stable code of an image that is over this limit when it comes in.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooManyPixels { .. } | Self::SideTooLong { .. } => "image-too-many-pixels",
            Self::TooManyFrames { .. } => "image-too-many-frames",
            Self::TooMuchMemory { .. } => "image-too-large",
        }
    }

    /// What is allowed, and what there is.
    #[must_use]
    pub const fn limit_and_actual(&self) -> (u64, u64) {
        match *self {
            Self::TooManyPixels { limit, actual }
            | Self::SideTooLong { limit, actual }
            | Self::TooManyFrames { limit, actual }
            | Self::TooMuchMemory { limit, actual } => (limit, actual),
        }
    }
}

impl Limits {
    /// Refuses an image whose header claims more than is allowed, or whose decoding would take more.
    ///
    /// # Errors
    /// The first limit that is exceeded: pixels, side, frames, memory.
    pub fn check(&self, probe: &Probe) -> Result<(), LimitError> {
        self.check_pixels(probe.pixels)?;
        let side = probe.width.max(probe.height);
        if side > self.max_side {
            return Err(LimitError::SideTooLong { limit: self.max_side.into(), actual: side.into() });
        }
        if probe.frames > self.max_frames {
            return Err(LimitError::TooManyFrames { limit: self.max_frames.into(), actual: probe.frames.into() });
        }
        self.check_memory(probe.decoding_bytes)
    }

    /// Refuses more pixels than one frame may have.
    ///
    /// # Errors
    /// `TooManyPixels`.
    pub const fn check_pixels(&self, pixels: u64) -> Result<(), LimitError> {
        if pixels > self.max_pixels {
            return Err(LimitError::TooManyPixels { limit: self.max_pixels, actual: pixels });
        }
        Ok(())
    }

    /// Refuses work that would hold `bytes` bytes at once.
    ///
    /// # Errors
    /// `TooMuchMemory`.
    pub const fn check_memory(&self, bytes: u64) -> Result<(), LimitError> {
        if bytes > self.max_memory_bytes {
            return Err(LimitError::TooMuchMemory { limit: self.max_memory_bytes, actual: bytes });
        }
        Ok(())
    }
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
    use crate::samples::{gif, heic, jpeg, png, webp};
    use heif::samples::avif;

    fn check(bytes: &[u8], limits: Limits, expected: Result<(), LimitError>) {
        let probe = crate::probe(bytes).expect("the sample is sound");
        assert_eq!(limits.check(&probe), expected);
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
        let small = Limits { max_pixels: 600, max_side: 100, max_frames: 2, max_memory_bytes: 6000 };
        let two = gif().size(10, 10).frame(0, 0, 10, 10).frame(0, 0, 10, 10);
        check(&png().size(30, 20).bytes(), small, Ok(()));
        check(&png().size(1, 100).bytes(), small, Ok(()));
        check(&png().size(1, 101).bytes(), small, Err(LimitError::SideTooLong { limit: 100, actual: 101 }));
        check(&png().size(30, 21).bytes(), small, Err(LimitError::TooManyPixels { limit: 600, actual: 630 }));
        check(&two.clone().bytes(), small, Ok(()));
        check(&two.clone().frame(0, 0, 1, 1).bytes(), small, Err(LimitError::TooManyFrames { limit: 2, actual: 3 }));
        check(&two.frame(0, 0, 100, 100).bytes(), small, Err(LimitError::TooManyPixels { limit: 600, actual: 10_000 }));
        let deep = png().bits(16);
        check(&deep.clone().size(25, 20).bytes(), small, Ok(()));
        check(&deep.size(30, 20).bytes(), small, Err(LimitError::TooMuchMemory { limit: 6000, actual: 7200 }));
        let bomb = LimitError::TooManyPixels { limit: 50_000_000, actual: 10_000_000_000 };
        check(&png().size(100_000, 100_000).bytes(), Limits::default(), Err(bomb));
    }

    #[test]
    fn memory_goes_by_what_the_picture_is() {
        let check = |name: &str, bytes: Vec<u8>, expected: u64| {
            assert_eq!(crate::probe(&bytes).expect(name).decoding_bytes, expected, "{name}");
        };
        check("jpeg", jpeg().bytes(), 0);
        check("webp, lossy", webp().lossy(16, 16).bytes(), 6 * 256);
        check("webp, lossless", webp().lossless(16, 16, false).bytes(), 11 * 256);
        check("webp, extended, lossy", webp().extended(0, 16, 16).lossy(16, 16).bytes(), 6 * 256);
        check("webp, extended, lossless", webp().extended(0, 16, 16).lossless(16, 16, true).bytes(), 11 * 256);
        let seen_through = webp().extended(0x10, 16, 16).chunk(b"ALPH", &[0]).lossy(16, 16);
        check("webp, with opacity", seen_through.bytes(), 11 * 256);
        let animated = webp().extended(0x02, 16, 16).animation().frame(16, 16);
        check("webp, animated", animated.bytes(), 11 * 256);
        // Where the picture has not come yet, it may be of the kind that takes least.
        check("webp, beginning", webp().extended(0, 16, 16).bytes(), 6 * 256);
    }
}
