//! Telling of what happens to assets.

use events::{Data, Event};
use kv_schema::asset::Asset;
use kv_schema::shape::Versioned;
use work::{Platform, Trace, trace};

/// Tells that `what` happened to an asset, which is stored as it is here.
pub async fn tell(platform: &impl Platform, what: fn(events::Asset) -> Data, asset: &Versioned<Asset>, trace: Trace) {
    let event = Event {
        subject: asset.value.id.to_string(),
        sequence: asset.version,
        time: asset.value.updated_at,
        trace,
        data: what((&asset.value).into()),
    };
    platform.emit(&event).await;
}

/// [`tell`], as a step of what began with the request that made the asset.
pub async fn tell_on(platform: &impl Platform, what: fn(events::Asset) -> Data, asset: &Versioned<Asset>) {
    tell(platform, what, asset, trace(asset.value.trace.as_deref(), platform)).await;
}
