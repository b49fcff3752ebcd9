//! What a HEIF file holds and where: the container that AVIF and HEIC share (ISO/IEC 23008-12 over ISO/IEC 14496-12).
//!
//! No pixel is decoded here, so that a component which only looks at headers can use it. [`header`] says what the
//! picture will be; [`Container`] also finds the coded pictures, for a decoder.
//!
//! Every length and offset is checked against the bytes that are there. Tables are not copied but searched in place,
//! so a file cannot make this crate allocate more than its own size, and each search has an upper bound.
//!
//! # Layout
//! `reader` is a position in bytes, `boxes` walks boxes, `brand` reads the first, `meta` finds the tables of items,
//! `properties` reads what describes an item, `turn` adds up rotations and mirrors, `movie` counts frames, `container`
//! puts them together.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod boxes;
mod brand;
mod container;
mod meta;
mod movie;
mod properties;
mod reader;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
#[cfg(test)]
mod tests;
mod turn;

pub use brand::{Brand, brand};
pub use container::{Coding, Container, Grid, Item};
pub use properties::{CodecConfig, Crop, Nclx, Properties};

/// Which of the two families a file belongs to, by what its picture is coded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// AV1: AVIF.
    Avif,
    /// HEVC: HEIC.
    Heic,
}

/// What the container says about the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the picture is coded with.
    pub family: Family,
    /// Width in pixels as stored: cropped (`clap`), before the orientation is applied. Never 0.
    pub width: u32,
    /// Height in pixels as stored: cropped (`clap`), before the orientation is applied. Never 0.
    pub height: u32,
    /// Width in pixels before the crop: what a decoder has to hold.
    pub coded_width: u32,
    /// Height in pixels before the crop.
    pub coded_height: u32,
    /// Bits per channel.
    pub bits: u8,
    /// Whether there is one channel of brightness and no colour.
    pub is_gray: bool,
    /// Whether there is an alpha picture beside the main one.
    pub has_alpha: bool,
    /// What rotation and mirror come to, as an EXIF orientation, 1 to 8. EXIF in a HEIF file is to be ignored for this.
    pub orientation: u8,
    /// Whether there is an ICC profile.
    pub has_icc: bool,
    /// Whether the file says that it holds an image sequence too. Its still picture is what is described here.
    pub is_sequence: bool,
    /// Frames of that sequence, of its longest track; 1 where there is none, or it is cut off or damaged.
    pub frames: u32,
    /// Whether the end of the file was among the bytes.
    pub is_complete: bool,
}

/// Why a file was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeifError {
    /// The bytes are not a HEIF file at all.
    #[error("the file is not a HEIF file")]
    NotHeif,
    /// The bytes end before what was asked for. More of them may help.
    #[error("the file ends too early")]
    Truncated,
    /// The file contradicts itself or its format.
    #[error("the file is damaged: {detail}")]
    Corrupt {
        /// What is wrong.
        detail: &'static str,
    },
    /// Sound, as far as one can tell, but not handled.
    #[error("the file has {found}, which is not supported")]
    Unsupported {
        /// What it has, ready for a sentence.
        found: &'static str,
    },
}

/// Reads the header of `file`, which is a file or the beginning of one.
///
/// # Errors
/// See [`HeifError`]. `Truncated` is the only one that more bytes can change; what was read without an error, more bytes
/// change only in `frames` and `is_complete`.
pub fn header(file: &[u8]) -> Result<Header, HeifError> {
    Container::read(file)?.header()
}

fn corrupt(detail: &'static str) -> HeifError {
    HeifError::Corrupt { detail }
}

fn unsupported(found: &'static str) -> HeifError {
    HeifError::Unsupported { found }
}
