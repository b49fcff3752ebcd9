//! Originals: the same bytes are stored once, for as long as an asset refers to them.
//!
//! Between linking to bytes and deleting them there is no lock. Each side first writes down what it does and then looks
//! at what the other wrote: a linker appends its reference, then reads the generation; a deleter ends the generation,
//! then reads the references. So at least one of them sees the other. `docs/decisions/0005-blob-generations.md`.

use events::Data;
use kv_schema::asset::{self, Asset, Linked, State, Step};
use kv_schema::content::{self, Blob, BlobId};
use kv_schema::job::{self, ResizeJob};
use kv_schema::shape::{Entry, Versioned};
use kv_schema::{Id, asset::Content};
use probe::Probe;
use store::document::Updated;
use store::object::Description;
use store::{Store, StoreError, count, document, index, log, object, pair, read, read_many, write};
use web::Problem;
use work::{Context, Platform, queue};

use crate::read::{check_not_deleted, not_found};
use crate::tell::tell_on;
use crate::upload::describe;

/// References looked at in one read.
const REFERENCES_AT_ONCE: usize = 50;

/// Where bytes of this hash are to be stored now.
///
/// # Errors
/// [`StoreError`].
pub async fn current(store: &impl Store, sha256: &str) -> Result<BlobId, StoreError> {
    let generation = count(store, &content::generation(sha256)).await?;
    Ok(BlobId { sha256: sha256.to_owned(), generation })
}

/// Stores an asset's bytes, writes that down in its document, and has `resize` make what is made of them.
///
/// # Errors
/// [`StoreError`] as a problem; `404` and `410` when the asset went away meanwhile.
pub async fn adopt(
    platform: &impl Platform,
    id: &Id,
    probe: &Probe,
    sha256: &str,
    bytes: &[u8],
) -> Result<Versioned<Asset>, Problem> {
    let (blob, reference) = link(platform, id, probe, sha256, bytes).await?;
    let content = Content { reference, ..describe(probe, blob.clone(), bytes.len()) };
    let processed = process(platform, id, &blob, |asset| {
        asset.content = Some(content.clone());
        asset.error = None;
    })
    .await;
    release_linked(platform, id).await?;
    processed
}

/// Has `resize` make what is made of an asset's bytes, unless that has been ordered: the state and the job that it
/// waits for are written in one step, so that none is ever without the other. Answers the asset as it is then.
///
/// # Errors
/// As [`adopt`].
pub async fn process(
    platform: &impl Platform,
    id: &Id,
    blob: &BlobId,
    mut change: impl FnMut(&mut Asset),
) -> Result<Versioned<Asset>, Problem> {
    let queue = job::resize();
    let task = ResizeJob::Derive { asset: id.clone(), blob: blob.clone() };
    let job = queue::reserve(platform, platform, &queue, task).await?;
    let updated = document::update_with(platform, platform, &asset::document(id), &[job.entry()], |current| {
        let mut asset = current.ok_or_else(not_found)?.value.clone();
        check_not_deleted(&asset)?;
        if !matches!(asset.state, State::Accepted | State::Downloading) {
            return Ok::<_, Problem>(None);
        }
        enter(&mut asset, State::Processing, platform.now());
        change(&mut asset);
        Ok(Some(asset))
    })
    .await;
    match updated {
        Ok(Updated::Written(asset)) => {
            job.written(platform, platform, &queue).await?;
            tell_on(platform, Data::AssetStored, &asset).await;
            Ok(asset)
        }
        Ok(Updated::Unchanged(asset)) => {
            job.unwanted(platform, platform, &queue).await?;
            asset.ok_or_else(not_found)
        }
        Err(problem) => {
            job.unwanted(platform, platform, &queue).await?;
            Err(problem)
        }
    }
}

/// Puts an asset into a state, unless it is in it.
pub fn enter(asset: &mut Asset, state: State, now: kv_schema::Millis) {
    if asset.state != state {
        asset.state = state;
        asset.history.push(Step { state, at: now });
    }
    asset.updated_at = now;
}

/// Refers to bytes on behalf of an asset and sees that they are stored. Answers where, and the reference's position.
async fn link(
    platform: &impl Platform,
    asset: &Id,
    probe: &Probe,
    sha256: &str,
    bytes: &[u8],
) -> Result<(BlobId, u64), StoreError> {
    loop {
        let blob = current(platform, sha256).await?;
        let reference = refer(platform, asset, &blob, bytes.len() as u64).await?;
        if read(platform, &content::blob(&blob)).await?.is_none() {
            store_bytes(platform, &blob, probe, bytes).await?;
        }
        index::insert(platform, platform, &content::blobs(), &blob.text(), bytes.len() as u64).await?;
        if current(platform, sha256).await? == blob {
            return Ok((blob, reference));
        }
        // The generation ended meanwhile; what was just stored in it goes again unless another refers to it.
        log::remove(platform, &content::references(&blob), reference).await?;
        release(platform, &blob, bytes.len() as u64).await?;
    }
}

