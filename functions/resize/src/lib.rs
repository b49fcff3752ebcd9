//! `resize`: pixels in, pixels out. Makes what is made of an original when it comes, and other sizes when they are
//! asked for; keeps the presets.
//!
//! The one component with decoders, and one that never dials out. Whatever takes the processor for long runs in a
//! request of its own, in an instance that has no other: hostile input that kills a decoder kills nothing else.

mod derive;
pub mod filter;
mod forget;
pub mod pixels;
mod presets;
pub mod render;
mod settings;
pub mod tell;
pub mod worker;

#[cfg(target_arch = "wasm32")]
mod component;

use http::{Method, StatusCode};
use web::{Problem, Request, Response};
use work::Platform;

/// Answers a request.
///
/// # Errors
/// The problem to answer with.
pub async fn route(platform: &impl Platform, request: Request) -> Result<Response, Problem> {
    let method = request.method.clone();
    let path = request.path.clone();
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
    match (segments.as_slice(), &method) {
        (["v1", "presets"], &Method::GET | &Method::HEAD) => presets::list(platform, &request).await,
        (["v1", "presets", name], &Method::GET | &Method::HEAD) => presets::read(platform, &request, name).await,
        (["v1", "presets", name], &Method::PUT) => presets::put(platform, request, name).await,
        (["v1", "presets", name], &Method::DELETE) => presets::delete(platform, &request, name).await,
        (["internal", "derive", blob], &Method::POST) => derive::derive(platform, blob).await,
        (["internal", "refine", blob, plan], &Method::POST) => {
            let is_there = render::refine(platform, blob, plan).await?;
            Ok(Response::new(if is_there { StatusCode::OK } else { StatusCode::ACCEPTED }))
        }
        (["v1", "presets"], _) => Err(Problem::method_not_allowed("GET, HEAD")),
        (["v1", "presets", _], _) => Err(Problem::method_not_allowed("GET, HEAD, PUT, DELETE")),
        _ => Err(Problem::no_route()),
    }
}
