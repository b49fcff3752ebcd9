//! The Redis side of the component.
#![expect(unsafe_code, reason = "`redis_subscriber` generates the export's glue here")]

use anyhow::Result;
use bytes::Bytes;
use spin_sdk::redis_subscriber;

/// Stores each message, and how many there have been.
#[redis_subscriber]
async fn on_message(message: Bytes) -> Result<()> {
    crate::work::on_message(message).await
}
