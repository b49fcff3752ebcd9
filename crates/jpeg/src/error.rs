//! What can be wrong with a file or a request.

/// Why a JPEG could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not start as a JPEG does.
    #[error("not a JPEG")]
    NotJpeg,
    /// A kind of JPEG that this crate does not read.
    #[error("unsupported JPEG: {0}")]
    Unsupported(&'static str),
    /// The file contradicts itself or the standard, or ends too soon.
    #[error("corrupt JPEG: {0}")]
    Corrupt(&'static str),
    /// More scans than [`MAX_SCANS`](crate::MAX_SCANS), each of which may cost as much as the whole picture.
    #[error("JPEG of more than {limit} scans")]
    TooManyScans {
        /// The most there may be.
        limit: usize,
    },
    /// What should be written does not fit the format, or its samples do not fit its size.
    #[error("cannot write this as a JPEG: {0}")]
    Unwritable(&'static str),
}
