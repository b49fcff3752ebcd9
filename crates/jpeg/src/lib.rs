//! JPEG to planes of samples and back, written for wasm without threads; the same bytes natively.
//!
//! [`Header::read`] says what a file is, [`decoding_bytes`] what decoding it will take, [`decode`] gives [`Planes`]:
//! one per component, colour at the resolution that the file has it in, at full size or reduced within the transform.
//! [`Planes::into_pixels`] makes pixels of them, and [`encode::encode`] a file of either.
//!
//! # Layout
//! `markers` and `header` read segments; `scan` holds tables and restart intervals; `bits` and `huffman`, or
//! `arithmetic`, turn bits into coefficients; `sequential` brings those to the planes block by block, `progressive`
//! gathers them in `store` first; `idct` makes samples of them with the vectors of `simd`; `upsample` and `color` make
//! pixels; `encode` goes the other way.
//!
//! What libjpeg-turbo decodes by default at full size, this does to the bit; tests compare them.

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
mod store;
mod upsample;

pub use decode::{Options, Scale, decode};
pub use error::Error;
pub use exercise::exercise;
pub use frame::decoding_bytes;
pub use header::{Coding, Color, Component, Header, MAX_SCANS, Process, icc_profile};
pub use markers::{Segment, segments};
pub use planes::{PixelLayout, Pixels, Plane, Planes};
