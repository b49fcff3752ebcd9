//! Documents with versions: whoever claims version n+1 writes it, and a claim that comes to nothing is passed over.

use kv_schema::Millis;
use kv_schema::shape::{Document, Versioned};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Clock, Store, StoreError};

/// How long a claimed version may stay unwritten before the claim is void, in milliseconds. A claimant that comes back
/// after half of it writes nothing and claims again.
pub const CLAIM_LEASE: Millis = 4_000;

/// What became of an [`update`].
#[derive(Debug, Clone, PartialEq)]
pub enum Updated<T> {
    /// The document was written.
    Written(Versioned<T>),
    /// The change found nothing to do; the document as it is, if there is one.
    Unchanged(Option<Versioned<T>>),
}

/// Reads a document.
///
/// # Errors
/// As [`crate::read`].
pub async fn get<T: DeserializeOwned>(
    store: &impl Store,
    document: &Document<T>,
) -> Result<Option<Versioned<T>>, StoreError> {
    crate::read(store, &document.current()).await
}

/// Changes a document: reads it, asks `change` for the next value, writes that as the next version. When another
/// writer comes first the whole is done again on what that one wrote, so `change` may be called several times.
/// `change` answers none when there is nothing to write.
///
/// # Errors
/// Whatever `change` refuses; [`StoreError::Contended`] when others hold the document for many leases on end.
pub async fn update<T, E>(
    store: &impl Store,
    clock: &impl Clock,
    document: &Document<T>,
    change: impl FnMut(Option<&Versioned<T>>) -> Result<Option<T>, E>,
) -> Result<Updated<T>, E>
where
    T: Serialize + DeserializeOwned,
    E: From<StoreError>,
{
    update_with(store, clock, document, &[], change).await
}

/// [`update`], with `others` written in the same step as the document: for jobs that must exist if and only if the
/// document says what they are about.
///
/// # Errors
/// As [`update`].
pub async fn update_with<T, E>(
    store: &impl Store,
    clock: &impl Clock,
    document: &Document<T>,
    others: &[(String, Vec<u8>)],
    mut change: impl FnMut(Option<&Versioned<T>>) -> Result<Option<T>, E>,
) -> Result<Updated<T>, E>
where
    T: Serialize + DeserializeOwned,
    E: From<StoreError>,
{
    const MOST_TRIES: u32 = 1_000;
    for _ in 0..MOST_TRIES {
        let current = get(store, document).await?;
        let Some(value) = change(current.as_ref())? else { return Ok(Updated::Unchanged(current)) };
        let version = current.as_ref().map_or(0, |current| current.version) + 1;
        if let Some(written) = write_next(store, clock, document, Versioned { version, value }, others).await? {
            return Ok(Updated::Written(written));
        }
    }
    Err(StoreError::Contended(document.current().name().to_owned()).into())
}

/// Writes `next`, which was made from the version before it, and `others` with it in one step. None: another writer
/// came first, and what was read is out of date.
///
/// # Errors
/// [`StoreError`].
pub async fn write_next<T: Serialize + DeserializeOwned>(
    store: &impl Store,
    clock: &impl Clock,
    document: &Document<T>,
    next: Versioned<T>,
    others: &[(String, Vec<u8>)],
) -> Result<Option<Versioned<T>>, StoreError> {
    match claim(store, clock, document, next.version).await? {
        Some(claim) => write_claimed(store, clock, document, claim, next, others).await,
        None => Ok(None),
    }
}

/// The right to write one version.
struct Claim {
    round: u32,
    at: Millis,
}

/// Claims `version`, waiting for the one who has it to write it or to run out of time. None: it has been written.
async fn claim<T: DeserializeOwned>(
    store: &impl Store,
    clock: &impl Clock,
    document: &Document<T>,
    version: u64,
) -> Result<Option<Claim>, StoreError> {
    const MOST_ROUNDS: u32 = 8;
    for round in 0..MOST_ROUNDS {
        let at = clock.now();
        if store.increment(document.claim(version, round).name(), 1).await? == 1 {
            return Ok(Some(Claim { round, at }));
        }
        if was_written(store, clock, document, version).await? {
            return Ok(None);
        }
    }
    Err(StoreError::Contended(document.current().name().to_owned()))
}

