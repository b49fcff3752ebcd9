//! What no input may break, one function per target. Each takes any bytes, and panics when a promise is broken.
//!
//! Plain functions, so that `cargo fuzz` on nightly and the smoke run on stable try the same.

#![forbid(unsafe_code)]

mod form;
mod grammar;
mod header;
mod pixels;

pub use form::multipart;
pub use grammar::transform;
pub use header::probe;
pub use pixels::render;

/// A target: its name, which is also its folder below `corpus/`, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 4] =
    [("transform", transform), ("probe", probe), ("multipart", multipart), ("render", render)];
