//! A WebP encoder: lossy, lossless, with alpha, colour profile and animation; and a decoder of lossy pictures.
//!
//! Lossy pictures are VP8 key frames, written from RFC 6386; the container is Google's WebP container specification.
//! It is made for wasm with 128-bit vectors and gives the same bytes everywhere: whatever decides about a bit
//! is integer arithmetic, or `f64` arithmetic in fixed order.
//!
//! # Layout
//!
//! - `picture`, `options`, `error`: what comes in, and what can be wrong with it.
//! - `yuv`: from pixels to planes.
//! - `analysis`: segments and their quantisers.
//! - `macroblock`, `predict`, `transform`, `quant`, `distortion`, `cost`, `blocks`, `decide`: how one macroblock is
//!   coded.
//! - `tokens`, `header`, `bool_coder`: from decisions to bits. `frame` puts the above together.
//! - `lossless` and what is below it: the VP8L format, for lossless pictures and for the alpha of lossy ones (`alpha`).
//! - `container`, `animation`: the file around coded pictures.
//! - `decode` and what is below it: from a key frame to planes.
//! - `simd`: the vector type that the pixel loops are written in; `tables` and `modes`: the RFC's constants.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod alpha;
mod analysis;
mod animation;
mod blocks;
mod bool_coder;
mod container;
mod cost;
mod decide;
mod decode;
mod distortion;
mod error;
mod frame;
mod header;
mod lossless;
mod macroblock;
mod modes;
mod options;
mod picture;
mod predict;
mod quant;
mod simd;
mod tables;
mod tokens;
mod transform;
mod yuv;

pub use animation::{Animation, AnimationOptions, Blend, Dispose, Frame};
pub use container::encode;
pub use decode::{DecodeError, LossyPicture, decode, decoding_bytes};
pub use error::Error;
pub use options::Options;
pub use picture::{Chroma, MAX_SIDE, Picture, Pixels, PlaneSlices, Range};

#[doc(hidden)]
pub mod reconstruction;
