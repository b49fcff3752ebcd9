//! Keys of work: a queue for each context that works, and what a job of it says.

use serde::{Deserialize, Serialize};

use crate::Id;
use crate::asset::Failure;
use crate::content::BlobId;
use crate::shape::Queue;

/// What `ingest` has to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum IngestJob {
    /// Download an asset's source and store it.
    Acquire {
        /// The asset.
        asset: Id,
    },
    /// The image of an asset can be seen, or can never be: say so.
    Settle {
        /// The asset.
        asset: Id,
        /// The content this is about; another one by now makes the job void.
        blob: BlobId,
        /// Why it failed; none when it is ready.
        failure: Option<Failure>,
    },
    /// Try failed assets again, the next below `before`.
    RetryFailed {
        /// The last asset that was looked at; none at the beginning.
        before: Option<Id>,
    },
    /// An asset was deleted: let go of its bytes.
    Purge {
        /// The asset.
        asset: Id,
    },
}

/// What `resize` has to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ResizeJob {
    /// Decode an original once; make its rungs, its presets, its placeholder.
    Derive {
        /// On behalf of this asset.
        asset: Id,
        /// The original.
        blob: BlobId,
    },
    /// Make a variant that nobody was to wait for.
    Refine {
        /// The original.
        blob: BlobId,
        /// What to make of it: the canonical spelling of the resolved transform.
        plan: String,
        /// The window of time in which it was ordered.
        window: u64,
    },
    /// An original is gone: delete all that was made of it.
    Forget {
        /// The original.
        blob: BlobId,
    },
}

/// What `retrieve` has to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RetrieveJob {
    /// An asset changed: bring its image up to date.
    Project {
        /// The asset.
        asset: Id,
    },
    /// A category moved or was deleted: bring the images below it up to date.
    Recategorise {
        /// The category.
        category: Id,
    },
    /// Project the next assets of a rebuild.
    Rebuild {
        /// The rebuild.
        rebuild: Id,
        /// Whether it has come to the deleted assets.
        is_deleted: bool,
        /// It has come down to this asset; none at a beginning.
        before: Option<Id>,
    },
}

/// The jobs of `ingest`.
pub fn ingest() -> Queue<IngestJob> {
    Queue::new("job:ingest")
}

/// The jobs of `resize`.
pub fn resize() -> Queue<ResizeJob> {
    Queue::new("job:resize")
}

/// The jobs of `retrieve`.
pub fn retrieve() -> Queue<RetrieveJob> {
    Queue::new("job:retrieve")
}
