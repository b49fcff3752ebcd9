//! A category as the API shows it.

use http::StatusCode;
use kv_schema::category::{self, Category};
use kv_schema::image::Listing;
use kv_schema::shape::Versioned;
use serde::Serialize;
use store::{Store, StoreError, index, log};
use web::conditional::version_etag;
use web::{Response, time};

use crate::path::path;

/// A category's document. Its shape is the contract.
#[derive(Serialize)]
pub struct CategoryView {
    id: String,
    name: String,
    slug: String,
    description: Option<String>,
    parent: Option<String>,
    path: Vec<Step>,
    counts: Counts,
    created_at: String,
    updated_at: String,
}

/// A step of a path, from the root down.
#[derive(Serialize)]
struct Step {
    id: String,
    name: String,
    slug: String,
}

/// What is in a category.
#[derive(Debug, Serialize)]
pub struct Counts {
    children: u64,
    images: u64,
    images_with_descendants: u64,
}

/// The view of a category, with its path and counts.
///
/// # Errors
/// [`StoreError`].
pub async fn view(store: &impl Store, category: &Category) -> Result<CategoryView, StoreError> {
    let path = path(store, category).await?;
    let step = |step: Category| Step { id: step.id.into(), name: step.name, slug: step.slug };
    Ok(CategoryView {
        id: category.id.to_string(),
        name: category.name.clone(),
        slug: category.slug.clone(),
        description: category.description.clone(),
        parent: category.parent.as_ref().map(ToString::to_string),
        path: path.into_iter().map(step).collect(),
        counts: counts(store, category).await?,
        created_at: time::format(category.created_at),
        updated_at: time::format(category.updated_at),
    })
}

/// What is in a category.
///
/// # Errors
/// [`StoreError`].
async fn counts(store: &impl Store, category: &Category) -> Result<Counts, StoreError> {
    let images = Listing::Category(category.id.clone()).index();
    let tree = Listing::Tree(category.id.clone()).index();
    let totals = index::totals_many(store, &[images, tree]).await?;
    Ok(Counts {
        children: log::live(store, &category::children(Some(&category.id))).await?,
        images: totals[0].count,
        images_with_descendants: totals[1].count,
    })
}

/// The answer that shows a category.
///
/// # Errors
/// [`StoreError`].
pub async fn respond(
    store: &impl Store,
    status: StatusCode,
    category: &Versioned<Category>,
) -> Result<Response, StoreError> {
    let view = view(store, &category.value).await?;
    Ok(Response::json(status, &view).with_header(http::header::ETAG, version_etag(category.version)))
}
