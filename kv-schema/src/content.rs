//! Keys of bytes: originals by their SHA-256 (`ingest`), and what is made of them (`resize`).
//!
//! The bytes of an original are stored once for each *generation* of its hash. A generation ends when its last
//! reference goes: the counter [`generation`] moves on, and whoever brings the same bytes later starts the next one.
//! So nobody can link to bytes that are being deleted. `docs/decisions/0005-blob-generations.md` has the argument.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::shape::{Counter, Index, Key, Log, Object};
use crate::{Id, Millis};

/// Names stored bytes: their hash and the generation they were stored in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobId {
    /// SHA-256 of the bytes, 64 hex digits in lower case.
    pub sha256: String,
    /// Which generation of these bytes; the first is 0.
    pub generation: u64,
}

impl BlobId {
    /// As it stands in keys and internal URLs: `{sha256}.{generation}`.
    pub fn text(&self) -> String {
        format!("{}.{}", self.sha256, self.generation)
    }

    /// The inverse of [`BlobId::text`].
    pub fn parse(text: &str) -> Option<Self> {
        let (sha256, generation) = text.split_once('.')?;
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let blob = Self { sha256: sha256.to_owned(), generation: generation.parse().ok()? };
        (is_hash && blob.text() == text).then_some(blob)
    }
}

/// That bytes are stored whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Blob {
    /// Length in bytes.
    pub bytes: u64,
    /// Media type by content.
    pub mime: String,
    /// When the last byte was stored.
    pub stored_at: Millis,
}

/// What `resize` found and made when it first decoded an original.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Derived {
    /// Media type of the original.
    pub mime: String,
    /// Width in pixels, upright.
    pub width: u32,
    /// Height in pixels, upright.
    pub height: u32,
    /// Whether a pixel may be see-through.
    pub has_alpha: bool,
    /// How many frames the original has.
    pub frames: u32,
    /// ThumbHash (<https://evanw.github.io/thumbhash/>), base64.
    pub thumbhash: String,
    /// `#rrggbb`.
    pub dominant_color: String,
    /// The sizes of the stored rungs, width and height in pixels, largest first.
    pub rungs: Vec<(u32, u32)>,
    /// The plans of the variants that were made at the same time: the presets of then.
    pub variants: Vec<String>,
}

/// How many generations of these bytes have ended; the number is also the generation that takes new references.
pub fn generation(sha256: &str) -> Counter {
    Counter::new(format!("content:{sha256}:generation"))
}

/// Written when the bytes are stored whole, deleted first when they go.
pub fn blob(id: &BlobId) -> Key<Blob> {
    Key::new(format!("blob:{}", id.text()))
}

/// The bytes of an original.
pub fn original(id: &BlobId) -> Object {
    Object::new(format!("blob:{}:data", id.text()))
}

/// The assets that refer to a blob. An entry counts while its asset's document says the same.
pub fn references(id: &BlobId) -> Log<Id> {
    Log::new(format!("blob:{}:ref", id.text()))
}

/// What was found at the first decoding. Present: the rungs and the presets of that time are stored.
pub fn derived(id: &BlobId) -> Key<Derived> {
    Key::new(format!("derived:{}", id.text()))
}

/// A smaller copy of the whole picture, from which other sizes are made.
pub fn rung(id: &BlobId, width: u32, height: u32) -> Object {
    Object::new(format!("rung:{}:{width}x{height}", id.text()))
}

/// The longest plan that is part of a key as it is, in bytes.
const LONGEST_PLAN: usize = 150;

/// A stored rendering. `plan` is the canonical spelling of the resolved transform; of a long one the key has the
/// SHA-256.
pub fn variant(id: &BlobId, plan: &str) -> Object {
    if plan.len() <= LONGEST_PLAN {
        return Object::new(format!("variant:{}:{plan}", id.text()));
    }
    let hash = Sha256::digest(plan).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Object::new(format!("variant:{}:{hash}", id.text()))
}

/// The plans of the variants that were made of a blob on request, so that they can go with it.
pub fn products(id: &BlobId) -> Log<String> {
    Log::new(format!("product:{}", id.text()))
}

/// How many renderings were made.
pub fn renders() -> Counter {
    Counter::new("stat:renders")
}

/// Every stored blob, by its text; the weight is its length in bytes.
pub fn blobs() -> Index {
    Index::new("blobs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blob_id_parses_only_what_it_formats() {
        let id = BlobId { sha256: "ab".repeat(32), generation: 3 };
        assert_eq!(BlobId::parse(&id.text()), Some(id.clone()));
        for text in [
            "",
            "ab.0",
            &format!("{}.03", id.sha256),
            &format!("{}.-1", id.sha256),
            &format!("{}.1", "AB".repeat(32)),
            &format!("{}.1/..", id.sha256),
        ] {
            assert_eq!(BlobId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_longest_variant_key_fits() {
        let id = BlobId { sha256: "a".repeat(64), generation: u64::from(u32::MAX) };
        for length in [LONGEST_PLAN, LONGEST_PLAN + 1, 512] {
            let key = variant(&id, &"p".repeat(length));
            assert!(key.chunk(999).len() <= crate::MAX_KEY_BYTES);
            assert!(key.take(1 << 40).name().len() <= crate::MAX_KEY_BYTES);
            assert!(key.order(1 << 40).name().len() <= crate::MAX_KEY_BYTES);
        }
        assert_ne!(variant(&id, &"p".repeat(511)).head(), variant(&id, &"p".repeat(512)).head());
    }
}
