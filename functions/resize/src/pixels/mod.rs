//! Pixels: pure functions over bytes and numbers. Nothing of the platform is known here.
//!
//! - [`derive`](derive()) makes everything that is made of a picture when it arrives: rungs, presets, a placeholder.
//! - [`render`](render()) makes what a plan says, of a rung ([`pick_rung`]) or of the original.
//! - [`strip`](strip()) takes the metadata out of an original without touching its pixels.
//!
//! Every input is taken for hostile: headers are read and compared with [`Limits`] before anything is allocated, a
//! picture is whole or refused, and no arithmetic on what a file claims can overflow or go out of bounds in here.
//! Decoders are others' work; [`exercise`](exercise()) is for throwing
//! broken files at them (`examples/pixels_fuzz.rs`, and the fuzz targets).
//!
//! The order of work on a picture: decode (smaller where JPEG can), cut and trim, scale and crop in one pass, colours to
//! sRGB, turn upright and as the plan says, light and colours, blur, sharpen, filter, canvas, corners, watermark, text,
//! ground, encode. Everything after scaling is done on the few pixels that are left. Photos that are only scaled and
//! turned go a shorter way, in planes.

mod animate;
mod blur;
mod compose;
mod container;
mod decode;
mod derive;
mod encode;
mod error;
mod exercise;
mod finish;
mod ink;
mod ops;
mod orient;
mod placeholder;
mod profile;
mod quality;
mod raster;
mod render;
mod resize;
mod rungs;
#[cfg(test)]
mod samples;
mod strip;
mod ycc;

pub use derive::{Derived, Facts, derive};
pub use encode::Encoded;
pub use error::PixelError;
pub use exercise::exercise;
pub use finish::{Extras, Filter};
pub use probe::Limits;
pub use render::render;
pub use rungs::{pick_rung, rung_sizes};
pub use strip::{Stripped, strip};
