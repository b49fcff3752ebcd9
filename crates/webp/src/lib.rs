//! A WebP encoder: lossy, lossless, with alpha, colour profile and animation.
//!
//! Lossy pictures are VP8 key frames, written from RFC 6386; the container is Google's WebP container specification.
//! The encoder is made for wasm with 128-bit vectors and gives the same bytes everywhere: whatever decides about a bit
//! is integer arithmetic, or `f64` arithmetic in fixed order.
//!
//! # Layout
//!
//! - `picture`, `options`, `error`: what comes in, and what can be wrong with it.
//! - `yuv`: from pixels to planes.
//! - `analysis`: segments and their quantisers.
//! - `macroblock`, `predict`, `transform`, `quant`, `distortion`, `cost`, `decide`: how one macroblock is coded.
//! - `tokens`, `header`, `bool_coder`: from decisions to bits. `frame` puts the above together.
//! - `alpha`, `lossless`, `container`, `animation`: the rest of the file.
//! - `simd`: the vector type that the pixel loops are written in; `tables` and `modes`: the RFC's constants.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod alpha;
mod analysis;
mod animation;
mod bool_coder;
mod container;
mod cost;
mod decide;
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
pub use error::Error;
pub use options::Options;
pub use picture::{Chroma, MAX_SIDE, Picture, Pixels, PlaneSlices, Range};

#[doc(hidden)]
pub mod reconstruction;
