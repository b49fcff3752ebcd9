//! Bytes of any size in a store of small values: chunks first, the head last, so that a head is always whole.

use std::ops::Range;

use kv_schema::MAX_VALUE_BYTES;
use kv_schema::shape::{Object, ObjectHead};
use twox_hash::XxHash3_128;

use crate::{Store, StoreError};

/// Bytes of an object in one chunk.
pub const CHUNK: usize = MAX_VALUE_BYTES;

/// Bytes kept free in the head's value for the head itself.
const HEAD_ROOM: usize = 1024;

/// Chunks written in one call, about 4 MB.
const CHUNKS_AT_ONCE: usize = 10;

/// A head and the bytes that came with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// What the object is.
    pub head: ObjectHead,
    /// Its first `head.inline` bytes.
    pub first: Vec<u8>,
}

/// What is said of an object when it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Media type.
    pub mime: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// The strong entity tag of `bytes`: their XXH3 of 128 bits, in hex. It tells versions of a picture apart; against bytes
/// that are made to be taken for others it need not stand, which SHA-256 would at ten times the cost.
pub fn etag(bytes: &[u8]) -> String {
    hex(&XxHash3_128::oneshot(bytes).to_be_bytes())
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes an object. Writing the same bytes again changes nothing.
///
/// # Errors
/// [`StoreError::Unavailable`]; the object does not exist then.
pub async fn put(
    store: &impl Store,
    object: &Object,
    description: Description,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let mut entries = entries(object, description, bytes)?;
    while entries.len() > CHUNKS_AT_ONCE {
        let later = entries.split_off(CHUNKS_AT_ONCE);
        store.set_many(std::mem::replace(&mut entries, later)).await?;
    }
    store.set_many(entries).await
}

/// The keys and values that make up an object, its head last, for a caller who writes them with other things.
///
/// # Errors
/// [`StoreError::Damaged`] for a description that is too long.
pub fn entries(object: &Object, description: Description, bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let (inline, rest) = bytes.split_at(bytes.len().min(CHUNK - HEAD_ROOM));
    let head = head_of(description, bytes, inline.len());
    let chunks = rest.chunks(CHUNK).zip(0..).map(|(chunk, index)| (object.chunk(index), chunk.to_vec()));
    let mut entries: Vec<_> = chunks.collect();
    entries.push((object.head().to_owned(), encode_head(object, &head, inline)?));
    Ok(entries)
}

/// An object in one piece of any length, for a caller who hands it on before it is stored; [`unpack`] reads it.
///
/// # Errors
/// As [`entries`].
pub fn pack(object: &Object, description: Description, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    encode_head(object, &head_of(description, bytes, bytes.len()), bytes)
}

/// The inverse of [`pack`].
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn unpack(object: &Object, packed: Vec<u8>) -> Result<Opened, StoreError> {
    decode_head(object.head(), packed)
}

fn head_of(description: Description, bytes: &[u8], inline: usize) -> ObjectHead {
    let Description { mime, width, height } = description;
    let (length, inline) = (bytes.len() as u64, inline as u64);
    ObjectHead { bytes: length, etag: etag(bytes), inline, mime, width, height, is_original: false }
}

/// The key and value of an object that stands for the original: it has no bytes of its own.
///
/// # Errors
/// [`StoreError::Damaged`] for a description that is too long.
pub fn stand_in(object: &Object, original: &ObjectHead) -> Result<(String, Vec<u8>), StoreError> {
    let head = ObjectHead { bytes: 0, inline: 0, is_original: true, ..original.clone() };
    Ok((object.head().to_owned(), encode_head(object, &head, &[])?))
}

fn encode_head(object: &Object, head: &ObjectHead, inline: &[u8]) -> Result<Vec<u8>, StoreError> {
    let damaged = |reason: String| StoreError::Damaged { key: object.head().to_owned(), reason };
    let json = serde_json::to_vec(head).map_err(|error| damaged(error.to_string()))?;
    let length = u16::try_from(json.len()).map_err(|_| damaged("the head is too long".to_owned()))?;
    let mut value = Vec::with_capacity(2 + json.len() + inline.len());
    value.extend_from_slice(&length.to_le_bytes());
    value.extend_from_slice(&json);
    value.extend_from_slice(inline);
    Ok(value)
}

/// Reads an object's head and its first bytes.
///
/// # Errors
/// [`StoreError::Unavailable`]; [`StoreError::Damaged`].
pub async fn open(store: &impl Store, object: &Object) -> Result<Option<Opened>, StoreError> {
    store.get(object.head()).await?.map(|value| decode_head(object.head(), value)).transpose()
}

fn decode_head(key: &str, mut value: Vec<u8>) -> Result<Opened, StoreError> {
    let damaged = |reason: &str| StoreError::Damaged { key: key.to_owned(), reason: reason.to_owned() };
    let length = value.first_chunk::<2>().map(|bytes| usize::from(u16::from_le_bytes(*bytes)));
    let json = length.and_then(|length| value.get(2..2 + length)).ok_or_else(|| damaged("no head"))?;
    let head: ObjectHead = serde_json::from_slice(json).map_err(|error| damaged(&error.to_string()))?;
    value.drain(..2 + json.len());
    if head.inline != value.len() as u64 || head.inline > head.bytes {
        return Err(damaged("the head does not fit its bytes"));
    }
    Ok(Opened { head, first: value })
}

/// The pieces of an opened object that make up `range` (bytes from its start), in order: what to cut from each.
pub fn pieces(head: &ObjectHead, range: Range<u64>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let inline = range.start.min(head.inline)..range.end.min(head.inline);
    if !inline.is_empty() {
        pieces.push(Piece { chunk: None, range: as_usize(inline) });
    }
    let chunk = CHUNK as u64;
    let mut position = range.start.max(head.inline);
    while position < range.end {
        let offset = position - head.inline;
        let index = offset / chunk;
        let end = range.end.min(head.inline + (index + 1) * chunk);
        let start = offset % chunk;
        pieces.push(Piece { chunk: Some(index), range: as_usize(start..start + (end - position)) });
        position = end;
    }
    pieces
}

fn as_usize(range: Range<u64>) -> Range<usize> {
    // Both ends lie inside one value of the store, which is far below 4 GiB.
    range.start as usize..range.end as usize
}

/// A part of one stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Which chunk; none for the bytes in the head.
    pub chunk: Option<u64>,
    /// Which bytes of it.
    pub range: Range<usize>,
}

