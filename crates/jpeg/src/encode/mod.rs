//! Encoding.
pub(crate) mod tables;