/// Waits until `version` is written, at most for a lease.
async fn was_written<T: DeserializeOwned>(
    store: &impl Store,
    clock: &impl Clock,
    document: &Document<T>,
    version: u64,
) -> Result<bool, StoreError> {
    let deadline = clock.now() + CLAIM_LEASE;
    let mut pause = 1;
    while clock.now() < deadline {
        if get(store, document).await?.is_some_and(|current| current.version >= version) {
            return Ok(true);
        }
        clock.sleep(pause).await;
        pause = (pause * 2).min(50);
    }
    Ok(false)
}

/// Writes a claimed version, unless it turns out to have been written, or the claim is about to run out.
///
/// A claim is deleted once its version is written. A latecomer who then claims that version anew sees, by reading the
/// document after claiming, that it exists.
async fn write_claimed<T: Serialize + DeserializeOwned>(
    store: &impl Store,
    clock: &impl Clock,
    document: &Document<T>,
    claim: Claim,
    next: Versioned<T>,
    others: &[(String, Vec<u8>)],
) -> Result<Option<Versioned<T>>, StoreError> {
    let claim_key = document.claim(next.version, claim.round);
    let is_late = get(store, document).await?.is_some_and(|current| current.version >= next.version);
    if is_late {
        crate::delete(store, claim_key.name()).await?;
        return Ok(None);
    }
    if clock.now() - claim.at > CLAIM_LEASE / 2 {
        return Ok(None);
    }
    let mut entries = others.to_vec();
    entries.push(crate::pair(&document.current(), &next)?);
    store.set_many(entries).await?;
    crate::delete(store, claim_key.name()).await?;
    Ok(Some(next))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::future::join_all;
    use kv_schema::{Id, asset, preset};

    use super::*;
    use crate::memory::{MemoryStore, TestClock};

    fn counting(current: Option<&Versioned<preset::Presets>>) -> preset::Presets {
        let mut presets = current.map_or_else(preset::Presets::built_in, |current| current.value.clone());
        let thumb = presets.by_name.get_mut("thumb").expect("a built-in preset");
        thumb.revision += 1;
        presets
    }

    #[test]
    fn every_one_of_many_writers_is_heard_once() {
        let (store, clock) = (MemoryStore::default(), TestClock::default());
        let document = preset::document();
        let writers =
            (0..32).map(|_| update(&store, &clock, &document, |current| Ok::<_, StoreError>(Some(counting(current)))));
        for updated in block_on(join_all(writers)) {
            assert!(matches!(updated, Ok(Updated::Written(_))), "{updated:?}");
        }
        let last = block_on(get(&store, &document)).unwrap().unwrap();
        assert_eq!((last.version, last.value.by_name["thumb"].revision), (32, 33));
        assert_eq!(store.keys("presets:claim"), Vec::<String>::new());
    }

    #[test]
    fn a_claim_that_came_to_nothing_is_passed_over() {
        let (store, clock) = (MemoryStore::default(), TestClock::default());
        let document = preset::document();
        store.fail_after(Some(1));
        let killed = block_on(update(&store, &clock, &document, |now| Ok::<_, StoreError>(Some(counting(now)))));
        assert!(matches!(killed, Err(StoreError::Unavailable(_))));

        store.fail_after(None);
        let before = clock.now();
        let updated = block_on(update(&store, &clock, &document, |now| Ok::<_, StoreError>(Some(counting(now)))));
        assert!(matches!(updated, Ok(Updated::Written(Versioned { version: 1, .. }))), "{updated:?}");
        assert!(clock.now() - before >= CLAIM_LEASE);
    }

    #[test]
    fn writes_nothing_when_there_is_nothing_to_change() {
        let (store, clock) = (MemoryStore::default(), TestClock::default());
        let document = asset::document(&Id::from_parts(1, 1));
        let updated = block_on(update(&store, &clock, &document, |_| Ok::<_, StoreError>(None)));
        assert_eq!(updated, Ok(Updated::Unchanged(None)));
        assert_eq!(store.take_operations().writes, 0);
    }
}
