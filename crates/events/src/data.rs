//! What each event says: what a subscriber needs, and nothing that is secret.

use kv_schema::Id;
use kv_schema::asset::{self, State};
use kv_schema::category;
use kv_schema::content::BlobId;
use serde::{Deserialize, Serialize};

use crate::Aggregate;

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Data {
    /// A category was made.
    CategoryCreated(Category),
    /// A category got another name or slug.
    CategoryRenamed(Category),
    /// A category got another parent.
    CategoryMoved(Category),
    /// A category was deleted.
    CategoryDeleted(Category),
    /// An asset was written down, or is tried again.
    AssetAccepted(Asset),
    /// The bytes of an asset are stored.
    AssetStored(Asset),
    /// The image of an asset can be seen.
    AssetReady(Asset),
    /// An asset was given up.
    AssetFailed(Asset),
    /// What people say of an asset was changed.
    AssetUpdated(Asset),
    /// An asset was deleted.
    AssetDeleted(Asset),
    /// Other sizes of an original are stored.
    VariantReady(Variant),
}

impl Data {
    /// Every kind of event, by name.
    pub const NAMES: [&'static str; 11] = [
        "category.created",
        "category.renamed",
        "category.moved",
        "category.deleted",
        "asset.accepted",
        "asset.stored",
        "asset.ready",
        "asset.failed",
        "asset.updated",
        "asset.deleted",
        "variant.ready",
    ];

    /// The kind of event, as `asset.ready`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CategoryCreated(_) => "category.created",
            Self::CategoryRenamed(_) => "category.renamed",
            Self::CategoryMoved(_) => "category.moved",
            Self::CategoryDeleted(_) => "category.deleted",
            Self::AssetAccepted(_) => "asset.accepted",
            Self::AssetStored(_) => "asset.stored",
            Self::AssetReady(_) => "asset.ready",
            Self::AssetFailed(_) => "asset.failed",
            Self::AssetUpdated(_) => "asset.updated",
            Self::AssetDeleted(_) => "asset.deleted",
            Self::VariantReady(_) => "variant.ready",
        }
    }

    /// What it happened to.
    pub fn aggregate(&self) -> Aggregate {
        match self {
            Self::CategoryCreated(_) | Self::CategoryRenamed(_) | Self::CategoryMoved(_) | Self::CategoryDeleted(_) => {
                Aggregate::Category
            }
            Self::AssetAccepted(_)
            | Self::AssetStored(_)
            | Self::AssetReady(_)
            | Self::AssetFailed(_)
            | Self::AssetUpdated(_)
            | Self::AssetDeleted(_) => Aggregate::Asset,
            Self::VariantReady(_) => Aggregate::Variant,
        }
    }

    /// The inverse of serialising it, for the kind of event called `name`; none for a kind that is not known.
    pub(crate) fn read(name: &str, data: serde_json::Value) -> Option<serde_json::Result<Self>> {
        use serde_json::from_value as read;
        Some(match name {
            "category.created" => read(data).map(Self::CategoryCreated),
            "category.renamed" => read(data).map(Self::CategoryRenamed),
            "category.moved" => read(data).map(Self::CategoryMoved),
            "category.deleted" => read(data).map(Self::CategoryDeleted),
            "asset.accepted" => read(data).map(Self::AssetAccepted),
            "asset.stored" => read(data).map(Self::AssetStored),
            "asset.ready" => read(data).map(Self::AssetReady),
            "asset.failed" => read(data).map(Self::AssetFailed),
            "asset.updated" => read(data).map(Self::AssetUpdated),
            "asset.deleted" => read(data).map(Self::AssetDeleted),
            "variant.ready" => read(data).map(Self::VariantReady),
            _ => return None,
        })
    }
}

/// What is said of a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// The name as its author wrote it.
    pub name: String,
    /// The name in a URL.
    pub slug: String,
    /// The category above; none for a root.
    pub parent: Option<Id>,
    /// For a deleted category: where its images went, if it had any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reassigned_to: Option<Id>,
}

impl From<&category::Category> for Category {
    fn from(category: &category::Category) -> Self {
        Self {
            name: category.name.clone(),
            slug: category.slug.clone(),
            parent: category.parent.clone(),
            reassigned_to: category.deleted.as_ref().and_then(|deleted| deleted.reassigned_to.clone()),
        }
    }
}

/// What is said of an asset. Its source is not: a URL may hold a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asset {
    /// How far it has come.
    pub state: State,
    /// The category it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Id>,
    /// SHA-256 of the bytes, 64 hex digits, once they are known. So with the next four.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How many bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Width in pixels, upright.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels, upright.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Media type by content, as `image/jpeg`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Why it failed, while it is failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl From<&asset::Asset> for Asset {
    fn from(asset: &asset::Asset) -> Self {
        let content = asset.content.as_ref();
        let failure = asset.error.as_ref().filter(|_| asset.state == State::Failed);
        Self {
            state: asset.state,
            category: asset.details.category.clone(),
            sha256: content.map(|content| content.blob.sha256.clone()),
            bytes: content.map(|content| content.bytes),
            width: content.map(|content| content.width),
            height: content.map(|content| content.height),
            format: content.map(|content| content.mime.clone()),
            failure: failure.map(|failure| Failure { code: failure.code.clone(), detail: failure.detail.clone() }),
        }
    }
}

/// Why an asset failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable, kebab-case, as `source-timeout`.
    pub code: String,
    /// For people.
    pub detail: String,
}

/// What was made of an original.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Whether it was made when the original came, or when somebody asked.
    pub occasion: Occasion,
    /// The asset that it was made for; none where a request asked, because assets with the same bytes share variants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<Id>,
    /// SHA-256 of the original, 64 hex digits.
    pub sha256: String,
    /// Which generation of these bytes; the first is 0.
    pub generation: u64,
    /// The plans of what was made: the texts under which the variants are stored.
    pub variants: Vec<String>,
}

/// Why a variant was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The original came.
    Ingest,
    /// Somebody asked for it.
    Request,
}

impl Variant {
    /// Made of `blob` when it came with `asset`.
    pub fn at_ingest(asset: &Id, blob: &BlobId, variants: Vec<String>) -> Self {
        let BlobId { sha256, generation } = blob.clone();
        Self { occasion: Occasion::Ingest, asset: Some(asset.clone()), sha256, generation, variants }
    }

    /// Made of `blob` because somebody asked for `plan`.
    pub fn on_request(blob: &BlobId, plan: String) -> Self {
        let BlobId { sha256, generation } = blob.clone();
        Self { occasion: Occasion::Request, asset: None, sha256, generation, variants: vec![plan] }
    }

    /// Names what was made in one go: the original, and for whom or which. It is made once and never changes, so that
    /// its only version is 1.
    pub fn subject(&self) -> String {
        let Self { sha256, generation, .. } = self;
        match &self.asset {
            Some(asset) => format!("{sha256}.{generation}/{asset}"),
            None => format!("{sha256}.{generation}/{}", self.variants.join("+")),
        }
    }
}
