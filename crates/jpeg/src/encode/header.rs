//! Everything in a file but its scans.

use super::codes::CodeTable;
use crate::header::ZIGZAG;
use crate::markers;

/// A marker with its segment, which has at most 65,533 bytes.
pub(super) fn segment(file: &mut Vec<u8>, marker: u8, parts: &[&[u8]]) {
    let n_bytes: usize = parts.iter().map(|part| part.len()).sum();
    file.extend([0xFF, marker]);
    file.extend((n_bytes as u16 + 2).to_be_bytes());
    parts.iter().for_each(|part| file.extend_from_slice(part));
}

/// The start of a file, with JFIF 1.1 of square pixels, without preview.
pub(super) fn start() -> Vec<u8> {
    let mut file = vec![0xFF, markers::SOI];
    segment(&mut file, markers::APP0, &[b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"]);
    file
}

/// The most bytes of a profile that a segment holds, beside its name, its number and how many there are.
const PROFILE_PART_BYTES: usize = 65_533 - 14;
/// The most bytes of a profile that a file can hold.
pub(super) const MAX_PROFILE_BYTES: usize = 255 * PROFILE_PART_BYTES;

/// A colour profile of at most [`MAX_PROFILE_BYTES`].
pub(super) fn profile(file: &mut Vec<u8>, profile: &[u8]) {
    let parts = profile.chunks(PROFILE_PART_BYTES);
    let n_parts = parts.len() as u8;
    for (number, part) in (1..).zip(parts) {
        segment(file, markers::APP2, &[b"ICC_PROFILE\0", &[number, n_parts], part]);
    }
}

/// The tables of quantisers, in rows.
pub(super) fn quantizers(file: &mut Vec<u8>, tables: &[[u8; 64]]) {
    for (table_idx, table) in (0..).zip(tables) {
        let in_order = ZIGZAG.map(|place| table[usize::from(place)]);
        segment(file, markers::DQT, &[&[table_idx], &in_order]);
    }
}

/// The frame, of one component or of three with two tables of quantisers; the first with `luma_sampling`.
pub(super) fn frame(
    file: &mut Vec<u8>,
    is_progressive: bool,
    (width, height): (u16, u16),
    (n_channels, luma_sampling): (usize, u8),
) {
    let marker = if is_progressive { 0xC2 } else { markers::SOF0 };
    let [height_high, height_low] = height.to_be_bytes();
    let [width_high, width_low] = width.to_be_bytes();
    let sides = [8, height_high, height_low, width_high, width_low, n_channels as u8];
    // Number, sampling factors, quantiser table of each component.
    let channels = [1, luma_sampling, 0, 2, 0x11, 1, 3, 0x11, 1];
    segment(file, marker, &[&sides, &channels[..3 * n_channels]]);
}

/// How many units there are between restarts, if there are any.
pub(super) fn restart_interval(file: &mut Vec<u8>, interval: u16) {
    if interval > 0 {
        segment(file, markers::DRI, &[&interval.to_be_bytes()]);
    }
}

/// A Huffman table: of means at `class` 0 and 1, of other coefficients at 0x10 and 0x11.
pub(super) fn codes(file: &mut Vec<u8>, class: u8, table: &CodeTable) {
    segment(file, markers::DHT, &[&[class], &table.n_codes, &table.values]);
}

/// The header of a scan of the components of `channels`, whose tables are 0 for the first and 1 for others; with the
/// first and the last coefficient, and the bits before and after.
pub(super) fn scan(file: &mut Vec<u8>, channels: &[usize], (start, end): (u8, u8), (high, low): (u8, u8)) {
    let parts: Vec<u8> =
        channels.iter().flat_map(|channel| [*channel as u8 + 1, if *channel == 0 { 0x00 } else { 0x11 }]).collect();
    segment(file, markers::SOS, &[&[channels.len() as u8], &parts, &[start, end, high << 4 | low]]);
}