/// Writes down that an asset refers to a blob, at the blob and at the asset.
async fn refer(platform: &impl Platform, asset: &Id, blob: &BlobId, bytes: u64) -> Result<u64, StoreError> {
    let references = content::references(blob);
    let position = log::allocate(platform, &references).await?;
    let mut linked = read(platform, &asset::linked(asset)).await?.unwrap_or_default();
    if !linked.iter().any(|linked| linked.blob == *blob) {
        linked.push(Linked { blob: blob.clone(), bytes });
    }
    let entries =
        vec![pair(&references.entry(position), &Entry::Live(asset.clone()))?, pair(&asset::linked(asset), &linked)?];
    platform.set_many(entries).await?;
    Ok(position)
}

/// Releases every blob that an asset was ever linked to and does not have, or has no more.
///
/// # Errors
/// [`StoreError`]; calling it again finishes it.
pub async fn release_linked(platform: &impl Platform, id: &Id) -> Result<(), StoreError> {
    let asset = document::get(platform, &asset::document(id)).await?;
    let has = |blob: &BlobId| asset.as_ref().is_some_and(|asset| refers(&asset.value, blob));
    let linked = read(platform, &asset::linked(id)).await?.unwrap_or_default();
    let (kept, left): (Vec<Linked>, Vec<Linked>) = linked.into_iter().partition(|linked| has(&linked.blob));
    for linked in &left {
        release(platform, &linked.blob, linked.bytes).await?;
    }
    match (left.is_empty(), kept.is_empty()) {
        (true, _) => Ok(()),
        (false, true) => store::delete(platform, asset::linked(id).name()).await,
        (false, false) => write(platform, &asset::linked(id), &kept).await,
    }
}

async fn store_bytes(platform: &impl Platform, blob: &BlobId, probe: &Probe, bytes: &[u8]) -> Result<(), StoreError> {
    let (width, height) = probe.oriented_size();
    let mime = probe.format.media_type().to_owned();
    let description = Description { mime: mime.clone(), width, height };
    object::put(platform, &content::original(blob), description, bytes).await?;
    let stored = Blob { bytes: bytes.len() as u64, mime, stored_at: platform.now() };
    write(platform, &content::blob(blob), &stored).await
}

/// Deletes bytes that no asset refers to any more, and has what was made of them deleted. `bytes` is their length, as
/// far as the caller knows it.
///
/// # Errors
/// [`StoreError`]; calling it again finishes it.
pub async fn release(platform: &impl Platform, blob: &BlobId, bytes: u64) -> Result<(), StoreError> {
    if is_referred_to(platform, blob).await? {
        return Ok(());
    }
    if current(platform, &blob.sha256).await? == *blob {
        platform.increment(content::generation(&blob.sha256).name(), 1).await?;
    }
    if is_referred_to(platform, blob).await? {
        return Ok(());
    }
    let stored = read(platform, &content::blob(blob)).await?;
    let length = stored.map_or(bytes, |stored| stored.bytes);
    queue::push(platform, platform, &job::resize(), ResizeJob::Forget { blob: blob.clone() }, Vec::new()).await?;
    store::delete(platform, content::blob(blob).name()).await?;
    index::remove(platform, platform, &content::blobs(), &blob.text()).await?;
    object::delete(platform, &content::original(blob), length).await?;
    delete_references(platform, blob).await?;
    platform.ring(Context::Resize).await;
    Ok(())
}

/// Whether an asset refers to these bytes, or may be about to. Dead references on the way are removed.
async fn is_referred_to(store: &impl Store, blob: &BlobId) -> Result<bool, StoreError> {
    let references = content::references(blob);
    let mut before = None;
    loop {
        let page = log::page(store, &references, before, REFERENCES_AT_ONCE).await?;
        let keys: Vec<_> = page.entries.iter().map(|(_, id)| asset::document(id).current()).collect();
        let assets = read_many(store, &keys).await?;
        for ((position, _), asset) in page.entries.iter().zip(assets) {
            if asset.is_some_and(|asset| refers(&asset.value, blob)) {
                return Ok(true);
            }
            log::remove(store, &references, *position).await?;
        }
        if page.next == 0 {
            return Ok(false);
        }
        before = Some(page.next);
    }
}

/// An asset whose bytes are still on the way may be about to refer to any.
fn refers(asset: &Asset, blob: &BlobId) -> bool {
    if asset.deleted_at.is_some() {
        return false;
    }
    let is_undecided = matches!(asset.state, State::Accepted | State::Downloading);
    is_undecided || asset.content.as_ref().is_some_and(|content| content.blob == *blob)
}

