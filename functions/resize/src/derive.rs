//! What is made of an original when it comes: rungs, presets, placeholder, dominant colour. One decoding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use kv_schema::asset::Failure;
use kv_schema::content::{self, BlobId, Derived};
use kv_schema::preset::Presets;
use kv_schema::shape::Object;
use store::object::{self, Description};
use store::{StoreError, pair, read};
use transform::{Accept, Plan, Spec};
use web::{Problem, Response};
use work::Platform;

use crate::pixels::{self, Encoded, Facts, PixelError};
use crate::presets;
use crate::settings::limits;

/// Makes what is made of an original, unless it is made already.
///
/// # Responses
/// - 200; 404 `blob-not-found`; 422 with the failure as its body.
pub async fn derive(platform: &impl Platform, blob: &str) -> Result<Response, Problem> {
    let blob = BlobId::parse(blob).ok_or_else(Problem::no_route)?;
    if read(platform, &content::derived(&blob)).await?.is_some() {
        return Ok(Response::new(StatusCode::OK));
    }
    let original = object::read(platform, &content::original(&blob)).await?;
    let Some((head, bytes)) = original else { return Err(blob_not_found()) };
    let limits = limits(platform).await?;
    let presets = presets::current(platform).await?;
    let made = Facts::read(&bytes, &limits).and_then(|facts| {
        let plans = preset_plans(&facts, &presets);
        let named: Vec<(&str, Plan)> = plans.iter().map(|(name, plan)| (name.as_str(), plan.clone())).collect();
        Ok((pixels::derive(&bytes, &named, &limits)?, plans))
    });
    match made {
        Ok((derived, plans)) => {
            keep(platform, &blob, head.mime, derived, &plans).await?;
            Ok(Response::new(StatusCode::OK))
        }
        Err(error @ PixelError::Encode { .. }) => Err(Problem::internal(error.to_string())),
        Err(error) => Ok(Response::json(StatusCode::UNPROCESSABLE_ENTITY, &failure(&error))),
    }
}

/// `404 blob-not-found`.
pub fn blob_not_found() -> Problem {
    Problem::not_found("blob-not-found", "the original is gone")
}

/// The presets as plans for this picture. One that asks for too much of it, or takes long, or needs another picture, is
/// left to the request that wants it.
fn preset_plans(facts: &Facts, presets: &Presets) -> Vec<(String, Plan)> {
    let plan = |text: &str| match Spec::parse(text) {
        Ok(Spec::Transform(transform)) => {
            Plan::resolve(&transform, &facts.source, Accept::default()).ok().filter(is_made_at_once)
        }
        _ => None,
    };
    let plans = presets.by_name.iter().filter_map(|(name, preset)| Some((name.clone(), plan(&preset.transform)?)));
    plans.collect()
}

fn is_made_at_once(plan: &Plan) -> bool {
    match plan {
        Plan::Original => true,
        Plan::Render(render) => !render.is_expensive() && render.watermark().is_none() && render.filter().is_none(),
    }
}

/// Stores everything that was made in one step, the document that says so last.
async fn keep(
    platform: &impl Platform,
    blob: &BlobId,
    mime: String,
    made: pixels::Derived,
    plans: &[(String, Plan)],
) -> Result<(), StoreError> {
    let plan_of = |name: &str| plans.iter().find(|(known, _)| known == name).map(|(_, plan)| plan.to_string());
    let mut entries = Vec::new();
    let mut rungs = Vec::with_capacity(made.rungs.len());
    for rung in &made.rungs {
        entries.extend(object_entries(&content::rung(blob, rung.width, rung.height), rung)?);
        rungs.push((rung.width, rung.height));
    }
    let mut variants = Vec::with_capacity(made.presets.len());
    for (name, variant) in &made.presets {
        let Some(plan) = plan_of(name) else { continue };
        if !variants.contains(&plan) {
            entries.extend(object_entries(&content::variant(blob, &plan), variant)?);
            variants.push(plan);
        }
    }
    let [red, green, blue] = made.dominant_color;
    let source = made.facts.source;
    let derived = Derived {
        mime,
        width: source.width,
        height: source.height,
        has_alpha: source.has_alpha,
        frames: made.facts.frames,
        thumbhash: STANDARD.encode(&made.thumbhash),
        dominant_color: format!("#{red:02x}{green:02x}{blue:02x}"),
        rungs,
        variants,
    };
    entries.push(pair(&content::derived(blob), &derived)?);
    platform.set_many(entries).await?;
    // The original may have been deleted while this was at work: then nobody else knows of what was just stored.
    if read(platform, &content::blob(blob)).await?.is_none() {
        crate::forget::forget(platform, blob).await?;
    }
    Ok(())
}

/// The keys and values of something encoded.
///
/// # Errors
/// As [`object::entries`].
pub fn object_entries(object: &Object, encoded: &Encoded) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    object::entries(object, description(encoded), &encoded.bytes)
}

/// What is said of something encoded.
pub fn description(encoded: &Encoded) -> Description {
    Description { mime: encoded.format.mime().to_owned(), width: encoded.width, height: encoded.height }
}

/// Why a picture can't be had, as its asset's failure.
fn failure(error: &PixelError) -> Failure {
    let (code, over) = match error {
        PixelError::Unsupported { .. } => ("image-format-unsupported", None),
        PixelError::Corrupt { .. } | PixelError::Encode { .. } | PixelError::Filter { .. } => ("image-corrupt", None),
        PixelError::Limit(error) => (error.code(), Some(error.limit_and_actual())),
    };
    let (limit, actual) = over.unzip();
    Failure { code: code.to_owned(), detail: error.to_string(), limit, actual }
}
