//! Slugs: one category holds a slug below a parent, decided by a document of its own.

use kv_schema::category::{self, Category, SlugHolder};
use kv_schema::{Id, Millis};
use store::document::{self, Updated};
use store::{Clock, Store, StoreError};
use web::Problem;

use crate::path::live;

/// A holder whose category was not written after so long died before it could, in milliseconds.
const DEAD_AFTER: Millis = 30_000;

/// Takes a slug for a category. Taking it again is no error.
///
/// # Errors
/// `409 category-duplicate`.
pub async fn take(platform: &(impl Store + Clock), parent: Option<&Id>, slug: &str, taker: &Id) -> Result<(), Problem> {
    let document = category::slug(parent, slug);
    loop {
        let held = document::get(platform, &document).await?;
        if let Some(held) = &held
            && is_held(platform, parent, slug, &held.value, taker).await?
        {
            let detail = format!("a category with the slug {slug:?} exists at this place");
            return Err(Problem::conflict("category-duplicate", detail));
        }
        let version = held.map_or(0, |held| held.version);
        let holder = SlugHolder { category: Some(taker.clone()), at: platform.now() };
        let updated = document::update(platform, platform, &document, |current| {
            let is_unchanged = current.map_or(0, |current| current.version) == version;
            Ok::<_, StoreError>(is_unchanged.then(|| holder.clone()))
        });
        if let Updated::Written(_) = updated.await? {
            return Ok(());
        }
    }
}

async fn is_held(
    platform: &(impl Store + Clock),
    parent: Option<&Id>,
    slug: &str,
    held: &SlugHolder,
    taker: &Id,
) -> Result<bool, StoreError> {
    let Some(holder) = held.category.as_ref().filter(|holder| *holder != taker) else { return Ok(false) };
    let is_here = |category: &Category| category.parent.as_ref() == parent && category.slug == slug;
    let is_true = live(platform, holder).await?.is_some_and(|holder| is_here(&holder.value));
    // Who has just taken it may not have written its category yet.
    Ok(is_true || platform.now() - held.at < DEAD_AFTER)
}

/// Gives a slug back, if `holder` has it.
///
/// # Errors
/// [`StoreError`].
pub async fn give_back(
    platform: &(impl Store + Clock),
    parent: Option<&Id>,
    slug: &str,
    holder: &Id,
) -> Result<(), StoreError> {
    document::update(platform, platform, &category::slug(parent, slug), |current| {
        let is_mine = current.is_some_and(|current| current.value.category.as_ref() == Some(holder));
        Ok::<_, StoreError>(is_mine.then(|| SlugHolder { category: None, at: platform.now() }))
    })
    .await?;
    Ok(())
}
