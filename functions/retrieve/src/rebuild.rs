//! Making the whole read model again from what the other contexts own, while the app serves.

use http::StatusCode;
use kv_schema::asset;
use kv_schema::image::{self, Rebuild, RebuildState};
use kv_schema::job::{self, RetrieveJob};
use kv_schema::shape::{Index, Versioned};
use kv_schema::{Id, Millis};
use serde_json::json;
use store::document::{self, Updated};
use store::{StoreError, index, new_id};
use web::query::Query;
use web::{Problem, Request, Response};
use work::queue;
use work::{Context, Platform};

use crate::project::{Trust, project};

/// Assets in one step: a job of its own, so that a step is soon over and one that died is soon done again.
const AT_ONCE: usize = 50;

/// A rebuild that has not come on for so long is taken for dead, in milliseconds: another may begin.
const DEAD_AFTER: Millis = 120_000;

/// Begins a rebuild, or joins the one that runs.
///
/// # Responses
/// - 202.
pub async fn start(platform: &impl Platform, request: &Request) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let totals = index::totals_many(platform, &[asset::all(), asset::deleted()]).await?;
    let now = platform.now();
    let id = new_id(platform);
    let task = RetrieveJob::Rebuild { rebuild: id.clone(), is_deleted: false, before: None };
    let step = queue::reserve(platform, platform, &job::retrieve(), task).await?;
    let first = Rebuild {
        id,
        state: RebuildState::Running,
        done: 0,
        total: totals.iter().map(|totals| totals.count).sum(),
        updated_at: now,
    };
    let updated = document::update_with(platform, platform, &image::rebuild(), &[step.entry()], |current| {
        let is_running =
            |rebuild: &Rebuild| rebuild.state == RebuildState::Running && now - rebuild.updated_at < DEAD_AFTER;
        let is_free = !current.is_some_and(|current| is_running(&current.value));
        Ok::<_, StoreError>(is_free.then(|| first.clone()))
    })
    .await?;
    let rebuild = match updated {
        Updated::Written(written) => {
            step.written(platform, platform, &job::retrieve()).await?;
            platform.ring(Context::Retrieve).await;
            written
        }
        Updated::Unchanged(running) => {
            step.unwanted(platform, platform, &job::retrieve()).await?;
            running.ok_or_else(|| Problem::internal("a rebuild was neither begun nor found"))?
        }
    };
    Ok(respond(StatusCode::ACCEPTED, &rebuild))
}

/// Shows how far the last rebuild has come.
///
/// # Responses
/// - 200; 404 `rebuild-not-found`.
pub async fn show(platform: &impl Platform, request: &Request) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let rebuild = document::get(platform, &image::rebuild()).await?;
    let rebuild = rebuild.ok_or_else(|| Problem::not_found("rebuild-not-found", "nothing was ever rebuilt"))?;
    Ok(respond(StatusCode::OK, &rebuild))
}

fn respond(status: StatusCode, rebuild: &Versioned<Rebuild>) -> Response {
    let Rebuild { id, state, done, total, .. } = &rebuild.value;
    let state = match state {
        RebuildState::Running => "running",
        RebuildState::Done => "done",
    };
    Response::json(status, &json!({ "id": id, "state": state, "done": done, "total": total }))
}

/// Does one step: projects the next assets without believing anything of what is there, and leaves the next step.
///
/// # Errors
/// [`StoreError`]; doing it again finishes it.
pub async fn step(platform: &impl Platform, id: &Id, is_deleted: bool, before: Option<&Id>) -> Result<(), StoreError> {
    let assets: Index = if is_deleted { asset::deleted() } else { asset::all() };
    let entries = index::page(platform, &assets, before.map(Id::as_str), AT_ONCE).await?;
    let mut last = None;
    for entry in &entries {
        let Ok(asset) = Id::parse(&entry.0) else { continue };
        project(platform, &asset, Trust::Nothing).await?;
        last = Some(asset);
    }
    let task = match (last, is_deleted) {
        (Some(last), _) => Some(RetrieveJob::Rebuild { rebuild: id.clone(), is_deleted, before: Some(last) }),
        (None, false) => Some(RetrieveJob::Rebuild { rebuild: id.clone(), is_deleted: true, before: None }),
        (None, true) => None,
    };
    let state = if task.is_some() { RebuildState::Running } else { RebuildState::Done };
    let next = match task {
        Some(task) => Some(queue::reserve(platform, platform, &job::retrieve(), task).await?),
        None => None,
    };
    let others: Vec<_> = next.iter().map(queue::Reserved::entry).collect();
    let updated = document::update_with(platform, platform, &image::rebuild(), &others, |current| {
        // Another rebuild has begun since: this one is void.
        let current = current.filter(|current| current.value.id == *id && current.value.state != RebuildState::Done);
        Ok::<_, StoreError>(current.map(|current| Rebuild {
            state,
            done: current.value.done + entries.len() as u64,
            updated_at: platform.now(),
            ..current.value.clone()
        }))
    })
    .await?;
    match (next, updated) {
        (Some(next), Updated::Written(_)) => next.written(platform, platform, &job::retrieve()).await,
        (Some(next), Updated::Unchanged(_)) => next.unwanted(platform, platform, &job::retrieve()).await,
        (None, _) => Ok(()),
    }
}
