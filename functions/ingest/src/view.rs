//! An asset as the API shows it.

use kv_schema::asset::{Asset, Failure, Source};
use kv_schema::shape::Versioned;
use serde::Serialize;
use web::conditional::version_etag;
use web::{Response, time};

/// An asset's document. Its shape is the contract.
#[derive(Serialize)]
pub struct AssetView<'a> {
    id: &'a str,
    state: &'static str,
    attempts: u32,
    error: Option<&'a Failure>,
    source_url: Option<&'a str>,
    sha256: Option<&'a str>,
    bytes: Option<u64>,
    format: Option<&'a str>,
    width: Option<u32>,
    height: Option<u32>,
    category: Option<&'a str>,
    title: Option<&'a str>,
    alt: Option<&'a str>,
    tags: &'a [String],
    visibility: &'static str,
    metadata: &'a std::collections::BTreeMap<String, String>,
    created_at: String,
    updated_at: String,
    image_url: String,
}

/// The name of a format in the API, from its media type.
fn format_name(media_type: &str) -> &str {
    match media_type.trim_start_matches("image/") {
        "vnd.microsoft.icon" => "ico",
        "svg+xml" => "svg",
        name => name,
    }
}

impl<'a> From<&'a Asset> for AssetView<'a> {
    fn from(asset: &'a Asset) -> Self {
        let content = asset.content.as_ref();
        Self {
            id: asset.id.as_str(),
            state: asset.state.as_str(),
            attempts: asset.attempts,
            error: asset.error.as_ref(),
            source_url: match &asset.source {
                Source::Url { url } => Some(url),
                Source::Upload => None,
            },
            sha256: content.map(|content| content.blob.sha256.as_str()),
            bytes: content.map(|content| content.bytes),
            format: content.map(|content| format_name(&content.mime)),
            width: content.map(|content| content.width),
            height: content.map(|content| content.height),
            category: asset.details.category.as_ref().map(kv_schema::Id::as_str),
            title: asset.details.title.as_deref(),
            alt: asset.details.alt.as_deref(),
            tags: &asset.details.tags,
            visibility: "public",
            metadata: &asset.details.metadata,
            created_at: time::format(asset.created_at),
            updated_at: time::format(asset.updated_at),
            image_url: format!("/v1/images/{}", asset.id),
        }
    }
}

/// The answer that shows an asset.
pub fn respond(status: http::StatusCode, asset: &Versioned<Asset>) -> Response {
    Response::json(status, &AssetView::from(&asset.value)).with_header(http::header::ETAG, version_etag(asset.version))
}

/// The answer that shows an asset which was just accepted.
pub fn accepted(asset: &Versioned<Asset>) -> Response {
    respond(http::StatusCode::ACCEPTED, asset)
        .with_header(http::header::LOCATION, format!("/v1/assets/{}", asset.value.id))
}