/// Reads one chunk.
///
/// # Errors
/// [`StoreError::Damaged`] if it is missing or not as long as `at_least`.
pub async fn chunk(store: &impl Store, object: &Object, index: u64, at_least: usize) -> Result<Vec<u8>, StoreError> {
    let key = object.chunk(index);
    let bytes = store.get(&key).await?.unwrap_or_default();
    if bytes.len() < at_least {
        return Err(StoreError::Damaged { key, reason: "the chunk is missing or short".to_owned() });
    }
    Ok(bytes)
}

/// Reads a whole object into memory. `expected` bytes at most; callers know the size from the document that led here.
///
/// # Errors
/// As [`open`] and [`chunk`].
pub async fn read(store: &impl Store, object: &Object) -> Result<Option<(ObjectHead, Vec<u8>)>, StoreError> {
    let Some(opened) = open(store, object).await? else { return Ok(None) };
    let Opened { head, first: mut bytes } = opened;
    for piece in pieces(&head, head.inline..head.bytes) {
        let Some(index) = piece.chunk else { continue };
        let next = chunk(store, object, index, piece.range.end).await?;
        bytes.extend_from_slice(&next[piece.range]);
    }
    Ok(Some((head, bytes)))
}

/// Deletes an object: the head first, so that nobody finds it half there.
///
/// # Errors
/// [`StoreError::Unavailable`]; doing it again finishes it while `bytes` is known.
pub async fn delete(store: &impl Store, object: &Object, bytes: u64) -> Result<(), StoreError> {
    crate::delete(store, object.head()).await?;
    // The head takes at least CHUNK - HEAD_ROOM of them; one more chunk than can exist is no error.
    let n_chunks = bytes.div_ceil(CHUNK as u64);
    let keys: Vec<String> = (0..n_chunks).map(|index| object.chunk(index)).collect();
    if keys.is_empty() { Ok(()) } else { store.delete_many(&keys).await }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use kv_schema::content::{self, BlobId};

    use super::*;
    use crate::memory::MemoryStore;

    fn object() -> Object {
        content::original(&BlobId { sha256: "a".repeat(64), generation: 0 })
    }

    fn description() -> Description {
        Description { mime: "image/png".to_owned(), width: 1, height: 1 }
    }

    #[test]
    fn reads_back_what_was_written_at_every_awkward_size() {
        let edge = CHUNK - HEAD_ROOM;
        for length in [0, 1, edge - 1, edge, edge + 1, edge + CHUNK, edge + CHUNK + 1, 12 * CHUNK + 5] {
            let store = MemoryStore::default();
            let bytes: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
            block_on(put(&store, &object(), description(), &bytes)).unwrap();
            let (head, read) = block_on(read(&store, &object())).unwrap().unwrap();
            assert!(read == bytes, "{length} bytes came back as {}", read.len());
            assert_eq!(head.bytes, length as u64);
            block_on(delete(&store, &object(), head.bytes)).unwrap();
            assert_eq!(store.keys(""), Vec::<String>::new());
        }
    }

    #[test]
    fn a_small_object_is_one_read() {
        let store = MemoryStore::default();
        block_on(put(&store, &object(), description(), &[7; 20_000])).unwrap();
        store.take_operations();
        block_on(read(&store, &object())).unwrap().unwrap();
        assert_eq!(store.take_operations().reads, 1);
    }

    #[test]
    fn pieces_cover_any_range() {
        let head = ObjectHead {
            bytes: 3 * CHUNK as u64,
            etag: String::new(),
            inline: 100,
            mime: String::new(),
            width: 1,
            height: 1,
            is_original: false,
        };
        let chunk = CHUNK as u64;
        type Expected = &'static [(Option<u64>, Range<usize>)];
        let cases: [(Range<u64>, Expected); 5] = [
            (0..100, &[(None, 0..100)]),
            (50..150, &[(None, 50..100), (Some(0), 0..50)]),
            (100 + chunk - 1..100 + chunk + 1, &[(Some(0), CHUNK - 1..CHUNK), (Some(1), 0..1)]),
            (100..100, &[]),
            (10..11, &[(None, 10..11)]),
        ];
        for (range, expected) in cases {
            let found: Vec<_> = pieces(&head, range).into_iter().map(|piece| (piece.chunk, piece.range)).collect();
            assert_eq!(found, expected);
        }
    }
}