async fn delete_references(store: &impl Store, blob: &BlobId) -> Result<(), StoreError> {
    let references = content::references(blob);
    let length = count(store, &references.length()).await?;
    let mut keys: Vec<String> = (1..=length).map(|position| references.entry(position).name().to_owned()).collect();
    keys.push(references.removed().name().to_owned());
    keys.push(references.length().name().to_owned());
    for group in keys.chunks(256) {
        store.delete_many(group).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::future::join;
    use kv_schema::asset::{Details, Source};
    use store::memory::TestPlatform;

    use super::*;
    use crate::create::{new_asset, write_new};

    const SHA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    /// A GIF of one pixel, then enough to need several chunks.
    fn bytes() -> Vec<u8> {
        let mut bytes = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;".to_vec();
        bytes.resize(1_000_000, 0);
        bytes
    }

    fn accept(platform: &TestPlatform) -> Id {
        let id = store::new_id(platform);
        let source = Source::Url { url: "http://example.com/".to_owned() };
        block_on(write_new(platform, new_asset(id.clone(), source, Details::default()))).unwrap();
        id
    }

    async fn adopt_gif(platform: &TestPlatform, id: &Id) -> Result<BlobId, Problem> {
        let bytes = bytes();
        let probe = probe::probe(&bytes).unwrap();
        let asset = adopt(platform, id, &probe, SHA, &bytes).await?;
        Ok(asset.value.content.unwrap().blob)
    }

    async fn delete(platform: &TestPlatform, id: &Id) {
        let mut blob = None;
        document::update(platform, platform, &asset::document(id), |current| {
            let mut asset = current.unwrap().value.clone();
            asset.deleted_at = Some(1);
            blob = asset.content.clone().map(|content| content.blob);
            Ok::<_, StoreError>(Some(asset))
        })
        .await
        .unwrap();
        release(platform, &blob.unwrap(), 0).await.unwrap();
    }

    fn is_whole(platform: &TestPlatform, blob: &BlobId) -> bool {
        block_on(object::read(platform, &content::original(blob))).unwrap().is_some_and(|(_, read)| read == bytes())
    }

    #[test]
    fn the_same_bytes_are_stored_once_and_go_with_the_last_reference() {
        let platform = TestPlatform::default();
        let (first, second) = (accept(&platform), accept(&platform));
        let blob = block_on(adopt_gif(&platform, &first)).unwrap();
        platform.store.take_operations();
        assert_eq!(block_on(adopt_gif(&platform, &second)), Ok(blob.clone()));
        assert!(platform.store.take_operations().writes < 12, "the bytes were stored again");

        block_on(delete(&platform, &first));
        assert!(is_whole(&platform, &blob));
        block_on(delete(&platform, &second));
        assert_eq!(platform.store.keys("blob:"), Vec::<String>::new());
        assert_eq!(block_on(index::totals(&platform, &content::blobs())), Ok(index::Totals::default()));

        let third = accept(&platform);
        let again = block_on(adopt_gif(&platform, &third)).unwrap();
        assert!(again.generation > blob.generation && is_whole(&platform, &again));
    }

    #[test]
    fn bytes_that_are_being_deleted_are_never_linked_to() {
        // Interleave a link with a delete at every distance: the link starts after the delete has made n calls.
        for head_start in 0..60_u32 {
            let platform = TestPlatform::default();
            let (first, second) = (accept(&platform), accept(&platform));
            block_on(adopt_gif(&platform, &first)).unwrap();
            let late = async {
                for _ in 0..head_start {
                    platform.get("nothing").await.unwrap();
                }
                adopt_gif(&platform, &second).await.unwrap()
            };
            let (_, blob) = block_on(join(delete(&platform, &first), late));
            assert!(is_whole(&platform, &blob), "head start {head_start}: {blob:?}");
            block_on(delete(&platform, &second));
            assert_eq!(platform.store.keys("blob:"), Vec::<String>::new(), "head start {head_start}");
        }
    }

    #[test]
    fn a_release_that_was_cut_short_can_be_done_again() {
        for writes in 0..14 {
            let platform = TestPlatform::default();
            let id = accept(&platform);
            let blob = block_on(adopt_gif(&platform, &id)).unwrap();
            block_on(document::update(&platform, &platform, &asset::document(&id), |current| {
                let mut asset = current.unwrap().value.clone();
                asset.deleted_at = Some(1);
                Ok::<_, StoreError>(Some(asset))
            }))
            .unwrap();
            platform.store.fail_after(Some(writes));
            let _ = block_on(release(&platform, &blob, 1_000_000));
            platform.store.fail_after(None);
            block_on(release(&platform, &blob, 1_000_000)).unwrap();
            assert_eq!(platform.store.keys("blob:"), Vec::<String>::new(), "cut after {writes}");
        }
    }
}
