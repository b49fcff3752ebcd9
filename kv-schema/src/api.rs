//! Keys behind the API itself: answers kept for `Idempotency-Key`.

use serde::{Deserialize, Serialize};

use crate::shape::{Counter, Key, Log};
use crate::{Id, Millis, key_text};

/// What is kept of a write that carried an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// SHA-256 of the request (route and body), hex.
    pub request: String,
    /// The id that the thing made by this write has or will have: a second run after a crash makes the same thing.
    pub id: Id,
    /// When the write began.
    pub at: Millis,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
}

/// A kept answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Location`, where there was one.
    pub location: Option<String>,
    /// `Content-Type`.
    pub content_type: String,
    /// The body, JSON.
    pub body: String,
}

/// What is remembered under a key. `digest` is the hex SHA-256 of scope and key.
pub fn remembered(digest: &str) -> Key<Remembered> {
    Key::new(format!("idempotency:{digest}"))
}

/// Whoever increments this to 1 runs the write; `round` counts those before that came to nothing.
pub fn running(digest: &str, round: u32) -> Counter {
    Counter::new(format!("idempotency:{digest}:run:{round}"))
}

/// How many of a kind of heavy request were let in by a replica, and are still at work, of those that came in one
/// window of time. Deleted when the window is long over.
pub fn admitted(kind: &str, replica: &str, window: u64) -> Counter {
    Counter::new(format!("admitted:{kind}:{}:{window}", key_text(replica)))
}

/// Digests in the order of their arrival, so that old ones can be dropped.
pub fn remembered_log() -> Log<RememberedAt> {
    Log::new("idempotency-log")
}

/// An entry of [`remembered_log`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RememberedAt {
    /// The digest.
    pub digest: String,
    /// When.
    pub at: Millis,
}

/// Everything up to and with this position of [`remembered_log`] is dropped.
pub fn forgotten() -> Key<u64> {
    Key::new("idempotency-low")
}
