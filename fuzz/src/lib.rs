//! What no input may break, one function per target. Each takes any bytes, and panics when a promise is broken.
//!
//! Plain functions, so that `cargo fuzz` on nightly and the smoke run on stable try the same.

#![forbid(unsafe_code)]

mod codec;
mod foreign;
mod form;
mod grammar;
mod header;
mod pixels;

pub use codec::{avif, jpeg, palette, vp8, webp};
pub use foreign::dialects;
pub use form::multipart;
pub use grammar::transform;
pub use header::probe;
pub use pixels::{bitmap, frames, jxl, plan, render, svg, tiff};

/// A target: its name, which is also its folder below `corpus/`, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 16] = [
    ("transform", transform),
    ("dialects", dialects),
    ("probe", probe),
    ("multipart", multipart),
    ("render", render),
    ("plan", plan),
    ("jpeg", jpeg),
    ("avif", avif),
    ("jxl", jxl),
    ("tiff", tiff),
    ("bitmap", bitmap),
    ("svg", svg),
    ("frames", frames),
    ("webp", webp),
    ("vp8", vp8),
    ("palette", palette),
];
