//! What the decoders of whole pictures take and give: those of JPEG XL and of HEIC, which do everything themselves.

/// What a picture may take. Both are checked before anything of its size is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StillLimits {
    /// Pixels of the picture.
    pub(super) max_pixels: u64,
    /// Bytes of memory, as each decoder estimates them.
    pub(super) max_memory_bytes: u64,
}

/// What a pixel is made of, eight bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channels {
    /// Brightness.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue and opacity; colours are not multiplied by it.
    Rgba,
}

/// A decoded picture, upright: orientation and crop of the file have been applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Still {
    /// Width in pixels, upright.
    pub(super) width: u32,
    /// Height in pixels, upright.
    pub(super) height: u32,
    /// What a pixel is made of.
    pub(super) channels: Channels,
    /// Rows from the top, without gaps.
    pub(super) pixels: Vec<u8>,
    /// The ICC profile of the colours; they are sRGB where there is none.
    pub(super) icc: Option<Vec<u8>>,
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StillError {
    /// The file contradicts itself or its format, or ends too early.
    #[error("the file is damaged: {detail}")]
    Corrupt {
        /// What is wrong.
        detail: String,
    },
    /// Sound, as far as one can tell, but not handled.
    #[error("the file has {found}, which is not supported")]
    Unsupported {
        /// What it has, ready for a sentence.
        found: String,
    },
    /// The picture has more pixels than allowed.
    #[error("the image has {actual} pixels, {limit} are allowed")]
    TooManyPixels {
        /// The pixels allowed.
        limit: u64,
        /// The pixels claimed.
        actual: u64,
    },
    /// The picture takes more memory than allowed.
    #[error("the image takes {actual} bytes of memory, {limit} are allowed")]
    TooMuchMemory {
        /// The bytes allowed.
        limit: u64,
        /// The bytes that it would take, as estimated.
        actual: u64,
    },
}

impl StillError {
    /// Damage, as a decoder words it.
    pub(super) fn corrupt(detail: impl ToString) -> Self {
        Self::Corrupt { detail: detail.to_string() }
    }

    /// Something that is not handled.
    pub(super) fn unsupported(found: impl ToString) -> Self {
        Self::Unsupported { found: found.to_string() }
    }
}

impl StillLimits {
    /// Refuses `pixels` that take `bytes_per_pixel` each while they are decoded.
    pub(super) fn check(&self, pixels: u64, bytes_per_pixel: u64) -> Result<(), StillError> {
        if pixels > self.max_pixels {
            return Err(StillError::TooManyPixels { limit: self.max_pixels, actual: pixels });
        }
        let actual = pixels.saturating_mul(bytes_per_pixel);
        if actual > self.max_memory_bytes {
            return Err(StillError::TooMuchMemory { limit: self.max_memory_bytes, actual });
        }
        Ok(())
    }
}
