//! WebP, chunk by chunk.

/// Bits of the extended header that announce what is dropped: EXIF and XMP.
const METADATA_FLAGS: u8 = 0b0000_1100;

/// The chunks that decide what is seen, of the file and of a frame.
const KEPT: [&[u8; 4]; 7] = [b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"];
const KEPT_IN_FRAME: [&[u8; 4]; 3] = [b"ALPH", b"VP8 ", b"VP8L"];

/// Bytes of a frame's header, before its own chunks.
const FRAME_HEADER_BYTES: usize = 16;

/// A picture that is one lossy frame, without opacity.
pub(crate) struct OpaqueLossy<'a> {
    /// The frame.
    pub(crate) frame: &'a [u8],
    /// The colour profile.
    pub(crate) profile: Option<&'a [u8]>,
}

/// What is in the file, if it is a whole one of that kind.
pub(crate) fn opaque_lossy(file: &[u8]) -> Option<OpaqueLossy<'_>> {
    let (mut frame, mut profile) = (None, None);
    for chunk in chunks(file)? {
        match chunk? {
            (b"VP8 ", data) => frame = frame.or(Some(data)),
            (b"ICCP", data) => profile = profile.or(Some(data)),
            (b"ANIM" | b"ANMF" | b"ALPH" | b"VP8L", _) => return None,
            _ => {}
        }
    }
    frame.map(|frame| OpaqueLossy { frame, profile })
}

/// The chunks of a file.
fn chunks(file: &[u8]) -> Option<Chunks<'_>> {
    let size = u32::from_le_bytes(*file.strip_prefix(b"RIFF")?.first_chunk()?);
    file.get(8..usize::try_from(size).ok()?.checked_add(8)?)?.strip_prefix(b"WEBP").map(Chunks)
}

/// The file without what is not seen; `None` where it stops making sense before its end.
pub(crate) fn stripped(file: &[u8]) -> Option<Vec<u8>> {
    let mut kept = b"WEBP".to_vec();
    for chunk in chunks(file)? {
        let (name, data) = chunk?;
        if !KEPT.contains(&name) {
            continue;
        }
        match name {
            b"VP8X" => {
                let mut data = data.to_vec();
                *data.first_mut()? &= !METADATA_FLAGS;
                push_chunk(&mut kept, name, &data)?;
            }
            b"ANMF" => push_chunk(&mut kept, name, &stripped_frame(data)?)?,
            _ => push_chunk(&mut kept, name, data)?,
        }
    }
    let size = u32::try_from(kept.len()).ok()?;
    Some([b"RIFF".as_slice(), &size.to_le_bytes(), &kept].concat())
}

fn stripped_frame(frame: &[u8]) -> Option<Vec<u8>> {
    let (header, contents) = frame.split_at_checked(FRAME_HEADER_BYTES)?;
    let mut kept = header.to_vec();
    for chunk in Chunks(contents) {
        let (name, data) = chunk?;
        if KEPT_IN_FRAME.contains(&name) {
            push_chunk(&mut kept, name, data)?;
        }
    }
    Some(kept)
}

fn push_chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) -> Option<()> {
    file.extend_from_slice(name);
    file.extend_from_slice(&u32::try_from(data.len()).ok()?.to_le_bytes());
    file.extend_from_slice(data);
    if data.len() % 2 == 1 {
        file.push(0);
    }
    Some(())
}

/// Names and data of chunks one after the other; `None` and then the end where one is cut off.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = Option<(&'a [u8; 4], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let chunk = split_chunk(self.0);
        self.0 = chunk.map_or(&[], |(.., rest)| rest);
        Some(chunk.map(|(name, data, _)| (name, data)))
    }
}

type Chunk<'a> = (&'a [u8; 4], &'a [u8], &'a [u8]);

fn split_chunk(bytes: &[u8]) -> Option<Chunk<'_>> {
    let (name, rest) = bytes.split_first_chunk::<4>()?;
    let (size, rest) = rest.split_first_chunk::<4>()?;
    let (data, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*size)).ok()?)?;
    // The byte that makes the length even may be missing at the very end.
    let rest = if data.len() % 2 == 1 { rest.get(1..).unwrap_or_default() } else { rest };
    Some((name, data, rest))
}
