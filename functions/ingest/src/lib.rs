//! `ingest`: assets, the write model. Takes a URL or a file, stores the bytes, sees the asset through to `ready`.
//!
//! The one component that dials out, and one without a decoder: it reads headers and no more.

#![allow(async_fn_in_trait, reason = "every executor here is single-threaded: wasm, and tests")]

mod batch;
mod catalogue;
mod changes;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod config;
mod create;
mod details;
pub mod download;
mod events;
mod list;
pub mod multipart;
mod originals;
mod read;
mod source_url;
mod tell;
mod upload;
mod view;
pub mod worker;

use http::Method;
use web::{Problem, Request, Response};
use work::Platform;

/// Answers a request.
///
/// # Errors
/// The problem to answer with.
pub async fn route<P: Platform + 'static>(platform: P, request: Request) -> Result<Response, Problem> {
    let method = request.method.clone();
    let path = request.path.clone();
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
    match (segments.as_slice(), &method) {
        (["v1", "assets"], &Method::POST) => create::create(&platform, request).await,
        (["v1", "assets"], &Method::GET | &Method::HEAD) => list::list(&platform, &request).await,
        (["v1", "assets", "retry"], &Method::POST) => changes::retry_all(&platform, &request).await,
        (["v1", "assets", "batch"], &Method::POST) => batch::create_many(platform, request).await,
        (["v1", "assets", "batch" | "retry"], _) => Err(Problem::method_not_allowed("POST")),
        (["v1", "assets", id], &Method::GET | &Method::HEAD) => read::read(&platform, &request, id).await,
        (["v1", "assets", id], &Method::PATCH) => changes::edit(&platform, request, id).await,
        (["v1", "assets", id], &Method::DELETE) => changes::delete(&platform, &request, id).await,
        (["v1", "assets", id, "events"], &Method::GET) => events::follow(platform, &request, id).await,
        (["v1", "assets", id, "retry"], &Method::POST) => changes::retry(&platform, &request, id).await,
        (["v1", "assets"], _) => Err(Problem::method_not_allowed("GET, HEAD, POST")),
        (["v1", "assets", _, "retry"], _) => Err(Problem::method_not_allowed("POST")),
        (["v1", "assets", _], _) => Err(Problem::method_not_allowed("GET, HEAD, PATCH, DELETE")),
        (["v1", "assets", _, "events"], _) => Err(Problem::method_not_allowed("GET")),
        _ => Err(Problem::no_route()),
    }
}

#[cfg(test)]
mod tests;
