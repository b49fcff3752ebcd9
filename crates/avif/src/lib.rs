//! AVIF files to pixels and back.
//!
//! AV1 itself is decoded by `re_rav1d` and encoded by `rav1e`, each behind one file here. The container is read by our
//! own `heif`. What is between samples and pixels is here, in whole numbers, so that pixels and files are the same
//! natively and in wasm.
//!
//! What comes out of [`decode`] is eight bits a channel, in the file's own colour space and not turned; the profile, the
//! colour code points and the orientation stand beside it.
//!
//! # Layout
//! `decode` and `encode` are the two ways. `obu` looks at AV1 data before a decoder does, `av1` is the decoder, `color`
//! turns samples into pixels, `planes` pixels into samples.
//!
//! # Trust
//! The decoder is a port of dav1d from C with `unsafe` in it. Before it sees anything, the sizes that the container and
//! the AV1 headers name are compared with each other and with the limits, and so is the number of frames. It checks its
//! indices, so that damage which it overlooks ends in a panic: in a component that is a trap, which ends the request.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod av1;
mod color;
mod decode;
mod encode;
mod error;
mod obu;
mod planes;
#[cfg(test)]
mod tests;

pub use decode::{Limits, decode, decoding_bytes};
pub use encode::{Options, encode};
pub use error::AvifError;

/// The channels of a pixel, eight bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Brightness.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue and opacity; colours are not multiplied by it.
    Rgba,
}

impl Layout {
    /// How many channels a pixel has, which is also its bytes.
    #[must_use]
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// Pixels to encode: rows from the top, without gaps, in sRGB and upright.
#[derive(Debug, Clone, Copy)]
pub struct Pixels<'a> {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// What a pixel is made of.
    pub layout: Layout,
    /// `width` times `height` times the channels.
    pub bytes: &'a [u8],
}

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// What a pixel is made of.
    pub layout: Layout,
    /// Rows from the top, without gaps.
    pub bytes: Vec<u8>,
    /// How the picture is to be turned before it is shown: an EXIF orientation, 1 to 8. It has not been applied.
    pub orientation: u8,
    /// The ICC profile of the colours. It comes before `primaries` and `transfer`.
    pub icc: Option<Vec<u8>>,
    /// Colour primaries, a code point of ISO/IEC 23091-2. 1 are those of sRGB, 2 says nothing.
    pub primaries: u16,
    /// Transfer characteristics, a code point of ISO/IEC 23091-2. 13 are those of sRGB, 2 says nothing.
    pub transfer: u16,
}
