//! `category`: the tree that images are kept in.

mod children;
mod create;
mod delete;
mod edit;
mod name;
mod path;
mod read;
mod slug;
mod tell;
mod view;

#[cfg(target_arch = "wasm32")]
mod component;

use http::Method;
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
        (["v1", "categories"], &Method::POST) => create::create(platform, request).await,
        (["v1", "categories"], &Method::GET | &Method::HEAD) => read::list(platform, &request).await,
        (["v1", "categories", id], &Method::GET | &Method::HEAD) => read::read(platform, &request, id).await,
        (["v1", "categories", id, "tree"], &Method::GET | &Method::HEAD) => read::tree(platform, &request, id).await,
        (["v1", "categories", id], &Method::PATCH) => edit::edit(platform, request, id).await,
        (["v1", "categories", id], &Method::DELETE) => delete::delete(platform, &request, id).await,
        (["v1", "categories"], _) => Err(Problem::method_not_allowed("GET, HEAD, POST")),
        (["v1", "categories", _], _) => Err(Problem::method_not_allowed("GET, HEAD, PATCH, DELETE")),
        (["v1", "categories", _, "tree"], _) => Err(Problem::method_not_allowed("GET, HEAD")),
        _ => Err(Problem::no_route()),
    }
}

#[cfg(test)]
mod tests;
