//! Changing, deleting and retrying an asset.

use http::StatusCode;
use kv_schema::Id;
use kv_schema::asset::{self, Asset, State};
use kv_schema::job::{self, IngestJob, RetrieveJob};
use kv_schema::shape::{Queue, Versioned};
use serde::Serialize;
use store::document::Updated;
use store::{StoreError, document};
use web::conditional::{Condition, check_if_match};
use web::query::Query;
use web::{Problem, Request, Response, idempotency};
use work::queue::{self, Reserved};
use work::{Context, Platform};

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
    let id = found.value.id;
    let job = reserve(platform, &job::retrieve(), RetrieveJob::Project { asset: id.clone() }).await?;
    let asset = change(platform, &id, condition.as_ref(), &[job.entry()], |asset| {
        asset.details = changes.over(std::mem::take(&mut asset.details));
        asset.updated_at = platform.now();
        Ok(())
    })
    .await;
    settle(platform, &job::retrieve(), job, asset.is_ok()).await?;
    let asset = asset?;
    project(platform, &id).await;
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
    let id = found.value.id;
    let projection = reserve(platform, &job::retrieve(), RetrieveJob::Project { asset: id.clone() }).await?;
    let purge = reserve(platform, &job::ingest(), IngestJob::Purge { asset: id.clone() }).await?;
    let jobs = [projection.entry(), purge.entry()];
    let asset = change(platform, &id, condition.as_ref(), &jobs, |asset| {
        asset.deleted_at = Some(platform.now());
        asset.updated_at = platform.now();
        Ok(())
    })
    .await;
    settle(platform, &job::retrieve(), projection, asset.is_ok()).await?;
    settle(platform, &job::ingest(), purge, asset.is_ok()).await?;
    asset?;
    platform.increment(asset::deleted_count().name(), 1).await?;
    project(platform, &id).await;
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
        let id = found.value.id;
        let job = reserve(platform, &job::ingest(), IngestJob::Acquire { asset: id.clone() }).await?;
        let asset = change(platform, &id, None, &[job.entry()], |asset| {
            if asset.state != State::Failed {
                let detail = format!("the asset is {}, only a failed one is tried again", asset.state.as_str());
                return Err(Problem::conflict("asset-not-failed", detail));
            }
            asset.error = None;
            asset.attempts = 0;
            enter(asset, State::Accepted, platform.now());
            Ok(())
        })
        .await;
        settle(platform, &job::ingest(), job, asset.is_ok()).await?;
        let asset = asset?;
        platform.ring(Context::Ingest).await;
        Ok(view::accepted(&asset))
    })
    .await
}

/// A job that is to be written in one step with the change it follows from: no crash leaves one without the other.
async fn reserve<T: Serialize + Clone>(
    platform: &impl Platform,
    queue: &Queue<T>,
    task: T,
) -> Result<Reserved<T>, StoreError> {
    queue::reserve(platform, platform, queue, task).await
}

/// Sees that a reserved job will be found, or gives its place back.
async fn settle<T: Serialize>(
    platform: &impl Platform,
    queue: &Queue<T>,
    job: Reserved<T>,
    is_written: bool,
) -> Result<(), StoreError> {
    if is_written {
        job.written(platform, platform, queue).await
    } else {
        job.unwanted(platform, platform, queue).await
    }
}

/// Writes the next version of an asset that is not deleted and meets the condition, and `jobs` with it.
async fn change(
    platform: &impl Platform,
    id: &Id,
    condition: Option<&Condition>,
    jobs: &[(String, Vec<u8>)],
    mut change: impl FnMut(&mut Asset) -> Result<(), Problem>,
) -> Result<Versioned<Asset>, Problem> {
    let document = asset::document(id);
    let updated = document::update_with(platform, platform, &document, jobs, |current| {
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

/// Has the image brought up to date at once, so that the caller reads what it wrote. It is on record, too.
async fn project(platform: &impl Platform, id: &Id) {
    if let Err(cause) = platform.ask(Context::Retrieve, &format!("/internal/project/{id}")).await {
        platform.log(&format!("the image of {id} will be brought up to date later: {cause}"));
    }
    platform.ring(Context::Retrieve).await;
}
