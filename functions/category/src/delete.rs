//! Deleting a category.

use events::Data;
use kv_schema::category::{self, Category, Deleted};
use kv_schema::image::{self, Listing, Projection};
use kv_schema::{Id, shape::Versioned};
use store::document::{self, Updated};
use store::{Store, StoreError, index, read_many};
use web::conditional::{Condition, check_if_match};
use web::query::Query;
use web::{Problem, Request, Response};
use work::{Platform, trace};

use crate::edit::{recategorise, reserve, settle};
use crate::path::{child_page, find, live, not_found};
use crate::tell::tell;
use crate::{children, slug};

/// Deletes a category without children. Its images go to `reassign_to`; without that it must have none.
///
/// # Responses
/// - 204.
/// - 404 `category-not-found`; 409 `category-not-empty`; 412 `precondition-failed`; 422 `category-reassign-invalid`.
pub async fn delete(platform: &impl Platform, request: &Request, id: &str) -> Result<Response, Problem> {
    let query = Query::parse(&request.query, &["reassign_to"])?;
    let condition = Condition::if_match(request)?;
    let found = find(platform, id).await?;
    check_if_match(condition.as_ref(), found.version)?;
    let id = found.value.id.clone();
    let target = match query.get("reassign_to") {
        None => None,
        Some(text) => Some(reassign_target(platform, &id, text).await?),
    };
    check_empty(platform, &id, target.is_some()).await?;
    let job = reserve(platform, &id).await?;
    let deleted = mark(platform, &id, condition.as_ref(), target.clone(), &[job.entry()]).await;
    settle(platform, job, deleted.is_ok()).await?;
    let deleted = deleted?;
    // Marked first and looked at again then: whoever puts a child or an image in looks after having put it.
    if let Err(problem) = check_empty(platform, &id, target.is_some()).await {
        unmark(platform, &deleted).await?;
        return Err(problem);
    }
    let Category { parent, child_position, slug, .. } = &deleted.value;
    children::leave(platform, parent.as_ref(), *child_position).await?;
    slug::give_back(platform, parent.as_ref(), slug, &id).await?;
    recategorise(platform, &id).await?;
    tell(platform, Data::CategoryDeleted, &deleted, trace(request.traceparent(), platform)).await;
    Ok(Response::no_content())
}

async fn reassign_target(store: &impl Store, id: &Id, text: &str) -> Result<Id, Problem> {
    let invalid = |detail: &str| Problem::unprocessable("category-reassign-invalid", detail);
    let target = Id::parse(text).map_err(|_| invalid("reassign_to is no category's id"))?;
    if target == *id {
        return Err(invalid("a category's images can't be given to itself"));
    }
    match live(store, &target).await? {
        Some(_) => Ok(target),
        None => Err(invalid("reassign_to names no category that exists")),
    }
}

async fn check_empty(store: &impl Store, id: &Id, images_have_a_target: bool) -> Result<(), Problem> {
    let refused = |detail: &str| Problem::conflict("category-not-empty", detail);
    if has_children(store, id).await? {
        return Err(refused("the category has children; move or delete them first"));
    }
    if !images_have_a_target && has_images(store, id).await? {
        return Err(refused("the category has images; say with reassign_to where they go"));
    }
    Ok(())
}

async fn has_children(store: &impl Store, id: &Id) -> Result<bool, StoreError> {
    let mut before = None;
    loop {
        let (children, next) = child_page(store, Some(id), before, 20).await?;
        if !children.is_empty() || next == 0 {
            return Ok(!children.is_empty());
        }
        before = Some(next);
    }
}

async fn has_images(store: &impl Store, id: &Id) -> Result<bool, StoreError> {
    let listing = Listing::Category(id.clone());
    let mut before: Option<String> = None;
    loop {
        let entries = index::page(store, &listing.index(), before.as_deref(), 20).await?;
        let ids: Vec<Id> = entries.iter().filter_map(|entry| Id::parse(&entry.0).ok()).collect();
        let keys: Vec<_> = ids.iter().map(|id| image::document(id).current()).collect();
        let images = read_many(store, &keys).await?;
        // An entry counts if its image says that it stands there.
        let is_here = |image: &Versioned<Projection>| match &image.value {
            Projection::Shown(image) => image.listings.contains(&listing),
            Projection::Deleted { .. } => false,
        };
        if images.iter().flatten().any(is_here) {
            return Ok(true);
        }
        match entries.into_iter().last() {
            Some(last) => before = Some(last.0),
            None => return Ok(false),
        }
    }
}

async fn mark(
    platform: &impl Platform,
    id: &Id,
    condition: Option<&Condition>,
    reassigned_to: Option<Id>,
    jobs: &[(String, Vec<u8>)],
) -> Result<Versioned<Category>, Problem> {
    let document = category::document(id);
    let updated = document::update_with(platform, platform, &document, jobs, |current| {
        let current = current.filter(|current| current.value.deleted.is_none()).ok_or_else(not_found)?;
        check_if_match(condition, current.version)?;
        let mut category = current.value.clone();
        category.deleted = Some(Deleted { at: platform.now(), reassigned_to: reassigned_to.clone() });
        Ok::<_, Problem>(Some(category))
    });
    match updated.await? {
        Updated::Written(category) => Ok(category),
        Updated::Unchanged(_) => Err(Problem::internal("a deletion wrote nothing")),
    }
}

async fn unmark(platform: &impl Platform, deleted: &Versioned<Category>) -> Result<(), Problem> {
    document::update(platform, platform, &category::document(&deleted.value.id), |current| {
        let is_mine = current.is_some_and(|current| current.version == deleted.version);
        Ok::<_, StoreError>(is_mine.then(|| Category { deleted: None, ..deleted.value.clone() }))
    })
    .await?;
    Ok(())
}
