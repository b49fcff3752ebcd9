//! Deleting what was made of an original that is gone.

use kv_schema::content::{self, BlobId};
use store::{StoreError, count, log, read};
use work::Platform;

use crate::render::delete;

/// Products looked at in one read.
const AT_ONCE: usize = 100;

/// Deletes rungs, variants and the document that names them, that last. Doing it again finishes what was cut short.
///
/// # Errors
/// [`StoreError`].
pub async fn forget(platform: &impl Platform, blob: &BlobId) -> Result<(), StoreError> {
    let derived = read(platform, &content::derived(blob)).await?;
    if let Some(derived) = &derived {
        for &(width, height) in &derived.rungs {
            delete(platform, &content::rung(blob, width, height)).await?;
        }
        for plan in &derived.variants {
            delete(platform, &content::variant(blob, plan)).await?;
        }
    }
    let products = content::products(blob);
    let mut before = None;
    loop {
        let page = log::page(platform, &products, before, AT_ONCE).await?;
        for (_, plan) in &page.entries {
            delete(platform, &content::variant(blob, plan)).await?;
        }
        if page.next == 0 {
            break;
        }
        before = Some(page.next);
    }
    let length = count(platform, &products.length()).await?;
    let mut keys: Vec<String> = (1..=length).map(|position| products.entry(position).name().to_owned()).collect();
    keys.push(products.removed().name().to_owned());
    keys.push(products.length().name().to_owned());
    keys.push(content::derived(blob).name().to_owned());
    for group in keys.chunks(256) {
        platform.delete_many(group).await?;
    }
    Ok(())
}
