//! Why a picture could not be read or made.

use probe::LimitError;

/// Why a picture could not be read or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PixelError {
    /// Not a format that is read, or a kind of it that is not.
    #[error("the file is {found}, which is not supported")]
    Unsupported {
        /// What it is instead, for a sentence.
        found: String,
    },
    /// Damaged, or cut off before the picture is complete.
    #[error("the picture is damaged: {detail}")]
    Corrupt {
        /// What is wrong.
        detail: String,
    },
    /// Over a limit, by what the header says or by what the work would take.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The operator's filter says no.
    #[error("{detail}")]
    Filter {
        /// Why.
        detail: String,
    },
    /// The result could not be written. Never the picture's fault.
    #[error("the result could not be encoded: {detail}")]
    Encode {
        /// What the encoder said.
        detail: String,
    },
}

impl PixelError {
    pub(super) fn corrupt(detail: impl ToString) -> Self {
        Self::Corrupt { detail: detail.to_string() }
    }

    pub(super) fn encode(detail: impl ToString) -> Self {
        Self::Encode { detail: detail.to_string() }
    }
}

impl From<probe::ProbeError> for PixelError {
    fn from(error: probe::ProbeError) -> Self {
        match error {
            probe::ProbeError::Unsupported { found } => Self::Unsupported { found: found.to_owned() },
            probe::ProbeError::UnsupportedInside { found } => {
                Self::Unsupported { found: format!("a picture with {found}") }
            }
            other => Self::corrupt(other),
        }
    }
}
