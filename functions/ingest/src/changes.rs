//! Changing, deleting and retrying an asset.

use http::StatusCode;
use kv_schema::asset::{self, Asset, State};
use kv_schema::job::{self, IngestJob, RetrieveJob};
use kv_schema::shape::Versioned;
use store::document;
use store::document::Updated;
use web::conditional::{Condition, check_if_match};
use web::query::Query;
use web::{Problem, Request, Response, idempotency};
use work::{Context, Platform, queue};

use crate::details::DetailsInput;
use crate::originals::enter;
use crate::read::{check_not_deleted, find, not_found};
use crate::view;

/// Changes what is said of an asset.
///
/// # Responses
/// - 200, with the new `ETag`.
/// - 404 `asset-not-found`, 410 `asset-deleted`, 412 `precondition-failed`.
/// - 400 and 422 as for a new asset.
pub async fn edit(platform: &impl Platform, request: Request, id: &str) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let condition = Condition::if_match(&request)?;
    let found = find(platform, id).await?;
    let input: DetailsInput = web::json::read(request).await?;
    check_if_match(condition.as_ref(), found.version)?;
    let changes = input.check(platform).await?;
    let asset = change(platform, &found.value.id, condition.as_ref(), |asset| {
        asset.details = changes.over(std::mem::take(&mut asset.details));
        asset.updated_at = platform.now();
        Ok(())
    })
    .await?;
    project(platform, &asset.value).await?;
    Ok(view::respond(StatusCode::OK, &asset))
}

/// Deletes an asset: its image at once, its bytes when no other asset has the same.
///
/// # Responses
/// - 204.
/// - 404 `asset-not-found`, 410 `asset-deleted`, 412 `precondition-failed`.
pub async fn delete(platform: &impl Platform, request: &Request, id: &str) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let condition = Condition::if_match(request)?;
    let found = find(platform, id).await?;
    let asset = change(platform, &found.value.id, condition.as_ref(), |asset| {
        asset.deleted_at = Some(platform.now());
        asset.updated_at = platform.now();
        Ok(())
    })
    .await?;
    platform.increment(asset::deleted_count().name(), 1).await?;
    project(platform, &asset.value).await?;
    let task = IngestJob::Purge { asset: asset.value.id };
    queue::push(platform, platform, &job::ingest(), task, Vec::new()).await?;
    platform.ring(Context::Ingest).await;
    Ok(Response::no_content())
}

/// Tries a failed asset again.
///
/// # Responses
/// - 202 with `Location`.
/// - 404 `asset-not-found`, 409 `asset-not-failed`, 410 `asset-deleted`.
pub async fn retry(platform: &impl Platform, request: &Request, id: &str) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let key = idempotency::key(request)?;
    let scope = format!("retry:{id}");
    idempotency::once(platform, &scope, key.as_deref(), &[], |_| async {
        let found = find(platform, id).await?;
        let asset = change(platform, &found.value.id, None, |asset| {
            if asset.state != State::Failed {
                let detail = format!("the asset is {}, only a failed one is tried again", asset.state.as_str());
                return Err(Problem::conflict("asset-not-failed", detail));
            }
            asset.error = None;
            asset.attempts = 0;
            enter(asset, State::Accepted, platform.now());
            Ok(())
        })
        .await?;
        let task = IngestJob::Acquire { asset: asset.value.id.clone() };
        queue::push(platform, platform, &job::ingest(), task, Vec::new()).await?;
        platform.ring(Context::Ingest).await;
        Ok(view::accepted(&asset))
    })
    .await
}

/// Writes the next version of an asset that is not deleted and meets the condition.
async fn change(
    platform: &impl Platform,
    id: &kv_schema::Id,
    condition: Option<&Condition>,
    mut change: impl FnMut(&mut Asset) -> Result<(), Problem>,
) -> Result<Versioned<Asset>, Problem> {
    let document = asset::document(id);
    let updated = document::update(platform, platform, &document, |current| {
        let current = current.ok_or_else(not_found)?;
        check_not_deleted(&current.value)?;
        check_if_match(condition, current.version)?;
        let mut asset = current.value.clone();
        change(&mut asset)?;
        Ok::<_, Problem>(Some(asset))
    });
    match updated.await? {
        Updated::Written(asset) => Ok(asset),
        Updated::Unchanged(_) => Err(Problem::internal("a change wrote nothing")),
    }
}

/// Has the image brought up to date: on record first, then at once, so that the caller reads what it wrote.
async fn project(platform: &impl Platform, asset: &Asset) -> Result<(), Problem> {
    let task = RetrieveJob::Project { asset: asset.id.clone() };
    queue::push(platform, platform, &job::retrieve(), task, Vec::new()).await?;
    let path = format!("/internal/project/{}", asset.id);
    if let Err(cause) = platform.ask(Context::Retrieve, &path).await {
        platform.log(&format!("the image of {} will be brought up to date later: {cause}", asset.id));
    }
    platform.ring(Context::Retrieve).await;
    Ok(())
}
