//! `retrieve`: images, the read model, and the delivery of their bytes.
//!
//! Holds no codec and never dials out: what is not stored yet it has `resize` make.

mod categories;
mod deliver;
mod dialect;
mod find;
pub mod health;
mod list;
pub mod project;
mod rebuild;
mod show;
mod view;
pub mod worker;

#[cfg(target_arch = "wasm32")]
mod component;

use http::{Method, StatusCode};
use web::{Problem, Request, Response};
use work::Platform;

use crate::project::Trust;

/// Answers a request.
///
/// # Errors
/// The problem to answer with.
pub async fn route<P: Platform + 'static>(platform: P, request: Request) -> Result<Response, Problem> {
    let method = request.method.clone();
    let path = request.path.clone();
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
    match (segments.as_slice(), &method) {
        (["i", id, transform], &Method::GET | &Method::HEAD) => {
            deliver::deliver(platform, &request, id, transform).await
        }
        (["imgproxy" | "thumbor" | "cdn-cgi" | "imgix", ..], &Method::GET | &Method::HEAD) => {
            dialect::deliver(platform, &request).await
        }
        (["iiif", ..], &Method::GET | &Method::HEAD) => dialect::iiif(platform, &request).await,
        (["i" | "imgproxy" | "thumbor" | "cdn-cgi" | "imgix" | "iiif", ..], &Method::OPTIONS) => {
            Ok(deliver::preflight())
        }
        (["v1", "images"], &Method::GET | &Method::HEAD) => list::list(&platform, &request).await,
        (["v1", "images", id], &Method::GET | &Method::HEAD) => show::show(&platform, &request, id).await,
        (["healthz"], &Method::GET | &Method::HEAD) => health::health(&platform).await,
        (["v1", "stats"], &Method::GET | &Method::HEAD) => health::stats(&platform, &request).await,
        (["v1", "rebuild"], &Method::POST) => rebuild::start(&platform, &request).await,
        (["v1", "rebuild"], &Method::GET | &Method::HEAD) => rebuild::show(&platform, &request).await,
        (["internal", "project", id], &Method::POST) => {
            project::project_by_text(&platform, id).await?;
            Ok(Response::new(StatusCode::NO_CONTENT))
        }
        (["internal", "recategorise", id], &Method::POST) => {
            worker::recategorise(&platform, &find::image_id(id)?, Trust::Usual).await?;
            Ok(Response::new(StatusCode::NO_CONTENT))
        }
        (["i", _, _] | ["imgproxy" | "thumbor" | "cdn-cgi" | "imgix" | "iiif", ..], _) => {
            Err(Problem::method_not_allowed("GET, HEAD, OPTIONS"))
        }
        (["v1", "images"] | ["v1", "images", _] | ["healthz"] | ["v1", "stats"], _) => {
            Err(Problem::method_not_allowed("GET, HEAD"))
        }
        (["v1", "rebuild"], _) => Err(Problem::method_not_allowed("GET, HEAD, POST")),
        _ => Err(Problem::no_route()),
    }
}

#[cfg(test)]
mod tests;
