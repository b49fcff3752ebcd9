//! GIF, block by block.

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2C;
const TRAILER: u8 = 0x3B;
const COMMENT: u8 = 0xFE;
const APPLICATION: u8 = 0xFF;

/// Header and logical screen descriptor, in bytes.
const SCREEN_END: usize = 13;

/// The application blocks that decide what is seen: how often to play, and the colour profile.
const KEPT_APPLICATIONS: [&[u8; 11]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

/// The file without what is not seen, up to where it stops making sense; `None` if that is before its first image.
pub(crate) fn stripped(file: &[u8]) -> Option<Vec<u8>> {
    let mut position = SCREEN_END.checked_add(color_table_bytes(*file.get(10)?))?;
    let mut kept = file.get(..position)?.to_vec();
    let mut n_images = 0;
    while let Some((is_kept, is_image, end)) = block_at(file, position) {
        if is_kept {
            kept.extend_from_slice(file.get(position..end)?);
        }
        n_images += usize::from(is_image);
        position = end;
    }
    kept.push(TRAILER);
    Some(kept).filter(|_| n_images > 0)
}

/// The block that begins at `start`: whether it is kept, whether it is an image, and where it ends. `None` at the
/// trailer and at whatever is no whole block.
fn block_at(file: &[u8], start: usize) -> Option<(bool, bool, usize)> {
    match *file.get(start)? {
        EXTENSION => {
            let label = *file.get(start + 1)?;
            let is_kept = match label {
                COMMENT => false,
                APPLICATION => KEPT_APPLICATIONS.iter().any(|name| file.get(start + 3..start + 14) == Some(*name)),
                _ => true,
            };
            Some((is_kept, false, end_of_data(file, start + 2)?))
        }
        IMAGE => {
            let table = color_table_bytes(*file.get(start + 9)?);
            // After the descriptor and its colour table, one byte says how wide the codes are.
            Some((true, true, end_of_data(file, start + 10 + table + 1)?))
        }
        _ => None,
    }
}

/// Bytes of the colour table that the packed field `flags` announces.
fn color_table_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 0x07) + 1) }
}

/// Where the data blocks that begin at `start` end, after their empty last one.
fn end_of_data(file: &[u8], start: usize) -> Option<usize> {
    let mut position = start;
    loop {
        let length = usize::from(*file.get(position)?);
        position += 1 + length;
        if length == 0 {
            return Some(position);
        }
    }
}
