//! The version of the key space that a store is in: written at the first use, compared at every start, brought up where
//! it is an older one.

use kv_schema::asset::{self, Asset};
use kv_schema::image::Listing;
use kv_schema::job::{self, RetrieveJob};
use kv_schema::schema::{self, CURRENT, Schema};
use kv_schema::shape::{Entry, Job};
use kv_schema::{Id, content};

use crate::{Clock, Store, StoreError, delete_all, document, index, log, pair, read};

/// Images brought up in one step.
const AT_ONCE: usize = 20;

/// How a store stands to the key space that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They are the same.
    Current,
    /// The store is of an older one, and is to be brought up first.
    Older,
}

/// Compares, and marks a store that was never used as current.
///
/// # Errors
/// [`StoreError::Newer`] when a later program has written the store: this one would damage it.
pub async fn check(store: &impl Store, clock: &impl Clock) -> Result<Standing, StoreError> {
    match document::get(store, &schema::version()).await?.map(|schema| schema.value.version) {
        Some(found) if found > CURRENT => Err(StoreError::Newer { found, known: CURRENT }),
        Some(CURRENT) => Ok(Standing::Current),
        Some(_) => Ok(Standing::Older),
        None if store.get(schema::accepted_v1().name()).await?.is_some() => Ok(Standing::Older),
        None => {
            note(store, clock, Schema { version: CURRENT, before: None }).await?;
            Ok(Standing::Current)
        }
    }
}

/// Brings a store of the first version one step nearer to the second. Whoever finds it older calls this until it is
/// not; several may at once, because each step can be done twice.
///
/// # Errors
/// [`StoreError`]; calling it again goes on from there.
pub async fn bring_up(store: &impl Store, clock: &impl Clock) -> Result<(), StoreError> {
    let before = document::get(store, &schema::version()).await?.and_then(|schema| schema.value.before);
    let listing = schema::listing_v1(&Listing::All);
    let page = log::page(store, &listing, before, AT_ONCE).await?;
    for (position, entry) in &page.entries {
        bring_up_image(store, clock, &entry.id, *position).await?;
    }
    if page.next > 0 {
        return note(store, clock, Schema { version: 1, before: Some(page.next) }).await;
    }
    note(store, clock, Schema { version: CURRENT, before: None }).await?;
    delete_all(store, &schema::counters_v1()).await?;
    delete_all(store, &[listing.length(), listing.removed()]).await
}

/// Enters an image's asset and bytes in the indexes, takes its old document and places away, and leaves a job that
/// projects it anew.
async fn bring_up_image(store: &impl Store, clock: &impl Clock, id: &Id, position: u64) -> Result<(), StoreError> {
    let document = asset::document(id);
    document::update(store, clock, &document, |current| {
        let asset = current.map(|current| &current.value).filter(|asset| asset.edited_at == 0);
        Ok::<_, StoreError>(asset.map(|asset| Asset { edited_at: asset.updated_at, ..asset.clone() }))
    })
    .await?;
    let Some(asset) = document::get(store, &document).await? else { return Ok(()) };
    let is_deleted = asset.value.deleted_at.is_some();
    let assets = if is_deleted { asset::deleted() } else { asset::all() };
    index::insert(store, clock, &assets, id.as_str(), 0).await?;
    if let (Some(content), false) = (&asset.value.content, is_deleted) {
        index::insert(store, clock, &content::blobs(), &content.blob.text(), content.bytes).await?;
    }
    let queue = job::retrieve();
    let at = u64::try_from(store.increment(queue.length().name(), 1).await?).unwrap_or(0);
    let task = RetrieveJob::Project { asset: id.clone() };
    store.set_many(vec![pair(&queue.job(at), &Job::Open { at: clock.now(), task })?]).await?;
    // Only now, so that whoever does this again finds it all.
    let image = read(store, &schema::image_v1(id)).await.ok().flatten();
    let mut keys = vec![schema::image_v1(id).name().to_owned()];
    for place in image.into_iter().flat_map(|image| image.value.places) {
        let listing = schema::listing_v1(&place.listing);
        if place.listing != Listing::All {
            keys.push(listing.entry(place.position).name().to_owned());
            keys.extend([listing.length(), listing.removed()].map(|counter| counter.name().to_owned()));
        }
    }
    store.delete_many(&keys).await?;
    let dead = Entry::<schema::ListedV1>::Dead { below: position.saturating_sub(1) };
    store.set_many(vec![pair(&schema::listing_v1(&Listing::All).entry(position), &dead)?]).await
}

