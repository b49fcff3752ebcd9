//! Eight 16-bit lanes, or sixteen of 8 bits: one `v128` in wasm, an array everywhere else.
//!
//! The array version is written so that each operation says exactly what the wasm instruction does; both give the same
//! bits. Two 4x4 blocks are always worked on at once, in "pair layout": vector `i` holds line `i` of the first block in
//! lanes 0 to 3 and line `i` of the second in lanes 4 to 7.

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
#[path = "simd/wasm.rs"]
mod lanes;

#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
#[path = "simd/portable.rs"]
mod lanes;

pub use lanes::{I16x8, U8x16, means, pick};
