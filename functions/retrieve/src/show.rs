//! Showing one image.

use http::{StatusCode, header};
use kv_schema::{image, preset};
use store::document;
use web::conditional::{Condition, version_etag};
use web::query::Query;
use web::{Problem, Request, Response};
use work::Platform;

use crate::categories;
use crate::find::{image_id, present};
use crate::view::ImageView;

/// Shows an image.
///
/// # Responses
/// - 200 with `ETag`; 304.
/// - 404 `image-not-found`, 410 `image-deleted`.
pub async fn show(platform: &impl Platform, request: &Request, id: &str) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let id = image_id(id)?;
    let image = present(document::get(platform, &image::document(&id)).await?)?;
    let presets = document::get(platform, &preset::document()).await?;
    let path = match &image.value.details.category {
        None => Vec::new(),
        Some(category) => categories::path(platform, category).await?,
    };
    // The presets, and the names along the path, change what is shown without changing the image.
    let presets_version = presets.as_ref().map_or(0, |presets| presets.version);
    let names = path.iter().map(|category| category.updated_at).max().unwrap_or(0);
    let version = version_etag(image.version).trim_matches('"').to_owned();
    let etag = format!("\"{version}-{presets_version}-{names}\"");
    if Condition::if_none_match(request).is_some_and(|condition| condition.matches_weakly(&etag)) {
        return Ok(Response::new(StatusCode::NOT_MODIFIED).with_header(header::ETAG, etag));
    }
    let presets = presets.map_or_else(preset::Presets::built_in, |presets| presets.value);
    let view = ImageView::new(&image.value, &path, &presets);
    Ok(Response::json(StatusCode::OK, &view)
        .with_header(header::ETAG, etag)
        .with_header(header::CACHE_CONTROL, "no-cache"))
}
