//! What can go wrong.

use heif::HeifError;

/// Why there is no picture, or no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AvifError {
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
    /// The pixels handed in do not fit their size, or are too many or too few for the format.
    #[error("the pixels do not make a picture: {detail}")]
    BadPixels {
        /// What is wrong.
        detail: &'static str,
    },
    /// The encoder gave up, which it does for no known input.
    #[error("the encoder failed: {detail}")]
    Encoder {
        /// What it says.
        detail: String,
    },
}

impl AvifError {
    pub(crate) fn corrupt(detail: impl ToString) -> Self {
        Self::Corrupt { detail: detail.to_string() }
    }

    pub(crate) fn unsupported(found: impl ToString) -> Self {
        Self::Unsupported { found: found.to_string() }
    }
}

impl From<HeifError> for AvifError {
    fn from(error: HeifError) -> Self {
        match error {
            HeifError::NotHeif => Self::corrupt("it is not an AVIF file"),
            HeifError::Truncated => Self::corrupt("the file ends before the picture does"),
            HeifError::Corrupt { detail } => Self::corrupt(detail),
            HeifError::Unsupported { found } => Self::unsupported(found),
        }
    }
}
