//! PNG, chunk by chunk.

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The chunks that decide what is seen; all others are dropped.
const KEPT: [&[u8; 4]; 18] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV",
    b"cLLI", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

/// The file without what is not seen; `None` where it stops making sense before its end.
pub(crate) fn stripped(file: &[u8]) -> Option<Vec<u8>> {
    let mut rest = file.strip_prefix(SIGNATURE)?;
    let mut kept = SIGNATURE.to_vec();
    loop {
        let length = u32::from_be_bytes(*rest.first_chunk()?);
        // Length, name and checksum take twelve bytes more.
        let (chunk, after) = rest.split_at_checked(usize::try_from(length).ok()?.checked_add(12)?)?;
        let name = chunk.get(4..8)?;
        if KEPT.iter().any(|kept| kept.as_slice() == name) {
            kept.extend_from_slice(chunk);
        }
        if name == b"IEND" {
            return Some(kept);
        }
        rest = after;
    }
}
