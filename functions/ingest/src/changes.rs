//! Changing, deleting and retrying an asset.

use events::Data;
use http::StatusCode;
use kv_schema::Id;
use kv_schema::asset::{self, Asset, State};
use kv_schema::job::{self, IngestJob, RetrieveJob};
use kv_schema::shape::{Queue, Versioned};
use serde::Serialize;
use serde_json::json;
use store::document::Updated;
use store::{StoreError, document, index};
use web::conditional::{Condition, check_if_match};
use web::query::Query;
use web::{Problem, Request, Response, idempotency};
use work::queue::{self, Reserved};
use work::{Context, Platform, trace};

use crate::details::DetailsInput;
use crate::originals::enter;
use crate::read::{check_not_deleted, find, not_found};
use crate::tell::{tell, tell_on};
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
    let trace = trace(request.traceparent(), platform);
    let found = find(platform, id).await?;
    let input: DetailsInput = web::json::read(request).await?;
    check_if_match(condition.as_ref(), found.version)?;
    let changes = input.check(platform).await?;
    let id = found.value.id;
    let job = reserve(platform, &job::retrieve(), RetrieveJob::Project { asset: id.clone() }).await?;
    let asset = change(platform, &id, condition.as_ref(), &[job.entry()], |asset| {
        asset.details = changes.over(std::mem::take(&mut asset.details));
        asset.updated_at = platform.now();
        asset.edited_at = asset.updated_at;
        Ok(())
    })
    .await;
    settle(platform, &job::retrieve(), job, asset.is_ok()).await?;
    let asset = asset?;
    project(platform, &id).await;
    tell(platform, Data::AssetUpdated, &asset, trace).await;
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
    let asset = asset?;
    project(platform, &id).await;
    tell(platform, Data::AssetDeleted, &asset, trace(request.traceparent(), platform)).await;
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
        let asset = revive(platform, &find(platform, id).await?.value.id).await?;
        tell(platform, Data::AssetAccepted, &asset, trace(request.traceparent(), platform)).await;
        Ok(view::accepted(&asset))
    })
    .await
}

/// Tries every failed asset again, after the answer.
///
/// # Responses
/// - 202 with how many there are.
pub async fn retry_all(platform: &impl Platform, request: &Request) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let key = idempotency::key(request)?;
    idempotency::once(platform, "retry-all", key.as_deref(), &[], |_| async {
        let failed = index::totals(platform, &asset::failed()).await?.count;
        let task = IngestJob::RetryFailed { before: None };
        queue::push(platform, platform, &job::ingest(), task, Vec::new()).await?;
        platform.ring(Context::Ingest).await;
        Ok(Response::json(StatusCode::ACCEPTED, &json!({ "retrying": failed })))
    })
    .await
}

/// Tries the next failed assets again, and leaves a job for those after them.
///
/// # Errors
/// [`StoreError`]; doing it again finishes it.
pub async fn retry_next(platform: &impl Platform, before: Option<&Id>) -> Result<(), StoreError> {
    /// Assets in one step.
    const AT_ONCE: usize = 50;
    let entries = index::page(platform, &asset::failed(), before.map(Id::as_str), AT_ONCE).await?;
    let ids: Vec<Id> = entries.iter().filter_map(|entry| Id::parse(&entry.0).ok()).collect();
    for id in &ids {
        match revive(platform, id).await {
            // One that was retried or deleted meanwhile is none of ours.
            Err(problem) if problem.status.is_server_error() => {
                return Err(StoreError::Unavailable(problem.cause.unwrap_or(problem.detail)));
            }
            Ok(asset) => tell_on(platform, Data::AssetAccepted, &asset).await,
            Err(_) => {}
        }
    }
    if let Some(last) = ids.into_iter().last() {
        let task = IngestJob::RetryFailed { before: Some(last) };
        queue::push(platform, platform, &job::ingest(), task, Vec::new()).await?;
    }
    Ok(())
}

/// Puts a failed asset back to its beginning, with the job that begins it.
async fn revive(platform: &impl Platform, id: &Id) -> Result<Versioned<Asset>, Problem> {
    let job = reserve(platform, &job::ingest(), IngestJob::Acquire { asset: id.clone() }).await?;
    let asset = change(platform, id, None, &[job.entry()], |asset| {
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
    asset
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

/// Has the image brought up to date at once, so that the caller reads what it wrote. It is on record, too, and the event
/// that follows has it done.
async fn project(platform: &impl Platform, id: &Id) {
    if let Err(cause) = platform.ask(Context::Retrieve, &format!("/internal/project/{id}")).await {
        platform.log(&format!("the image of {id} will be brought up to date later: {cause}"));
    }
}
