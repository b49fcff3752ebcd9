//! Which assets there are, which of them failed, which were deleted: an index of each, kept in step with the documents.

use kv_schema::Id;
use kv_schema::asset::{self, State};
use store::{StoreError, document, index};
use work::Platform;

/// Brings the indexes to what an asset's document says. Every change that matters here leaves a job, and every job does
/// this; so they are right as soon as no job is left.
///
/// # Errors
/// [`StoreError`]; doing it again finishes it.
pub async fn enter(platform: &impl Platform, id: &Id) -> Result<(), StoreError> {
    loop {
        let Some(asset) = document::get(platform, &asset::document(id)).await? else { return Ok(()) };
        let is_deleted = asset.value.deleted_at.is_some();
        let is_failed = !is_deleted && asset.value.state == State::Failed;
        for (index, belongs) in
            [(asset::all(), !is_deleted), (asset::failed(), is_failed), (asset::deleted(), is_deleted)]
        {
            if belongs {
                index::insert(platform, platform, &index, id.as_str(), 0).await?;
            } else {
                index::remove(platform, platform, &index, id.as_str()).await?;
            }
        }
        // Another change may have been entered before this one was: whoever comes last looks again.
        let now = document::get(platform, &asset::document(id)).await?;
        if now.is_none_or(|now| now.version == asset.version) {
            return Ok(());
        }
    }
}
