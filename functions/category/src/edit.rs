//! Changing a category: renaming, describing, moving.

use events::Data;
use http::StatusCode;
use kv_schema::category::{self, Category};
use kv_schema::job::{self, RetrieveJob};
use kv_schema::shape::Versioned;
use kv_schema::{Id, image::Listing};
use serde::Deserialize;
use store::document::{self, Updated};
use store::{StoreError, index};
use web::conditional::{Condition, check_if_match};
use web::json::{not_null, nullable};
use web::query::Query;
use web::{Problem, Request, Response, json};
use work::queue::{self, Reserved};
use work::{Context, Platform, trace};

use crate::name::{CategoryName, description};
use crate::path::{check_depth, find, height, not_found, parent, path};
use crate::tell::tell;
use crate::{children, slug, view};

/// A move of so many images is carried out before the answer; of more, after it.
const MOST_AT_ONCE: u64 = 200;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryChanges {
    #[serde(default, deserialize_with = "not_null")]
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    parent: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    description: Option<Option<String>>,
}

/// Changes a category.
///
/// # Responses
/// - 200 with the new `ETag`.
/// - 404 `category-not-found`; 409 `category-cycle`, `category-duplicate`; 412 `precondition-failed`.
/// - 422 `field-invalid`, `field-unknown`, `category-parent-unknown`, `category-too-deep`; 400, 413, 415.
pub async fn edit(platform: &impl Platform, request: Request, id: &str) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let condition = Condition::if_match(&request)?;
    let trace = trace(request.traceparent(), platform);
    let changes: CategoryChanges = json::read(request).await?;
    let found = find(platform, id).await?;
    check_if_match(condition.as_ref(), found.version)?;
    let before = found.value;

    let mut after = before.clone();
    if let Some(name) = &changes.name {
        let name = CategoryName::parse(name)?;
        (after.name, after.slug) = (name.name, name.slug);
    }
    if let Some(text) = &changes.description {
        after.description = text.as_deref().map(description).transpose()?.filter(|text| !text.is_empty());
    }
    if let Some(text) = &changes.parent {
        after.parent = match text {
            None => None,
            Some(text) => Some(new_parent(platform, &before, text).await?),
        };
    }
    if after == before {
        let unchanged = Versioned { version: found.version, value: before };
        return Ok(view::respond(platform, StatusCode::OK, &unchanged).await?);
    }
    let has_moved = after.parent != before.parent;
    let job = if has_moved { Some(reserve(platform, &before.id).await?) } else { None };
    let written = change(platform, &before, after, condition.as_ref(), found.version, job).await?;
    if has_moved {
        check_circle(platform, &before, &written).await?;
        recategorise(platform, &before.id).await?;
        tell(platform, Data::CategoryMoved, &written, trace).await;
    }
    if written.value.name != before.name || written.value.slug != before.slug {
        tell(platform, Data::CategoryRenamed, &written, trace).await;
    }
    Ok(view::respond(platform, StatusCode::OK, &written).await?)
}

async fn new_parent(platform: &impl Platform, category: &Category, text: &str) -> Result<Id, Problem> {
    let parent = parent(platform, text).await?;
    let above = path(platform, &parent).await?;
    if above.iter().any(|step| step.id == category.id) {
        return Err(circle());
    }
    check_depth(above.len() as u64 + height(platform, &category.id).await?)?;
    Ok(parent.id)
}

fn circle() -> Problem {
    Problem::conflict("category-cycle", "a category can't be moved below itself")
}

/// Takes what the new place needs, writes the document, gives back what the old place had.
async fn change(
    platform: &impl Platform,
    before: &Category,
    mut after: Category,
    condition: Option<&Condition>,
    version: u64,
    job: Option<Reserved<RetrieveJob>>,
) -> Result<Versioned<Category>, Problem> {
    let has_moved = after.parent != before.parent;
    let has_new_place = has_moved || after.slug != before.slug;
    if has_new_place {
        slug::take(platform, after.parent.as_ref(), &after.slug, &after.id).await?;
    }
    if has_moved {
        after.child_position = children::enter(platform, after.parent.as_ref(), &after.id).await?;
    }
    after.updated_at = platform.now();
    let jobs: Vec<_> = job.iter().map(Reserved::entry).collect();
    let updated = document::update_with(platform, platform, &category::document(&after.id), &jobs, |current| {
        let current = current.filter(|current| current.value.deleted.is_none()).ok_or_else(not_found)?;
        check_if_match(condition, current.version)?;
        // Another change came first. Without a condition the caller wants its own fields, whatever the others are;
        // what was worked out from the old place no longer holds.
        Ok::<_, Problem>((current.version == version).then(|| after.clone()))
    })
    .await;
    let is_written = matches!(&updated, Ok(Updated::Written(_)));
    if let Some(job) = job {
        settle(platform, job, is_written).await?;
    }
    let (left, kept) = if is_written { (before, &after) } else { (&after, before) };
    if has_moved {
        children::leave(platform, left.parent.as_ref(), left.child_position).await?;
    }
    if has_new_place && (left.parent != kept.parent || left.slug != kept.slug) {
        slug::give_back(platform, left.parent.as_ref(), &left.slug, &after.id).await?;
    }
    match updated? {
        Updated::Written(written) => Ok(written),
        Updated::Unchanged(_) => {
            let detail = "the category was changed by another request at the same time; read it again";
            Err(Problem::conflict("category-changed", detail))
        }
    }
}

/// Two moves at once can each be right and make a circle together: then the one who sees it takes its own back.
async fn check_circle(
    platform: &impl Platform,
    before: &Category,
    written: &Versioned<Category>,
) -> Result<(), Problem> {
    let mut next = written.value.parent.clone();
    for _ in 0..2 * crate::path::MOST_LEVELS {
        let Some(id) = next else { return Ok(()) };
        if id == before.id {
            change(platform, &written.value, before.clone(), None, written.version, None).await?;
            return Err(circle());
        }
        next = crate::path::live(platform, &id).await?.and_then(|step| step.value.parent);
    }
    Err(circle())
}

/// The job that brings the images at and below a category to where it is now, to be written with the category.
///
/// # Errors
/// [`StoreError`].
pub async fn reserve(platform: &impl Platform, id: &Id) -> Result<Reserved<RetrieveJob>, StoreError> {
    let task = RetrieveJob::Recategorise { category: id.clone() };
    queue::reserve(platform, platform, &job::retrieve(), task).await
}

/// Sees that the job will be found, or gives its place back.
///
/// # Errors
/// [`StoreError`].
pub async fn settle(platform: &impl Platform, job: Reserved<RetrieveJob>, is_written: bool) -> Result<(), StoreError> {
    let queue = job::retrieve();
    if is_written {
        job.written(platform, platform, &queue).await
    } else {
        job.unwanted(platform, platform, &queue).await
    }
}

/// Brings the images of a category along before the answer, where they are few. It is on record, too, and the event
/// that the caller tells of next has it done.
///
/// # Errors
/// [`StoreError`].
pub async fn recategorise(platform: &impl Platform, id: &Id) -> Result<(), StoreError> {
    let n_images = index::totals(platform, &Listing::Tree(id.clone()).index()).await?.count;
    if (1..=MOST_AT_ONCE).contains(&n_images)
        && let Err(cause) = platform.ask(Context::Retrieve, &format!("/internal/recategorise/{id}")).await
    {
        platform.log(&format!("the images of category {id} follow later: {cause}"));
    }
    Ok(())
}
