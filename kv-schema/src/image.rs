//! Keys of images, the read model. Written by `retrieve` alone, and can be made again from assets at any time.

use serde::{Deserialize, Serialize};

use crate::asset::Details;
use crate::content::{BlobId, Derived};
use crate::shape::{Document, Index, Key};
use crate::{Id, Millis, key_text};

/// What `retrieve` has made of an asset: a function of the asset, of what was derived from its bytes and of the
/// categories, so that it comes out the same however often it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// The asset's image can be seen.
    Shown(Box<Image>),
    /// The asset was deleted.
    Deleted {
        /// When.
        at: Millis,
    },
}

/// An image as people see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Its id, which is also its asset's.
    pub id: Id,
    /// What people say of it. `category` is where it is now, after any reassignment.
    pub details: Details,
    /// The original.
    pub blob: BlobId,
    /// Length of the original in bytes.
    pub bytes: u64,
    /// What the pixels are.
    pub derived: Derived,
    /// When its asset was accepted.
    pub created_at: Millis,
    /// When its details were last changed.
    pub updated_at: Millis,
    /// Where it is listed. An entry of a listing counts only if that is named here.
    pub listings: Vec<Listing>,
}

/// A listing that images appear in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// Every image.
    All,
    /// The images of a category itself.
    Category(Id),
    /// The images of a category and of all below it.
    Tree(Id),
    /// The images with a tag.
    Tag(String),
}

impl Listing {
    /// The ids of the images in this listing, which are in the order of their making.
    pub fn index(&self) -> Index {
        Index::new(listing_name(self))
    }
}

/// The prefix of a listing's keys.
pub(crate) fn listing_name(listing: &Listing) -> String {
    match listing {
        Listing::All => "list:all".to_owned(),
        Listing::Category(id) => format!("list:category:{id}"),
        Listing::Tree(id) => format!("list:tree:{id}"),
        Listing::Tag(tag) => format!("list:tag:{}", key_text(tag)),
    }
}

/// The document of an image.
pub fn document(id: &Id) -> Document<Projection> {
    Document::new(format!("image:{id}"))
}

/// Every listing that an image may stand in: where it does, and where a process that died may have put it. Written
/// before an entry is made, sorted.
pub fn listed(id: &Id) -> Key<Vec<Listing>> {
    Key::new(format!("image:{id}:listed"))
}

/// A rebuild of the read model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rebuild {
    /// Its id.
    pub id: Id,
    /// Whether it runs.
    pub state: RebuildState,
    /// Assets that were projected.
    pub done: u64,
    /// Assets that there were when it began.
    pub total: u64,
    /// When it last came on.
    pub updated_at: Millis,
}

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuildState {
    /// Under way.
    Running,
    /// At its end.
    Done,
}

/// The last rebuild.
pub fn rebuild() -> Document<Rebuild> {
    Document::new("rebuild")
}
