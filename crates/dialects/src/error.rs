//! Why a URL in another product's grammar was refused.

/// Why a URL in another product's grammar was refused, and by which of its options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{detail}", option.as_ref().map(|option| format!("{option}: ")).unwrap_or_default())]
pub struct DialectError {
    /// What sort of refusal it is; decides the HTTP status.
    pub kind: DialectErrorKind,
    /// The option as the dialect's documentation names it, where one option is to blame.
    pub option: Option<String>,
    /// A sentence for the client, in lower case, without a final full stop.
    pub detail: String,
}

/// The sorts of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialectErrorKind {
    /// The text is not in the dialect's grammar, or contradicts itself: 400.
    Invalid,
    /// In the dialect's grammar, but nothing here does the same: 501.
    Unsupported,
    /// The source is not the id of an image: 404.
    NoImage,
}

pub(crate) type Result<T> = std::result::Result<T, DialectError>;

pub(crate) fn invalid(option: &str, detail: impl Into<String>) -> DialectError {
    DialectError { kind: DialectErrorKind::Invalid, option: Some(option.to_owned()), detail: detail.into() }
}

/// A URL that is wrong as a whole.
pub(crate) fn malformed(detail: impl Into<String>) -> DialectError {
    DialectError { kind: DialectErrorKind::Invalid, option: None, detail: detail.into() }
}

pub(crate) fn unsupported(option: &str, detail: impl Into<String>) -> DialectError {
    DialectError { kind: DialectErrorKind::Unsupported, option: Some(option.to_owned()), detail: detail.into() }
}

pub(crate) fn no_image(detail: impl Into<String>) -> DialectError {
    DialectError { kind: DialectErrorKind::NoImage, option: None, detail: detail.into() }
}
