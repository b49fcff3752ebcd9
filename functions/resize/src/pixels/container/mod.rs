//! The containers that pictures come in, walked without decoding a pixel.

pub(super) mod gif;
pub(super) mod jpeg;
pub(super) mod png;
pub(super) mod webp;
