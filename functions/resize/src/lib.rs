//! Pixels in, pixels out.

pub mod pixels;
