//! Whether the service is alive, and how much it has and has to do.

use http::StatusCode;
use kv_schema::image::Listing;
use kv_schema::{asset, content, job, preset};
use serde_json::json;
use store::{StoreError, count, index};
use web::query::Query;
use web::{Problem, Request, Response, time};
use work::queue::{Depth, depth, next_due};
use work::{Context, Platform};

/// Says that the service is alive and that the store answers.
///
/// # Responses
/// - 200, 503 `store-unavailable`.
pub async fn health(platform: &impl Platform) -> Result<Response, Problem> {
    platform.get(preset::document().current().name()).await?;
    Ok(Response::json(StatusCode::OK, &json!({ "status": "ok" })))
}

/// Rings for each context that has work: after a start nobody else knows of it.
pub async fn ring_for_open_jobs(platform: &impl Platform) {
    if let Err(error) = try_ring(platform).await {
        platform.log(&format!("nobody was told of open jobs: {error}"));
    }
}

async fn try_ring(platform: &impl Platform) -> Result<(), StoreError> {
    if next_due(platform, platform, &job::ingest()).await?.is_some() {
        platform.ring(Context::Ingest).await;
    }
    if next_due(platform, platform, &job::resize()).await?.is_some() {
        platform.ring(Context::Resize).await;
    }
    if next_due(platform, platform, &job::retrieve()).await?.is_some() {
        platform.ring(Context::Retrieve).await;
    }
    Ok(())
}

/// Counts.
///
/// # Responses
/// - 200.
pub async fn stats(platform: &impl Platform, request: &Request) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let indexes = [asset::all(), asset::failed(), Listing::All.index(), content::blobs()];
    let totals = index::totals_many(platform, &indexes).await?;
    let renders = count(platform, &content::renders()).await?;
    let queues = [
        ("ingest", depth(platform, platform, &job::ingest()).await?),
        ("resize", depth(platform, platform, &job::resize()).await?),
        ("retrieve", depth(platform, platform, &job::retrieve()).await?),
    ];
    let oldest = queues.iter().filter_map(|(_, depth)| depth.oldest).min();
    let queue = |depth: &Depth| json!({ "depth": depth.open, "oldest_job": depth.oldest.map(time::format) });
    let by_context: serde_json::Map<_, _> =
        queues.iter().map(|(name, depth)| ((*name).to_owned(), queue(depth))).collect();
    let stats = json!({
        "assets": totals[0].count,
        "failed": totals[1].count,
        "images": totals[2].count,
        "originals": totals[3].count,
        "original_bytes": totals[3].weight,
        "renders": renders,
        "queue_depth": queues.iter().map(|(_, depth)| depth.open).sum::<u64>(),
        "oldest_job": oldest.map(time::format),
        "queues": by_context,
    });
    Ok(Response::json(StatusCode::OK, &stats))
}
