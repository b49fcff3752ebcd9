//! What is done to a picture besides scaling and turning it: pure functions over [`Raster`](super::raster::Raster).

mod adjust;
mod faces;
mod glyph;
mod light;
mod linear;
mod overlay;
mod shape;
mod smart;
mod text;
mod trim;

pub(super) use adjust::{Tone, bitonal, grayscale, tinted, toned};
pub(super) use linear::resized_in_light;
pub(super) use overlay::{Place, overlaid, placed};
pub(super) use shape::{Radius, rounded};
pub(super) use smart::{Interest, smart_window};
pub(super) use text::{Font, TextStyle, fonts, written};
pub(super) use trim::trim_box;

/// A place on a picture, or outside of it, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Point {
    /// To the right.
    pub(super) x: i64,
    /// Down.
    pub(super) y: i64,
}
