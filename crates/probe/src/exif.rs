//! The one thing needed from EXIF: which way up the picture is.

use crate::reader::Reader;

const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// An EXIF orientation, 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// The pixels are stored as they are to be seen.
    pub const UPRIGHT: Orientation = Orientation(1);

    /// The orientation of this number, if there is one.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value >= 1 && value <= 8 { Some(Self(value)) } else { None }
    }

    /// The number, 1 to 8.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether width and height change places when it is applied.
    #[must_use]
    pub const fn swaps_sides(self) -> bool {
        self.0 >= 5
    }
}

/// Finds the orientation in an EXIF block, with or without the `Exif\0\0` in front that JPEG asks for.
/// Damaged EXIF is common and harmless: it counts as none.
pub(crate) fn orientation(bytes: &[u8]) -> Option<Orientation> {
    let tiff = bytes.strip_prefix(b"Exif\0\0").unwrap_or(bytes);
    let is_little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let order = Order { is_little };
    let mut header = Reader::new(tiff.get(4..)?);
    let offset = usize::try_from(order.u32(&mut header)?).ok()?;
    let mut directory = Reader::new(tiff.get(offset..)?);
    let n_entries = order.u16(&mut directory)?;
    for _ in 0..n_entries {
        let tag = order.u16(&mut directory)?;
        let kind = order.u16(&mut directory)?;
        let count = order.u32(&mut directory)?;
        let mut value = Reader::new(directory.take(4)?);
        if tag != ORIENTATION {
            continue;
        }
        let number = match (kind, count) {
            (SHORT, 1) => u32::from(order.u16(&mut value)?),
            (LONG, 1) => order.u32(&mut value)?,
            _ => return None,
        };
        return Orientation::new(u8::try_from(number).ok()?);
    }
    None
}

/// The byte order that the block declares for itself.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) is_little: bool,
}

impl Order {
    pub(crate) fn u16(self, reader: &mut Reader<'_>) -> Option<u16> {
        if self.is_little { reader.u16_le() } else { reader.u16_be() }
    }

    pub(crate) fn u32(self, reader: &mut Reader<'_>) -> Option<u32> {
        if self.is_little { reader.u32_le() } else { reader.u32_be() }
    }

    pub(crate) fn u64(self, reader: &mut Reader<'_>) -> Option<u64> {
        if self.is_little { reader.u64_le() } else { reader.u64_be() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::exif_block;

    fn check(bytes: &[u8], expected: Option<u8>) {
        assert_eq!(orientation(bytes).map(Orientation::get), expected, "{bytes:x?}");
    }

    #[test]
    fn finds_all_eight_and_forgives_damage() {
        for value in 1..=8 {
            check(&exif_block(value, true), Some(value));
            check(&exif_block(value, false), Some(value));
            check(&[b"Exif\0\0", exif_block(value, true).as_slice()].concat(), Some(value));
        }
        let sound = exif_block(6, true);
        for length in 0..18 {
            check(&sound[..length], None);
        }
        let mut far = sound.clone();
        far[4..8].fill(0xFF);
        check(&far, None);
        check(b"II*\0\x08\0\0\0\xFF\xFF", None);
    }
}
