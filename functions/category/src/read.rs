//! Reading categories: one, the children of one, the tree below one.

use http::StatusCode;
use kv_schema::Id;
use kv_schema::category::Category;
use serde::Serialize;
use store::{Store, StoreError};
use web::page::PageRequest;
use web::query::Query;
use web::{Problem, Request, Response};
use work::Platform;

use crate::path::{MOST_LEVELS, child_page, children, find};
use crate::view;

/// Levels of a tree that are shown where the caller does not say.
const DEFAULT_DEPTH: u64 = 3;

/// Categories in one tree that is shown.
const MOST_NODES: usize = 1_000;

/// Shows a category.
///
/// # Responses
/// - 200 with `ETag`; 404 `category-not-found`.
pub async fn read(platform: &impl Platform, request: &Request, id: &str) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let category = find(platform, id).await?;
    Ok(view::respond(platform, StatusCode::OK, &category).await?)
}

/// Lists the children of a category, or the roots; the newest first.
///
/// # Responses
/// - 200; 404 `category-not-found`; 400 `parameter-invalid`, `parameter-unknown`, `cursor-invalid`.
pub async fn list(platform: &impl Platform, request: &Request) -> Result<Response, Problem> {
    let query = Query::parse(&request.query, &["parent", "limit", "cursor"])?;
    let parent = match query.get("parent") {
        None => None,
        Some(id) => Some(find(platform, id).await?.value.id),
    };
    let page = PageRequest::parse(&query, format!("children|{parent:?}"))?;
    let mut views = Vec::with_capacity(page.limit);
    let mut before = page.position.map(|position| u64::try_from(position).unwrap_or(u64::MAX));
    let next = loop {
        let wanted = page.limit - views.len();
        let (children, next) = child_page(platform, parent.as_ref(), before, wanted).await?;
        for (_, child) in &children {
            views.push(view::view(platform, child).await?);
        }
        if next == 0 {
            break None;
        }
        if views.len() == page.limit {
            break Some(u128::from(next));
        }
        before = Some(next);
    };
    Ok(page.respond(&request.path, &request.query, &views, next))
}

/// A category and what is below it.
#[derive(Debug, Serialize)]
struct Node {
    id: Id,
    name: String,
    slug: String,
    description: Option<String>,
    children: Vec<Node>,
    /// Whether there are children that are not shown.
    has_more: bool,
}

/// Shows the tree below a category.
///
/// # Responses
/// - 200; 404 `category-not-found`; 400 `parameter-invalid`.
pub async fn tree(platform: &impl Platform, request: &Request, id: &str) -> Result<Response, Problem> {
    let query = Query::parse(&request.query, &["depth"])?;
    let expected = format!("a whole number from 1 to {MOST_LEVELS}");
    let depth = query
        .parsed("depth", &expected, |text| text.parse().ok().filter(|depth| (1..=MOST_LEVELS).contains(depth)))?
        .unwrap_or(DEFAULT_DEPTH);
    let root = find(platform, id).await?.value;
    let mut n_left = MOST_NODES;
    let node = grow(platform, root, depth, &mut n_left).await?;
    Ok(Response::json(StatusCode::OK, &node))
}

/// The tree at `category`, `depth` levels below it.
async fn grow(store: &impl Store, category: Category, depth: u64, n_left: &mut usize) -> Result<Node, StoreError> {
    let mut below = children(store, Some(&category.id)).await?;
    let n_shown = if depth == 0 { 0 } else { below.len().min(*n_left) };
    let has_more = n_shown < below.len();
    below.truncate(n_shown);
    *n_left -= n_shown;
    let mut nodes = Vec::with_capacity(n_shown);
    for child in below {
        nodes.push(Box::pin(grow(store, child, depth - 1, n_left)).await?);
    }
    let Category { id, name, slug, description, .. } = category;
    Ok(Node { id, name, slug, description, children: nodes, has_more })
}
