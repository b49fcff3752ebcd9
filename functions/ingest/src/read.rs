//! Reading an asset.

use std::cell::Cell;

use http::StatusCode;
use kv_schema::asset::{self, Asset, State};
use kv_schema::shape::Versioned;
use kv_schema::{Id, Millis};
use store::{Store, document};
use web::query::Query;
use web::{Problem, Request, Response};
use work::{Context, Platform};

use crate::view;

/// Shows an asset.
///
/// # Responses
/// - 200.
/// - 404 `asset-not-found`, 410 `asset-deleted`.
pub async fn read(platform: &impl Platform, request: &Request, id: &str) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let asset = find(platform, id).await?;
    nudge(platform, &asset.value).await;
    Ok(view::respond(StatusCode::OK, &asset))
}

/// The asset of this id.
///
/// # Errors
/// `404 asset-not-found`, `410 asset-deleted`.
pub async fn find(store: &impl Store, id: &str) -> Result<Versioned<Asset>, Problem> {
    let id = Id::parse(id).map_err(|_| not_found())?;
    let asset = document::get(store, &asset::document(&id)).await?.ok_or_else(not_found)?;
    check_not_deleted(&asset.value)?;
    Ok(asset)
}

/// `410 asset-deleted`.
///
/// # Errors
/// When it is.
pub fn check_not_deleted(asset: &Asset) -> Result<(), Problem> {
    match asset.deleted_at {
        None => Ok(()),
        Some(at) => {
            let detail = format!("the asset was deleted at {}", web::time::format(at));
            Err(Problem::new(StatusCode::GONE, "asset-deleted", detail))
        }
    }
}

/// `404 asset-not-found`.
pub fn not_found() -> Problem {
    Problem::not_found("asset-not-found", "no such asset")
}

/// Rings for an asset that is not finished, at most once a second: should every bell since a crash have been lost,
/// whoever looks at the asset gets its work going again.
pub async fn nudge(platform: &impl Platform, asset: &Asset) {
    const EVERY: Millis = 1_000;
    thread_local! {
        static LAST: Cell<Millis> = const { Cell::new(0) };
    }
    if matches!(asset.state, State::Ready | State::Failed) || platform.now() - LAST.get() < EVERY {
        return;
    }
    LAST.set(platform.now());
    platform.ring(Context::Ingest).await;
    if asset.state == State::Processing {
        platform.ring(Context::Resize).await;
        platform.ring(Context::Retrieve).await;
    }
}