/// Writes the version, unless a later one has been reached meanwhile.
async fn note(store: &impl Store, clock: &impl Clock, schema: Schema) -> Result<(), StoreError> {
    document::update(store, clock, &schema::version(), |current| {
        let is_later = current.is_none_or(|current| current.value.version <= schema.version);
        Ok::<_, StoreError>(is_later.then(|| schema.clone()))
    })
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use serde_json::json;

    use super::*;
    use crate::memory::{MemoryStore, TestClock};

    #[test]
    fn marks_a_new_store_and_refuses_a_newer_one() {
        let (store, clock) = (MemoryStore::default(), TestClock::default());
        assert_eq!(block_on(check(&store, &clock)), Ok(Standing::Current));
        assert_eq!(block_on(check(&store, &clock)), Ok(Standing::Current));
        let newer = Schema { version: CURRENT + 1, before: None };
        block_on(note(&store, &clock, newer)).unwrap();
        assert_eq!(block_on(check(&store, &clock)), Err(StoreError::Newer { found: CURRENT + 1, known: CURRENT }));
    }

    /// What the first version wrote for an image, byte for byte but for what does not matter here.
    fn write_v1(store: &MemoryStore, number: u64) -> Id {
        let id = Id::from_parts(number, 0);
        let blob = json!({ "sha256": "a".repeat(64), "generation": 0 });
        let asset = json!({ "version": 3, "value": {
            "id": id, "source": { "kind": "upload" }, "state": "ready", "history": [], "attempts": 0,
            "details": { "tags": ["red"] },
            "content": { "blob": blob, "reference": 1, "bytes": 5, "mime": "image/png", "width": 1, "height": 1 },
            "created_at": number, "updated_at": number + 1,
        }});
        let image = json!({ "version": 1, "value": { "places": [
            { "listing": "all", "position": number }, { "listing": { "tag": "red" }, "position": number },
        ]}});
        let entry = json!({ "live": { "id": id, "at": number } });
        let entries = [
            (format!("asset:{id}"), asset),
            (format!("image:{id}"), image),
            (format!("list:all:{number}"), entry.clone()),
            (format!("list:tag:red:{number}"), entry),
        ];
        let entries = entries.map(|(key, value)| (key, value.to_string().into_bytes()));
        block_on(store.set_many(entries.to_vec())).unwrap();
        for counter in ["list:all:len", "list:tag:red:len", "stat:accepted", "stat:bytes"] {
            block_on(store.increment(counter, 1)).unwrap();
        }
        id
    }

    #[test]
    fn brings_up_a_store_of_the_first_version_however_often_it_is_cut_short() {
        for cut in [None, Some(1), Some(2), Some(5), Some(11), Some(50)] {
            let (store, clock) = (MemoryStore::default(), TestClock::default());
            let ids: Vec<Id> = (1..=50).map(|number| write_v1(&store, number)).collect();
            assert_eq!(block_on(check(&store, &clock)), Ok(Standing::Older));
            if cut.is_some() {
                store.fail_after(cut);
                while block_on(bring_up(&store, &clock)).is_ok() {}
                store.fail_after(None);
            }
            let mut steps = 0;
            while block_on(check(&store, &clock)) == Ok(Standing::Older) {
                block_on(bring_up(&store, &clock)).unwrap();
                steps += 1;
                assert!(steps < 10);
            }
            let assets = block_on(index::page(&store, &asset::all(), None, 100)).unwrap();
            assert!(assets.iter().rev().map(|entry| entry.0.as_str()).eq(ids.iter().map(Id::as_str)));
            let blobs = block_on(index::totals(&store, &content::blobs())).unwrap();
            assert_eq!(blobs, index::Totals { count: 1, weight: 5 });
            let edited = block_on(document::get(&store, &asset::document(&ids[0]))).unwrap().unwrap().value.edited_at;
            assert_eq!(edited, 2);
            assert_eq!(store.keys("image:"), Vec::<String>::new());
            assert_eq!(store.keys("list:tag"), Vec::<String>::new());
            assert!(store.keys("job:retrieve:").len() > 50);
        }
    }
}
