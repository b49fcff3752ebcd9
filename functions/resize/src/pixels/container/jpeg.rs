//! JPEG, segment by segment.

use std::ops::Range;

/// Marker codes.
pub(crate) mod marker {
    pub(crate) const SOI: u8 = 0xD8;
    pub(crate) const EOI: u8 = 0xD9;
    pub(crate) const SOS: u8 = 0xDA;
    pub(crate) const APP0: u8 = 0xE0;
    pub(crate) const APP2: u8 = 0xE2;
    pub(crate) const APP14: u8 = 0xEE;
    pub(crate) const APP15: u8 = 0xEF;
    pub(crate) const COM: u8 = 0xFE;
}

const PROFILE_NAME: &[u8] = b"ICC_PROFILE\0";

/// A piece of a JPEG file: a marker with its segment, and for a scan the entropy-coded data after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The marker's code.
    pub(crate) marker: u8,
    /// Where the segment's contents lie, without marker and length. Empty for markers that have none.
    pub(crate) contents: Range<usize>,
    /// Where the whole piece ends.
    pub(crate) end: usize,
}

impl Piece {
    /// Whether the segment holds part of a colour profile.
    pub(crate) fn is_profile(&self, file: &[u8]) -> bool {
        self.marker == marker::APP2 && self.bytes(file).starts_with(PROFILE_NAME)
    }

    pub(crate) fn bytes<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        file.get(self.contents.clone()).unwrap_or_default()
    }
}

/// The pieces of a file, from the start marker to the end marker. Ends early where the file stops making sense.
pub(crate) struct Pieces<'a> {
    file: &'a [u8],
    position: usize,
}

impl<'a> Pieces<'a> {
    pub(crate) fn of(file: &'a [u8]) -> Self {
        Self { file, position: 0 }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let rest = self.file.get(self.position..)?;
        // Any number of fill bytes may stand before the marker's code.
        let n_fill = rest.iter().take_while(|byte| **byte == 0xFF).count();
        let marker = *rest.get(n_fill).filter(|_| n_fill > 0)?;
        let start = self.position + n_fill + 1;
        let end = match marker {
            marker::SOI | 0x01 | 0xD0..=0xD7 => start,
            marker::EOI => start,
            0x00 => return None,
            _ => {
                let length = self.file.get(start..start + 2)?;
                start + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2)
            }
        };
        let contents = if end > start { start + 2..end } else { start..start };
        self.file.get(contents.clone())?;
        let end = if marker == marker::SOS { end_of_scan(self.file, end) } else { end };
        self.position = if marker == marker::EOI { self.file.len() } else { end };
        Some(Piece { marker, contents, end })
    }
}

/// Where the entropy-coded data that begins at `start` meets the next marker that is not part of it.
fn end_of_scan(file: &[u8], start: usize) -> usize {
    let mut position = start;
    while let Some(offset) = file.get(position..).and_then(|rest| memchr::memchr(0xFF, rest)) {
        position += offset;
        match file.get(position + 1) {
            // A stuffed byte, or a restart.
            Some(0x00 | 0xD0..=0xD7) => position += 2,
            // A fill byte; the marker is after it.
            Some(0xFF) => position += 1,
            Some(_) => return position,
            None => break,
        }
    }
    file.len()
}

/// The file without what is not seen; `None` where it stops making sense before its end.
///
/// Whatever follows the end marker goes too: cameras put previews, gain maps and whole films there.
pub(crate) fn stripped(file: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(file.len());
    let mut start = 0;
    let mut has_scan = false;
    for piece in Pieces::of(file) {
        let whole = file.get(start..piece.end)?;
        let bytes = piece.bytes(file);
        let may_be_metadata = matches!(piece.marker, marker::APP0..=marker::APP15 | marker::COM);
        // Nobody writes metadata behind a scan. Taking out damage that looks like it would join what it parts.
        if has_scan && may_be_metadata {
            return None;
        }
        has_scan |= piece.marker == marker::SOS;
        match piece.marker {
            marker::APP0 => kept.extend(jfif_without_preview(bytes).unwrap_or_default()),
            marker::APP14 if bytes.starts_with(b"Adobe") => kept.extend_from_slice(whole),
            _ if may_be_metadata && !piece.is_profile(file) => {}
            _ => kept.extend_from_slice(whole),
        }
        if piece.marker == marker::EOI {
            return Some(kept);
        }
        start = piece.end;
    }
    None
}

/// A JFIF segment, marker included, as `bytes` has it, but for the preview picture.
fn jfif_without_preview(bytes: &[u8]) -> Option<Vec<u8>> {
    // Name, version, unit and two densities; then two sides of a preview, here zero.
    let start = bytes.get(..12).filter(|bytes| bytes.starts_with(b"JFIF\0"))?;
    Some([&[0xFF, marker::APP0, 0, 16], start, &[0, 0]].concat())
}
