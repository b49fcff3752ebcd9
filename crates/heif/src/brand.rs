//! What the first box says that a file is.

use crate::Family;
use crate::reader::Reader;

/// The longest list of brands that is read, in bytes. Files have fewer than ten brands.
const MAX_BRANDS: usize = 1024;

const AVIF: [[u8; 4]; 2] = [*b"avif", *b"avis"];
const HEIC: [[u8; 4]; 8] = [*b"heic", *b"heix", *b"heim", *b"heis", *b"hevc", *b"hevx", *b"hevm", *b"hevs"];
/// First brands of files that are sequences of frames.
const SEQUENCES: [[u8; 4]; 6] = [*b"avis", *b"msf1", *b"hevc", *b"hevx", *b"hevm", *b"hevs"];
/// First brands of files that name their family behind it, if at all.
const ANY_FAMILY: [[u8; 4]; 3] = [*b"mif1", *b"msf1", *b"miaf"];

/// What the brands in the first box say, without a look at what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brand {
    /// One of the families. What the picture really is coded with, [`header`](crate::header()) knows.
    Family(Family),
    /// A HEIF image of another family.
    OtherImage,
    /// A video or something else.
    Other,
    /// The list of brands is cut off.
    Cut,
}

/// What the first box of `file` says that it is. More bytes change nothing but [`Brand::Cut`].
#[must_use]
pub fn brand(file: &[u8]) -> Brand {
    if !begins_as_media(file) {
        return Brand::Other;
    }
    let Some(first) = first(file) else { return Brand::Cut };
    if let Some(family) = family(first) {
        return Brand::Family(family);
    }
    let end = Reader::new(file).u32().and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
    if !(16..=MAX_BRANDS).contains(&end) {
        return Brand::Other;
    }
    // The version stands between the first brand and the others; it may look like anything.
    let Some(others) = file.get(16..end) else { return Brand::Cut };
    // AVIF first: a file may be of both families.
    let mut families = others.as_chunks().0.iter().filter_map(|brand| family(*brand));
    match families.clone().find(|family| *family == Family::Avif).or_else(|| families.next()) {
        Some(family) => Brand::Family(family),
        None if ANY_FAMILY.contains(&first) => Brand::OtherImage,
        None => Brand::Other,
    }
}

/// Whether the first box is one of brands, as far as it is there.
pub(crate) fn begins_as_media(file: &[u8]) -> bool {
    let kind = file.get(4..8).or(file.get(4..)).unwrap_or_default();
    b"ftyp".starts_with(kind)
}

/// Whether a file begins as sequences of frames do.
pub(crate) fn is_sequence(file: &[u8]) -> bool {
    first(file).is_some_and(|brand| SEQUENCES.contains(&brand))
}

fn first(file: &[u8]) -> Option<[u8; 4]> {
    file.get(8..)?.first_chunk().copied()
}

fn family(brand: [u8; 4]) -> Option<Family> {
    if AVIF.contains(&brand) {
        Some(Family::Avif)
    } else if HEIC.contains(&brand) {
        Some(Family::Heic)
    } else {
        None
    }
}
