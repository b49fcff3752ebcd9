//! The shapes that keys come in: a value, a counter, a document with versions, a log, an ordered index, a queue, an
//! object of bytes.
//!
//! A shape says how keys lie under a prefix and which type is behind each. What is done with them is `store`'s.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::Millis;

/// One key with a JSON value of type `T` behind it.
#[derive(Debug)]
pub struct Key<T> {
    name: String,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), value: PhantomData }
    }

    /// The key as the store sees it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// One key with a number behind it that is only ever changed by an atomic increment.
#[derive(Debug, Clone)]
pub struct Counter(String);

impl Counter {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The key as the store sees it.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// A document that more than one writer may change: each version is written by whoever claimed it.
#[derive(Debug)]
pub struct Document<T> {
    prefix: String,
    value: PhantomData<fn() -> T>,
}

/// What lies behind a [`Document`]'s key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Versioned<T> {
    /// 1 for the first version, one more with each write.
    pub version: u64,
    /// The document.
    pub value: T,
}

impl<T> Document<T> {
    pub(crate) fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), value: PhantomData }
    }

    /// The document itself.
    pub fn current(&self) -> Key<Versioned<T>> {
        Key::new(self.prefix.clone())
    }

    /// Whoever increments this to 1 may write `version`. `round` counts the claimants before that came to nothing.
    pub fn claim(&self, version: u64, round: u32) -> Counter {
        Counter::new(format!("{}:claim:{version}:{round}", self.prefix))
    }
}

/// An append-only list: positions count from 1, a removed entry leaves a tombstone.
#[derive(Debug, Clone)]
pub struct Log<T> {
    prefix: String,
    value: PhantomData<fn() -> T>,
}

/// What lies at a position of a [`Log`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry<T> {
    /// An entry.
    Live(T),
    /// The entry was removed. Every position down to and without `below` is removed too.
    Dead {
        /// The next lower position that may hold a live entry; 0 when there is none.
        below: u64,
    },
}

impl<T> Log<T> {
    pub(crate) fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), value: PhantomData }
    }

    /// The highest position given out.
    pub fn length(&self) -> Counter {
        Counter::new(format!("{}:len", self.prefix))
    }

    /// How many entries were removed.
    pub fn removed(&self) -> Counter {
        Counter::new(format!("{}:removed", self.prefix))
    }

    /// The entry at `position`.
    pub fn entry(&self, position: u64) -> Key<Entry<T>> {
        Key::new(format!("{}:{position}", self.prefix))
    }
}

/// An ordered set of short texts, each with a weight: a B-tree whose nodes are never changed, only replaced. The root
/// is a document, so that every change of the set is one version of it.
#[derive(Debug, Clone)]
pub struct Index {
    prefix: String,
}

/// The root of an [`Index`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRoot {
    /// The topmost node. A small index has no other.
    pub top: IndexNode,
    /// The number that the next new node gets.
    pub next: u64,
    /// Nodes that this version has replaced: deleted before the next one is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<u64>,
}

/// A node of an [`Index`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexNode {
    /// Entries, in their order.
    Leaf(Vec<IndexEntry>),
    /// Nodes below, in their order.
    Branch(Vec<IndexChild>),
}

impl Default for IndexNode {
    fn default() -> Self {
        Self::Leaf(Vec::new())
    }
}

/// An entry of an [`Index`]: the text it stands under, and its weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry(pub String, pub u64);

/// What a branch of an [`Index`] says of a node below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexChild {
    /// The first text that may stand below this node. Of a first child it says nothing.
    pub first: String,
    /// The node.
    pub node: u64,
    /// Entries below it.
    pub count: u64,
    /// The sum of their weights.
    pub weight: u64,
}

impl Index {
    pub(crate) fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The document that holds the topmost node.
    pub fn root(&self) -> Document<IndexRoot> {
        Document::new(self.prefix.clone())
    }

