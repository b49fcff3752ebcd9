//! Keys of the category tree. Written by `category`; `ingest` and `retrieve` read the documents.

use serde::{Deserialize, Serialize};

use crate::shape::{Document, Log};
use crate::{Id, Millis, key_text};

/// A category, or what is left of a deleted one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// Its id.
    pub id: Id,
    /// The name as its author wrote it.
    pub name: String,
    /// The name in a URL; unique among the children of a parent.
    pub slug: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The category above; none for a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Id>,
    /// Where it stands in the parent's list of children.
    pub child_position: u64,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
    /// Set once it is deleted. The document stays, so that what points here can be led on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deleted>,
}

/// The end of a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deleted {
    /// When.
    pub at: Millis,
    /// Where its images went; none if it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reassigned_to: Option<Id>,
}

/// Who holds a slug under a parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlugHolder {
    /// The category; none when the slug is free again.
    pub category: Option<Id>,
    /// When it was taken. A holder that never wrote its category is void after a while.
    pub at: Millis,
}

/// The document of a category.
pub fn document(id: &Id) -> Document<Category> {
    Document::new(format!("category:{id}"))
}

/// The one place that says who holds `slug` below `parent` (none: among the roots).
pub fn slug(parent: Option<&Id>, slug: &str) -> Document<SlugHolder> {
    Document::new(format!("category-slug:{}:{}", parent.map_or("root", Id::as_str), key_text(slug)))
}

/// The children of `parent` (none: the roots), in the order of their making.
pub fn children(parent: Option<&Id>) -> Log<Id> {
    Log::new(format!("category-children:{}", parent.map_or("root", Id::as_str)))
}
