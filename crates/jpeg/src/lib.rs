//! JPEG.

mod arithmetic;
mod bits;
mod color;
mod decode;
pub mod encode;
mod error;
mod exercise;
mod frame;
mod header;
mod huffman;
mod idct;
mod markers;
mod planes;
mod progressive;
mod scan;
mod sequential;
mod simd;
mod upsample;

pub use decode::{Options, Scale, decode};
pub use error::Error;
pub use exercise::exercise;
pub use frame::decoding_bytes;
pub use header::{Coding, Color, Component, Header, MAX_SCANS, Process, icc_profile};
pub use markers::{Segment, segments};
pub use planes::{PixelLayout, Pixels, Plane, Planes};
