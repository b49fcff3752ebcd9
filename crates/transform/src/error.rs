//! Why a transform was refused.

use std::fmt;

/// Why a transform was refused, and by which option.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TransformError {
    /// What sort of refusal it is; decides the HTTP status.
    pub kind: TransformErrorKind,
    /// The option's long name, where one option is to blame.
    pub option: Option<String>,
    /// A sentence for the client, in lower case, without a final full stop.
    pub detail: String,
}

/// The sorts of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransformErrorKind {
    /// The text is not in the grammar, or contradicts itself: 400.
    Invalid,
    /// A filter that the operator has not installed: 501.
    FilterUnknown,
    /// The result would be too large: 422.
    Limit {
        /// The most allowed, in pixels (of one side, or of the whole).
        limit: u64,
        /// What was asked for, in the same unit.
        actual: u64,
    },
}

impl TransformError {
    pub(crate) fn invalid(option: Option<&str>, detail: impl Into<String>) -> Self {
        Self { kind: TransformErrorKind::Invalid, option: option.map(str::to_owned), detail: detail.into() }
    }

    pub(crate) fn filter_unknown(detail: impl Into<String>) -> Self {
        let option = Some("filter".to_owned());
        Self { kind: TransformErrorKind::FilterUnknown, option, detail: detail.into() }
    }

    pub(crate) fn limit(option: Option<&str>, limit: u64, actual: u64, detail: impl Into<String>) -> Self {
        Self {
            kind: TransformErrorKind::Limit { limit, actual },
            option: option.map(str::to_owned),
            detail: detail.into(),
        }
    }
}

impl fmt::Display for TransformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.option {
            Some(option) => write!(f, "{option}: {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}
