//! Telling of what was made.

use events::{Data, Event, Variant};
use kv_schema::Id;
use kv_schema::asset;
use kv_schema::content::{self, BlobId};
use store::{StoreError, document, read};
use work::{Platform, Trace, trace};

/// Tells of what was made of an original when it came with an asset.
///
/// # Errors
/// [`StoreError`].
pub async fn tell_of_derived(platform: &impl Platform, id: &Id, blob: &BlobId) -> Result<(), StoreError> {
    let variants = read(platform, &content::derived(blob)).await?.map(|derived| derived.variants);
    let asset = document::get(platform, &asset::document(id)).await?;
    let trace = trace(asset.and_then(|asset| asset.value.trace).as_deref(), platform);
    tell(platform, Variant::at_ingest(id, blob, variants.unwrap_or_default()), trace).await;
    Ok(())
}

/// Tells of what was made because a request asked: `path` is the one that it asked with.
pub async fn tell_of_rendered(platform: &impl Platform, path: &str, traceparent: Option<&str>) {
    let mut segments = path.rsplit('/');
    let (Some(plan), Some(blob)) = (segments.next(), segments.next().and_then(BlobId::parse)) else { return };
    tell(platform, Variant::on_request(&blob, plan.to_owned()), trace(traceparent, platform)).await;
}

/// Tells of what was made in the background.
pub async fn tell_of_refined(platform: &impl Platform, blob: &BlobId, plan: &str) {
    tell(platform, Variant::on_request(blob, plan.to_owned()), trace(None, platform)).await;
}

async fn tell(platform: &impl Platform, made: Variant, trace: Trace) {
    let subject = made.subject();
    let event = Event { subject, sequence: 1, time: platform.now(), trace, data: Data::VariantReady(made) };
    platform.emit(&event).await;
}
