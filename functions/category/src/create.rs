//! Creating a category.

use events::Data;
use http::{StatusCode, header};
use kv_schema::Id;
use kv_schema::category::{self, Category};
use kv_schema::shape::Versioned;
use serde::Deserialize;
use store::write;
use web::query::Query;
use web::{Problem, Request, Response, idempotency, json};
use work::{Platform, Trace, trace};

use crate::name::{CategoryName, description};
use crate::path::{check_depth, live, parent, path};
use crate::tell::tell;
use crate::{children, slug, view};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCategory {
    name: String,
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

/// Creates a category.
///
/// # Responses
/// - 201 with `Location` and `ETag`.
/// - 409 `category-duplicate`, `idempotency-in-progress`.
/// - 422 `field-invalid`, `field-unknown`, `category-parent-unknown`, `category-too-deep`, `idempotency-key-reused`.
/// - 400, 413, 415.
pub async fn create(platform: &impl Platform, request: Request) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let key = idempotency::key(&request)?;
    let trace = trace(request.traceparent(), platform);
    let body = json::read_bytes(request).await?;
    idempotency::once(platform, "categories", key.as_deref(), &body, |id| create_as(platform, &body, id, trace)).await
}

async fn create_as(platform: &impl Platform, body: &[u8], id: Id, trace: Trace) -> Result<Response, Problem> {
    let new: NewCategory = json::parse(body)?;
    let name = CategoryName::parse(&new.name)?;
    let description = new.description.as_deref().map(description).transpose()?.filter(|text| !text.is_empty());
    let parent = match &new.parent {
        None => None,
        Some(text) => Some(parent(platform, text).await?),
    };
    if let Some(parent) = &parent {
        check_depth(path(platform, parent).await?.len() as u64 + 1)?;
    }
    if let Some(known) = live(platform, &id).await? {
        return created(platform, &known).await;
    }
    let parent = parent.map(|parent| parent.id);
    slug::take(platform, parent.as_ref(), &name.slug, &id).await?;
    let child_position = children::enter(platform, parent.as_ref(), &id).await?;
    // Whoever deletes the parent marks it first and looks for children then; this entered the child first and looks
    // at the parent now. One of the two sees the other.
    if let Some(parent) = &parent
        && live(platform, parent).await?.is_none()
    {
        children::leave(platform, Some(parent), child_position).await?;
        slug::give_back(platform, Some(parent), &name.slug, &id).await?;
        let mut problem = Problem::field("/parent", "the category was just deleted");
        problem.code = "category-parent-unknown";
        return Err(problem);
    }
    let now = platform.now();
    let category = Category {
        id: id.clone(),
        name: name.name,
        slug: name.slug,
        description,
        parent,
        child_position,
        created_at: now,
        updated_at: now,
        deleted: None,
    };
    let first = Versioned { version: 1, value: category };
    write(platform, &category::document(&id).current(), &first).await?;
    tell(platform, Data::CategoryCreated, &first, trace).await;
    created(platform, &first).await
}

async fn created(platform: &impl Platform, category: &Versioned<Category>) -> Result<Response, Problem> {
    let response = view::respond(platform, StatusCode::CREATED, category).await?;
    Ok(response.with_header(header::LOCATION, format!("/v1/categories/{}", category.value.id)))
}
