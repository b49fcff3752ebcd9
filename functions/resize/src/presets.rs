//! Presets: named transforms.

use http::StatusCode;
use kv_schema::preset::{self, Preset, Presets};
use serde::{Deserialize, Serialize};
use store::{Store, StoreError, document};
use transform::{PresetName, Spec};
use web::page::PageRequest;
use web::query::Query;
use web::{Problem, Request, Response, time};
use work::Platform;

/// Presets that there can be. Each is made of every new image.
const MOST_PRESETS: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetInput {
    transform: String,
}

#[derive(Serialize)]
struct PresetView<'a> {
    name: &'a str,
    transform: &'a str,
    revision: u64,
    updated_at: String,
}

impl<'a> PresetView<'a> {
    fn new(name: &'a str, preset: &'a Preset) -> Self {
        let Preset { transform, revision, updated_at } = preset;
        Self { name, transform, revision: *revision, updated_at: time::format(*updated_at) }
    }
}

/// Every preset there is now.
///
/// # Errors
/// [`StoreError`].
pub async fn current(store: &impl Store) -> Result<Presets, StoreError> {
    let presets = document::get(store, &preset::document()).await?;
    Ok(presets.map_or_else(Presets::built_in, |presets| presets.value))
}

/// Lists the presets, by name.
///
/// # Responses
/// - 200.
pub async fn list(platform: &impl Platform, request: &Request) -> Result<Response, Problem> {
    let query = Query::parse(&request.query, &["limit", "cursor"])?;
    let page = PageRequest::parse(&query, "presets")?;
    let presets = current(platform).await?;
    let first = usize::try_from(page.position.unwrap_or(0)).unwrap_or(usize::MAX);
    let views: Vec<_> = presets.by_name.iter().map(|(name, preset)| PresetView::new(name, preset)).collect();
    let last = first.saturating_add(page.limit).min(views.len());
    let next = (last < views.len()).then_some(last as u128);
    Ok(page.respond(&request.path, &request.query, views.get(first..last).unwrap_or_default(), next))
}

/// Shows a preset.
///
/// # Responses
/// - 200; 404 `preset-not-found`; 422 `preset-name-invalid`.
pub async fn read(platform: &impl Platform, request: &Request, name: &str) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let name = preset_name(name)?;
    let presets = current(platform).await?;
    let preset = presets.by_name.get(name.as_str()).ok_or_else(not_found)?;
    Ok(Response::json(StatusCode::OK, &PresetView::new(name.as_str(), preset)))
}

/// Makes a preset, or changes it. Images get the new one under a new URL.
///
/// # Responses
/// - 200.
/// - 422 `preset-name-invalid`, `preset-limit`, `field-invalid`; 400, 413, 415.
pub async fn put(platform: &impl Platform, request: Request, name: &str) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let name = preset_name(name)?;
    let input: PresetInput = web::json::read(request).await?;
    let transform = canonical(&input.transform)?;
    let mut written = None;
    document::update(platform, platform, &preset::document(), |current| {
        let mut presets = current.map_or_else(Presets::built_in, |current| current.value.clone());
        if presets.by_name.len() >= MOST_PRESETS && !presets.by_name.contains_key(name.as_str()) {
            let detail = format!("there are {MOST_PRESETS} presets already");
            return Err(Problem::unprocessable("preset-limit", detail).over(MOST_PRESETS as u64, None));
        }
        let old = presets.by_name.get(name.as_str());
        if let Some(old) = old.filter(|old| old.transform == transform) {
            written = Some(old.clone());
            return Ok(None);
        }
        // The time stands in for a count that a deleted preset has taken with it: a new one gets other URLs.
        let revision = old.map_or(0, |old| old.revision).max(platform.now().unsigned_abs()) + 1;
        let preset = Preset { transform: transform.clone(), revision, updated_at: platform.now() };
        written = Some(preset.clone());
        presets.by_name.insert(name.as_str().to_owned(), preset);
        Ok(Some(presets))
    })
    .await?;
    let preset = written.ok_or_else(|| Problem::internal("a preset was neither written nor found"))?;
    Ok(Response::json(StatusCode::OK, &PresetView::new(name.as_str(), &preset)))
}

/// Deletes a preset. What was rendered stays under its URL's options.
///
/// # Responses
/// - 204; 404 `preset-not-found`; 422 `preset-name-invalid`.
pub async fn delete(platform: &impl Platform, request: &Request, name: &str) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let name = preset_name(name)?;
    document::update(platform, platform, &preset::document(), |current| {
        let mut presets = current.map_or_else(Presets::built_in, |current| current.value.clone());
        presets.by_name.remove(name.as_str()).ok_or_else(not_found)?;
        Ok::<_, Problem>(Some(presets))
    })
    .await?;
    Ok(Response::no_content())
}

fn preset_name(name: &str) -> Result<PresetName, Problem> {
    PresetName::parse(name).map_err(|error| Problem::unprocessable("preset-name-invalid", error.to_string()))
}

fn not_found() -> Problem {
    Problem::not_found("preset-not-found", "no such preset")
}

/// The one spelling of a transform.
fn canonical(text: &str) -> Result<String, Problem> {
    match Spec::parse(text) {
        Ok(Spec::Transform(transform)) => Ok(transform.to_string()),
        Ok(_) => Err(Problem::field("/transform", "options as w=200,h=200 are expected")),
        Err(error) => Err(Problem::field("/transform", error.to_string())),
    }
}
