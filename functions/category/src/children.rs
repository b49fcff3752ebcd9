//! A category's entry among the children of its parent.

use kv_schema::Id;
use kv_schema::category;
use store::{Store, StoreError, log};

/// Enters a category among the children of `parent`; answers the position.
///
/// # Errors
/// [`StoreError`].
pub async fn enter(store: &impl Store, parent: Option<&Id>, id: &Id) -> Result<u64, StoreError> {
    log::append(store, &category::children(parent), id.clone()).await
}

/// Takes a category's entry out again.
///
/// # Errors
/// [`StoreError`].
pub async fn leave(store: &impl Store, parent: Option<&Id>, position: u64) -> Result<(), StoreError> {
    log::remove(store, &category::children(parent), position).await
}
