//! The version of this key space, and what is left to know of earlier ones.
//!
//! 1. Listings were logs, counts were counters (`docs/decisions/0006-listings-as-logs.md`). No version was written.
//! 2. Listings are indexes (`docs/decisions/0010-ordered-indexes.md`).

use serde::{Deserialize, Serialize};

use crate::image::{Listing, listing_name};
use crate::shape::{Counter, Document, Key, Log};
use crate::{Id, Millis};

/// The version that this crate describes.
pub const CURRENT: u32 = 2;

/// Which version a store is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The version.
    pub version: u32,
    /// How far it has been brought up to the next version: the position that was looked at last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

/// The version of the store. Absent from a store of the first version, and from one that was never used.
pub fn version() -> Document<Schema> {
    Document::new("schema")
}

/// In the first version: a counter that every store had which was ever used, and no later one has.
pub fn accepted_v1() -> Counter {
    Counter::new("stat:accepted")
}

/// In the first version: what is counted by indexes now.
pub fn counters_v1() -> [Counter; 3] {
    [accepted_v1(), Counter::new("stat:deleted"), Counter::new("stat:bytes")]
}

/// In the first version: an entry of a listing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedV1 {
    /// The image.
    pub id: Id,
    /// When it was listed.
    pub at: Millis,
}

/// In the first version: a listing.
pub fn listing_v1(listing: &Listing) -> Log<ListedV1> {
    Log::new(listing_name(listing))
}

/// In the first version: of an image, what led to its other keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageV1 {
    /// Where it stood in each listing.
    pub places: Vec<PlaceV1>,
}

/// In the first version: a position in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceV1 {
    /// Which listing.
    pub listing: Listing,
    /// The position.
    pub position: u64,
}

/// In the first version: the document of an image.
pub fn image_v1(id: &Id) -> Key<crate::shape::Versioned<ImageV1>> {
    Document::new(format!("image:{id}")).current()
}