    /// A node below the topmost one.
    pub fn node(&self, number: u64) -> Key<IndexNode> {
        Key::new(format!("{}:n:{number}", self.prefix))
    }

    /// The prefix, which names the index.
    pub fn name(&self) -> &str {
        &self.prefix
    }
}

/// A log of jobs with done marks and a low-water mark.
#[derive(Debug)]
pub struct Queue<T> {
    prefix: String,
    value: PhantomData<fn() -> T>,
}

/// What lies at a position of a [`Queue`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job<T> {
    /// To be done.
    Open {
        /// When the job was written.
        at: Millis,
        /// What is to be done.
        task: T,
    },
    /// Done, or given up: nothing is left to do.
    Done {
        /// When the job was written.
        at: Millis,
    },
}

/// How far an open job has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The number of the attempt that was last taken; the first is 1.
    pub number: u32,
    /// Whoever took it has it until then, unless the lease is renewed.
    pub lease_until: Millis,
    /// Not to be taken before: the backoff after a failed attempt.
    pub not_before: Millis,
}

impl<T> Queue<T> {
    pub(crate) fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), value: PhantomData }
    }

    /// The highest position given out.
    pub fn length(&self) -> Counter {
        Counter::new(format!("{}:len", self.prefix))
    }

    /// Every job up to and with this position is done and deleted.
    pub fn low(&self) -> Key<u64> {
        Key::new(format!("{}:low", self.prefix))
    }

    /// The job at `position`.
    pub fn job(&self, position: u64) -> Key<Job<T>> {
        Key::new(format!("{}:{position}", self.prefix))
    }

    /// How far the job at `position` has come; absent until its first attempt.
    pub fn attempt(&self, position: u64) -> Key<Attempt> {
        Key::new(format!("{}:{position}:attempt", self.prefix))
    }

    /// Whoever increments this to 1 has taken attempt `number` of the job at `position`.
    pub fn take(&self, position: u64, number: u32) -> Counter {
        Counter::new(format!("{}:{position}:take:{number}", self.prefix))
    }

    /// One of the slots that bound how many drivers work this queue at once.
    pub fn slot(&self, index: u32) -> Key<Slot> {
        Key::new(format!("{}:slot:{index}", self.prefix))
    }

    /// The prefix, which names the queue.
    pub fn name(&self) -> &str {
        &self.prefix
    }
}

/// Who drives a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// A random name of the driver.
    pub holder: String,
    /// The slot is free again after this.
    pub until: Millis,
}

/// Bytes of any size, cut into chunks of at most [`crate::MAX_VALUE_BYTES`]. The head is written last and holds the
/// first bytes itself, so that a small object is one read.
#[derive(Debug, Clone)]
pub struct Object {
    prefix: String,
}

/// What the head of an [`Object`] says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectHead {
    /// Length of the whole object in bytes.
    pub bytes: u64,
    /// The strong entity tag of the bytes, without quotes.
    pub etag: String,
    /// How many bytes follow in the head's own value.
    pub inline: u64,
    /// Media type, as `image/jpeg`.
    pub mime: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Set where the bytes are those of the original itself, which are not stored twice: the object has none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_original: bool,
}

impl Object {
    pub(crate) fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The head: a length, an [`ObjectHead`] in JSON, the first bytes.
    pub fn head(&self) -> &str {
        &self.prefix
    }

    /// Chunk `index` of the bytes after those in the head; the first is 0.
    pub fn chunk(&self, index: u64) -> String {
        format!("{}:c:{index}", self.prefix)
    }

    /// Whoever increments this to 1 has the object made in the background, once in a `window`.
    pub fn order(&self, window: u64) -> Counter {
        Counter::new(format!("{}:order:{window}", self.prefix))
    }

    /// Whoever increments this to 1 makes the object, if nobody has done so for the `window` before.
    pub fn take(&self, window: u64) -> Counter {
        Counter::new(format!("{}:take:{window}", self.prefix))
    }
}
