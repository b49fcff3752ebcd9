//! Originals as they are delivered: without metadata, with the same pixels.
//!
//! What says where, when, by whom and with what a picture was made (EXIF, XMP, IPTC, comments, previews, anything
//! unknown) goes; what decides how it looks (colour profile, animation, resolution) stays. The pixel data is copied
//! byte for byte, so nothing is lost by it. Nothing is decoded.

use super::container::{gif, jpeg, png, webp};

/// What is to be delivered in place of an original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stripped {
    /// The file itself: there was nothing to take out.
    Same,
    /// This file.
    Rewritten(Vec<u8>),
    /// The pixels must be written anew, by [`render`](super::render()) with [`Plan::Original`](transform::Plan): the
    /// picture lies on its side, or the file stops making sense.
    NeedsRender,
}

/// Takes the metadata out of `file`, an original.
pub fn strip(file: &[u8]) -> Stripped {
    let Ok(probe) = probe::probe(file) else { return Stripped::NeedsRender };
    if probe.orientation != probe::Orientation::UPRIGHT {
        return Stripped::NeedsRender;
    }
    let stripped = match probe.format {
        probe::Format::Jpeg => jpeg::stripped(file),
        probe::Format::Png => png::stripped(file),
        probe::Format::WebP => webp::stripped(file),
        probe::Format::Gif => gif::stripped(file),
    };
    match stripped {
        Some(bytes) if bytes == file => Stripped::Same,
        Some(bytes) => Stripped::Rewritten(bytes),
        None => Stripped::NeedsRender,
    }
}
