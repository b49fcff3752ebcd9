//! Keys of assets, the write model. Written by `ingest` alone; `retrieve` reads the documents to project them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::shape::{Document, Index, Key};
use crate::{Id, Millis};

/// What was given to the platform, and how far it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asset {
    /// Its id, which is also the id of its image.
    pub id: Id,
    /// Where the bytes come from.
    pub source: Source,
    /// How far it has come.
    pub state: State,
    /// Each state it went through and when, oldest first.
    pub history: Vec<Step>,
    /// How often the source was asked.
    pub attempts: u32,
    /// Why it failed, while it is failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// What is shown to people.
    pub details: Details,
    /// The stored bytes, once there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// The trace of the request that it began with, as a `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// When it was accepted: the time in its id.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
    /// When its details were last changed.
    #[serde(default)]
    pub edited_at: Millis,
    /// When it was deleted. The document stays as a tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Millis>,
}

/// Where an asset's bytes come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Source {
    /// Downloaded.
    Url {
        /// As it was given.
        url: String,
    },
    /// Sent in the request.
    Upload,
}

/// How far an asset has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Written down, nothing done.
    Accepted,
    /// The source is being asked.
    Downloading,
    /// The original is stored, its sizes are being made.
    Processing,
    /// The image can be seen.
    Ready,
    /// Given up; [`Asset::error`] says why.
    Failed,
}

impl State {
    /// As in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Downloading => "downloading",
            Self::Processing => "processing",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

/// A state and when it was entered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The state.
    pub state: State,
    /// Since when.
    pub at: Millis,
}

/// Why an asset failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable, kebab-case, as `source-timeout`.
    pub code: String,
    /// For people.
    pub detail: String,
    /// The limit that was passed, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// What was found, where a limit was passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<u64>,
}

/// What people say of an image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// The category it was put in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Id>,
    /// A title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it shows, for those who can't see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
    /// Tags, sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The caller's own names and values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// The stored original of an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// Which bytes.
    pub blob: crate::content::BlobId,
    /// Where this asset stands in the blob's list of references.
    pub reference: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// Media type by content, as `image/jpeg`.
    pub mime: String,
    /// Width in pixels, upright.
    pub width: u32,
    /// Height in pixels, upright.
    pub height: u32,
}

/// The document of an asset.
pub fn document(id: &Id) -> Document<Asset> {
    Document::new(format!("asset:{id}"))
}

/// Bytes that an asset was ever linked to: those it has, and those that a process which died in between left behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linked {
    /// Which bytes.
    pub blob: crate::content::BlobId,
    /// How many, in bytes.
    pub bytes: u64,
}

/// Every blob that an asset was ever linked to, written together with the reference to it.
pub fn linked(id: &Id) -> Key<Vec<Linked>> {
    Key::new(format!("asset:{id}:linked"))
}

/// The ids of the assets that are not deleted.
pub fn all() -> Index {
    Index::new("assets:all")
}

/// Those of them that failed.
pub fn failed() -> Index {
    Index::new("assets:failed")
}

/// The ids of the assets that were deleted.
pub fn deleted() -> Index {
    Index::new("assets:deleted")
}
