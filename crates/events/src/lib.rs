//! What happens in the platform, said to whoever listens.
//!
//! An event is a notice after the fact was stored. A lost one costs delay, never work: the jobs are in the store before
//! anyone is told. On the wire it is a CloudEvents 1.0 document in JSON ([`Event::to_json`], [`Event::parse`]);
//! `docs/events.md` says what consumers may rely on, `docs/events.asyncapi.yaml` describes the documents.

#![deny(missing_docs)]

mod data;
mod envelope;
mod trace;

pub use data::{Asset, Category, Data, Failure, Occasion, Variant};
pub use envelope::Unreadable;
pub use trace::Trace;

use kv_schema::Millis;

/// A context that has work to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Assets.
    Ingest,
    /// Pixels.
    Resize,
    /// Images.
    Retrieve,
}

impl Context {
    /// The name, which is also its component's id.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Resize => "resize",
            Self::Retrieve => "retrieve",
        }
    }

    /// The channel of its bell. A message there says "there is work" and nothing else.
    pub fn bell(self) -> &'static str {
        match self {
            Self::Ingest => "scalehoster.bell.ingest",
            Self::Resize => "scalehoster.bell.resize",
            Self::Retrieve => "scalehoster.bell.retrieve",
        }
    }
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// A category.
    Category,
    /// An asset.
    Asset,
    /// What was made of an original.
    Variant,
}

impl Aggregate {
    /// The channel of its events.
    pub fn channel(self) -> &'static str {
        match self {
            Self::Category => "scalehoster.category",
            Self::Asset => "scalehoster.asset",
            Self::Variant => "scalehoster.variant",
        }
    }

    /// The context that writes it, and tells of it.
    fn source(self) -> &'static str {
        match self {
            Self::Category => "/scalehoster/category",
            Self::Asset => "/scalehoster/ingest",
            Self::Variant => "/scalehoster/resize",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What it happened to, among those of its kind: the id of a category or an asset, [`Variant::subject`].
    pub subject: String,
    /// The version that it made of the subject. Events of one subject are in the order of their versions; versions that
    /// nobody needs to hear of leave gaps.
    pub sequence: u64,
    /// When it happened.
    pub time: Millis,
    /// The request that it all began with.
    pub trace: Trace,
    /// What happened.
    pub data: Data,
}

impl Event {
    /// The kind of event without prefix and version, as `asset.ready`.
    pub fn name(&self) -> &'static str {
        self.data.name()
    }

    /// Its id: the same for the same event of the same subject at the same version, so that a step that was done twice
    /// tells of it under one id.
    pub fn id(&self) -> String {
        format!("{}:{}:{}", self.name(), self.subject, self.sequence)
    }

    /// The channel it is published on.
    pub fn channel(&self) -> &'static str {
        self.data.aggregate().channel()
    }

    /// The contexts that it gives work to. This table is the one place that says so.
    pub fn gives_work_to(&self) -> &'static [Context] {
        use Context::{Ingest, Resize, Retrieve};
        match &self.data {
            Data::AssetAccepted(_) => &[Ingest],
            Data::AssetStored(_) => &[Resize],
            Data::AssetUpdated(_) => &[Retrieve],
            Data::AssetDeleted(_) => &[Retrieve, Ingest],
            Data::VariantReady(variant) if variant.occasion == Occasion::Ingest => &[Retrieve],
            Data::CategoryMoved(_) | Data::CategoryDeleted(_) => &[Retrieve],
            Data::VariantReady(_)
            | Data::CategoryCreated(_)
            | Data::CategoryRenamed(_)
            | Data::AssetReady(_)
            | Data::AssetFailed(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests;
