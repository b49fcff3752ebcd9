//! Making a variant that was asked for and is not stored yet. One of several simultaneous requests makes it.

use http::{HeaderName, StatusCode};
use kv_schema::content::{self, BlobId};
use kv_schema::shape::{Entry, Object};
use store::object::{self, Opened};
use store::{StoreError, log, pair, read};
use transform::Plan;
use web::{Problem, Response};
use work::Platform;
use work::admission::{self, RENDERS};

use crate::derive::{blob_not_found, object_entries};
use crate::pixels::{self, PixelError, Stripped};
use crate::settings::limits;

/// Set on the answer when a picture was rendered.
pub const RENDERED: HeaderName = HeaderName::from_static("x-rendered");

/// A renderer has at least one of these windows of time to itself and at most two, in milliseconds.
const WINDOW: u64 = 8_000;

/// Makes a variant and stores it.
///
/// Who may do so is decided by a counter for each window of time. A taken window holds for the one after it, too: so a
/// renderer that takes one late has time, and one that died is replaced after two windows at the most.
///
/// # Responses
/// - 200: it is stored. 202: another request is making it.
/// - 404 `blob-not-found`; 422 `image-corrupt`, `output-too-large`; 503 `overloaded`.
pub async fn render(platform: &impl Platform, blob: &str, plan: &str) -> Result<Response, Problem> {
    let blob = BlobId::parse(blob).ok_or_else(Problem::no_route)?;
    let plan: Plan = plan.parse().map_err(|_| Problem::no_route())?;
    let object = content::variant(&blob, &plan.to_string());
    let window = platform.now().unsigned_abs() / WINDOW;
    let (before, take) = (object.take(window - 1), object.take(window));
    if platform.get(before.name()).await?.is_some() || platform.increment(take.name(), 1).await? != 1 {
        return Ok(Response::new(StatusCode::ACCEPTED));
    }
    let made = match admission::enter(platform, RENDERS).await? {
        None => Err(Problem::overloaded("pictures are being made")),
        Some(pass) => {
            let made = make(platform, &blob, &plan, &object).await;
            admission::leave(platform, pass).await?;
            made
        }
    };
    // Made or not: whoever waits finds it, or may try at once.
    store::delete(platform, take.name()).await?;
    let was_rendered = made?;
    let response = Response::new(StatusCode::OK);
    Ok(if was_rendered { response.with_header(RENDERED, "1") } else { response })
}

/// Makes a variant, unless another has meanwhile; says which.
async fn make(platform: &impl Platform, blob: &BlobId, plan: &Plan, object: &Object) -> Result<bool, Problem> {
    if platform.get(object.head()).await?.is_some() {
        return Ok(false);
    }
    let entries = match plan {
        Plan::Original => original_entries(platform, blob, object).await?,
        Plan::Render(_) => {
            let input = source(platform, blob, plan).await?;
            let encoded = pixels::render(&input, plan, &limits(platform).await?).map_err(refused)?;
            object_entries(object, &encoded)?
        }
    };
    keep(platform, blob, plan, object, entries).await?;
    Ok(true)
}

/// The original without its metadata, upright; where there is nothing to change, only a note that says so.
async fn original_entries(
    platform: &impl Platform,
    blob: &BlobId,
    object: &Object,
) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let original = object::read(platform, &content::original(blob)).await?;
    let (head, bytes) = original.ok_or_else(blob_not_found)?;
    match pixels::strip(&bytes) {
        Stripped::Same => Ok(vec![object::stand_in(object, &head)?]),
        Stripped::Rewritten(stripped) => {
            let description = object::Description { mime: head.mime.clone(), width: head.width, height: head.height };
            Ok(object::entries(object, description, &stripped)?)
        }
        Stripped::NeedsRender => {
            let limits = limits(platform).await?;
            let encoded = pixels::render(&bytes, &Plan::Original, &limits).map_err(refused)?;
            Ok(object_entries(object, &encoded)?)
        }
    }
}

/// The smallest stored picture that is good enough for a plan.
async fn source(platform: &impl Platform, blob: &BlobId, plan: &Plan) -> Result<Vec<u8>, Problem> {
    let derived = read(platform, &content::derived(blob)).await?.ok_or_else(blob_not_found)?;
    if let Some(&(width, height)) = pixels::pick_rung(plan, &derived.rungs).and_then(|idx| derived.rungs.get(idx))
        && let Some((_, bytes)) = object::read(platform, &content::rung(blob, width, height)).await?
    {
        return Ok(bytes);
    }
    let original = object::read(platform, &content::original(blob)).await?;
    original.map(|(_, bytes)| bytes).ok_or_else(blob_not_found)
}

/// Stores a variant, and on record that it is there: so that it goes when the original goes.
async fn keep(
    platform: &impl Platform,
    blob: &BlobId,
    plan: &Plan,
    object: &Object,
    entries: Vec<(String, Vec<u8>)>,
) -> Result<(), Problem> {
    let products = content::products(blob);
    let position = log::allocate(platform, &products).await?;
    let mut all = vec![pair(&products.entry(position), &Entry::Live(plan.to_string()))?];
    all.extend(entries);
    platform.set_many(all).await?;
    if read(platform, &content::blob(blob)).await?.is_none() {
        delete(platform, object).await?;
        return Err(blob_not_found());
    }
    Ok(())
}

/// Deletes a stored object, whatever its size.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(platform: &impl Platform, object: &Object) -> Result<(), StoreError> {
    if let Some(Opened { head, .. }) = object::open(platform, object).await? {
        object::delete(platform, object, head.bytes).await?;
    }
    Ok(())
}

fn refused(error: PixelError) -> Problem {
    let detail = error.to_string();
    match error {
        PixelError::Encode { .. } => Problem::internal(detail),
        PixelError::Unsupported { .. } | PixelError::Corrupt { .. } => Problem::unprocessable("image-corrupt", detail),
        PixelError::TooManyPixels { limit, actual } | PixelError::TooMuchMemory { limit, actual } => {
            Problem::unprocessable("output-too-large", detail).over(limit, Some(actual))
        }
        PixelError::SideTooLong { .. } | PixelError::TooManyFrames { .. } => {
            Problem::unprocessable("output-too-large", detail)
        }
    }
}
