//! Keys of images, the read model. Written by `retrieve` alone, and can be made again from assets at any time.

use serde::{Deserialize, Serialize};

use crate::asset::Details;
use crate::content::{BlobId, Derived};
use crate::shape::{Document, Log};
use crate::{Id, Millis, key_text};

/// An image as people see it, or what is left of a deleted one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Its id, which is also its asset's.
    pub id: Id,
    /// The version of the asset that this was made from.
    pub asset_version: u64,
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
    /// When it was last projected with a change.
    pub updated_at: Millis,
    /// Where it stands in each listing. A listing's entry counts only if it is named here.
    pub places: Vec<Place>,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Millis>,
}

/// A position in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which listing.
    pub listing: Listing,
    /// The position.
    pub position: u64,
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
    /// The entries of this listing, oldest first.
    pub fn log(&self) -> Log<Listed> {
        Log::new(match self {
            Self::All => "list:all".to_owned(),
            Self::Category(id) => format!("list:category:{id}"),
            Self::Tree(id) => format!("list:tree:{id}"),
            Self::Tag(tag) => format!("list:tag:{}", key_text(tag)),
        })
    }
}

/// An entry of a listing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// The image.
    pub id: Id,
    /// When it was listed, which is the order of the log.
    pub at: Millis,
}

/// The document of an image.
pub fn document(id: &Id) -> Document<Image> {
    Document::new(format!("image:{id}"))
}
