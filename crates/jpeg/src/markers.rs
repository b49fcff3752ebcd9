//! The file as a row of markers with their segments.

use std::ops::Range;

pub(crate) const SOF0: u8 = 0xC0;
pub(crate) const SOF15: u8 = 0xCF;
pub(crate) const DHT: u8 = 0xC4;
pub(crate) const JPG: u8 = 0xC8;
pub(crate) const DAC: u8 = 0xCC;
pub(crate) const RST0: u8 = 0xD0;
pub(crate) const RST7: u8 = 0xD7;
pub(crate) const SOI: u8 = 0xD8;
pub(crate) const EOI: u8 = 0xD9;
pub(crate) const SOS: u8 = 0xDA;
pub(crate) const DQT: u8 = 0xDB;
pub(crate) const DNL: u8 = 0xDC;
pub(crate) const DRI: u8 = 0xDD;
pub(crate) const APP0: u8 = 0xE0;
pub(crate) const APP2: u8 = 0xE2;
pub(crate) const APP14: u8 = 0xEE;

/// A marker with its segment, and for a scan the entropy-coded data after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The marker's code, the byte after 0xFF.
    pub marker: u8,
    /// Where the segment's contents lie in the file, without marker and length. Empty for markers that have none.
    pub contents: Range<usize>,
    /// Where the whole ends in the file; for a scan, where its entropy-coded data does.
    pub end: usize,
}

impl Segment {
    /// The segment's contents.
    pub fn bytes<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        file.get(self.contents.clone()).unwrap_or_default()
    }

    /// Whether it starts a frame, of whatever kind.
    pub(crate) fn is_frame(&self) -> bool {
        matches!(self.marker, SOF0..=SOF15) && !matches!(self.marker, DHT | JPG | DAC)
    }
}

/// The segments of a file, from the start marker to the end marker. Ends early where the file stops making sense;
/// bytes between segments that are no marker are passed over.
pub fn segments(file: &[u8]) -> impl Iterator<Item = Segment> + '_ {
    let mut position = Some(0);
    std::iter::from_fn(move || {
        let (code_at, marker) = next_marker(file, position?)?;
        let segment = segment_at(file, code_at, marker)?;
        position = (marker != EOI).then_some(segment.end);
        Some(segment)
    })
}

fn segment_at(file: &[u8], code_at: usize, marker: u8) -> Option<Segment> {
    let start = code_at + 1;
    if matches!(marker, 0x01 | RST0..=EOI) {
        return Some(Segment { marker, contents: start..start, end: start });
    }
    let length: [u8; 2] = *file.get(start..)?.first_chunk()?;
    let contents = start + 2..start + usize::from(u16::from_be_bytes(length)).max(2);
    file.get(contents.clone())?;
    let end = if marker == SOS { end_of_scan(file, contents.end) } else { contents.end };
    Some(Segment { marker, contents, end })
}

/// The first marker from `start` on: where its code is, and the code.
pub(crate) fn next_marker(file: &[u8], start: usize) -> Option<(usize, u8)> {
    let mut position = start;
    loop {
        position += memchr::memchr(0xFF, file.get(position..)?)? + 1;
        match *file.get(position)? {
            // A stuffed byte; and a fill byte, which is looked at again.
            0x00 | 0xFF => {}
            marker => return Some((position, marker)),
        }
    }
}

/// Where the entropy-coded data that begins at `start` meets the next marker that is not part of it.
fn end_of_scan(file: &[u8], start: usize) -> usize {
    let mut position = start;
    loop {
        match next_marker(file, position) {
            Some((code_at, RST0..=RST7)) => position = code_at + 1,
            Some((code_at, _)) => return code_at - 1,
            None => return file.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_segments_and_the_ends_of_scans() {
        let file = [
            &[0xFF, SOI, 0xFF, 0xFF, APP0, 0, 3, 9][..],
            &[7, 0xFF, 0, 0xFF, SOS, 0, 2, 1, 2, 0xFF, 0, 0xFF, RST0, 3, 0xFF, 0xFF, EOI, 0xFF, APP0, 0, 2],
        ]
        .concat();
        let found: Vec<_> = segments(&file).map(|s| (s.marker, s.bytes(&file).to_vec(), s.end)).collect();
        assert_eq!(found, [(SOI, vec![], 2), (APP0, vec![9], 8), (SOS, vec![], 23), (EOI, vec![], 25)]);
    }

    #[test]
    fn ends_where_a_segment_is_cut_off() {
        for file in
            [&[0xFF, SOI, 0xFF, APP0, 0][..], &[0xFF, SOI, 0xFF, APP0, 0, 9, 1], &[0xFF, SOI, 0xFF], &[0xFF, SOI]]
        {
            assert_eq!(segments(file).count(), 1, "{file:x?}");
        }
        assert_eq!(segments(&[]).count(), 0);
    }
}
