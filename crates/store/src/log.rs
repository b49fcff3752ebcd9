//! Append-only logs, read from the newest entry down: a page costs the same however long the log is.
//!
//! A removed entry becomes a tombstone that says where the next entry below may be. A reader who had to walk over many
//! tombstones writes the distance into the highest of them, so that the next reader need not.

use kv_schema::shape::{Entry, Key, Log};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Store, StoreError};

/// How many positions one read takes at least, so that a few holes do not cost a second read.
const LEAST_BATCH: u64 = 24;

/// How many positions one read takes at most: at 100 bytes an entry, far below any limit on an answer's size.
const MOST_BATCH: u64 = 256;

/// A walk over this many removed entries is written down for the next reader.
const WORTH_NOTING: u64 = 64;

/// Entries, newest first, and where to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// Position and entry.
    pub entries: Vec<(u64, T)>,
    /// Entries below this position have not been looked at; 0 when there are none.
    pub next: u64,
}

/// Appends an entry and returns its position.
///
/// # Errors
/// [`StoreError::Unavailable`]. A position that was given out but not written stays a hole, which readers skip.
pub async fn append<T: Serialize>(store: &impl Store, log: &Log<T>, entry: T) -> Result<u64, StoreError> {
    let position = allocate(store, log).await?;
    crate::write(store, &log.entry(position), &Entry::Live(entry)).await?;
    Ok(position)
}

/// How many entries a log has that were not removed, from its two counters in one read.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn live<T>(store: &impl Store, log: &Log<T>) -> Result<u64, StoreError> {
    let counts = crate::count_many(store, &[log.length(), log.removed()]).await?;
    Ok(counts[0].saturating_sub(counts[1]))
}

/// Gives out the next position, for a caller who writes the entry together with other things.
///
/// # Errors
/// As [`append`].
pub async fn allocate<T>(store: &impl Store, log: &Log<T>) -> Result<u64, StoreError> {
    let position = store.increment(log.length().name(), 1).await?;
    u64::try_from(position).map_err(|_| StoreError::Damaged {
        key: log.length().name().to_owned(),
        reason: format!("{position} is no length"),
    })
}

/// Removes the entry at `position`. Doing it twice is one removal.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn remove<T: Serialize + DeserializeOwned>(
    store: &impl Store,
    log: &Log<T>,
    position: u64,
) -> Result<(), StoreError> {
    let key = log.entry(position);
    if matches!(crate::read(store, &key).await?, Some(Entry::Live(_))) {
        crate::write(store, &key, &Entry::Dead { below: position.saturating_sub(1) }).await?;
        store.increment(log.removed().name(), 1).await?;
    }
    Ok(())
}

/// The newest entries below position `before` (none: from the top), at most `limit` of them.
///
/// # Errors
/// As [`crate::read`].
pub async fn page<T: Serialize + DeserializeOwned>(
    store: &impl Store,
    log: &Log<T>,
    before: Option<u64>,
    limit: usize,
) -> Result<Page<T>, StoreError> {
    let mut next = match before {
        Some(before) => before.saturating_sub(1),
        None => crate::count(store, &log.length()).await?,
    };
    let mut entries = Vec::with_capacity(limit);
    let mut run = Run::default();
    while next > 0 && entries.len() < limit {
        let wanted = (limit - entries.len()) as u64;
        let batch = (wanted + wanted / 4).clamp(LEAST_BATCH, MOST_BATCH).min(next);
        let positions: Vec<u64> = (0..batch).map(|offset| next - offset).collect();
        let keys: Vec<Key<Entry<T>>> = positions.iter().map(|&position| log.entry(position)).collect();
        let values = crate::read_many(store, &keys).await?;
        let mut is_skipped_to = next;
        for (position, value) in positions.into_iter().zip(values) {
            if position > is_skipped_to {
                continue;
            }
            if entries.len() == limit {
                break;
            }
            is_skipped_to = match value {
                Some(Entry::Live(entry)) => {
                    run.end(store, log, position).await?;
                    entries.push((position, entry));
                    position - 1
                }
                Some(Entry::Dead { below }) => {
                    run.pass(position, true);
                    below.min(position - 1)
                }
                None => {
                    run.pass(position, false);
                    position - 1
                }
            };
            next = is_skipped_to;
        }
    }
    run.end(store, log, next).await?;
    Ok(Page { entries, next: if next == 0 { 0 } else { next + 1 } })
}

/// A run of removed entries that a reader is walking over.
#[derive(Default)]
struct Run {
    /// The highest tombstone of the run, which can take a note. A hole can't: its entry may still be on the way.
    top: Option<u64>,
    steps: u64,
}

impl Run {
    fn pass(&mut self, position: u64, is_tombstone: bool) {
        self.steps += 1;
        if is_tombstone && self.top.is_none() {
            self.top = Some(position);
        }
        if !is_tombstone {
            *self = Self::default();
        }
    }

    /// The run ends at `position`, the next that may be live.
    async fn end<T: Serialize>(&mut self, store: &impl Store, log: &Log<T>, position: u64) -> Result<(), StoreError> {
        let run = std::mem::take(self);
        match run.top {
            Some(top) if run.steps >= WORTH_NOTING => {
                crate::write(store, &log.entry(top), &Entry::Dead { below: position }).await
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use kv_schema::{Id, category};

    use super::*;
    use crate::memory::MemoryStore;

    fn id(number: u64) -> Id {
        Id::from_parts(number, 0)
    }

    fn log_of(store: &MemoryStore, entries: u64) -> Log<Id> {
        let log = category::children(None);
        for number in 1..=entries {
            assert_eq!(block_on(append(store, &log, id(number))), Ok(number));
        }
        log
    }

    fn check(store: &MemoryStore, before: Option<u64>, limit: usize, expected: &[u64], next: u64) {
        let page = block_on(page(store, &category::children(None), before, limit)).unwrap();
        let positions: Vec<u64> = page.entries.iter().map(|(position, _)| *position).collect();
        assert_eq!((positions.as_slice(), page.next), (expected, next));
        assert!(page.entries.iter().all(|(position, entry)| *entry == id(*position)));
    }

    #[test]
    fn pages_go_from_the_newest_down() {
        let store = MemoryStore::default();
        log_of(&store, 5);
        check(&store, None, 2, &[5, 4], 4);
        check(&store, Some(4), 2, &[3, 2], 2);
        check(&store, Some(2), 2, &[1], 0);
        check(&store, None, 5, &[5, 4, 3, 2, 1], 0);
        check(&store, Some(1), 2, &[], 0);
    }

    #[test]
    fn removed_entries_and_holes_are_skipped() {
        let store = MemoryStore::default();
        let log = log_of(&store, 6);
        block_on(remove(&store, &log, 5)).unwrap();
        block_on(remove(&store, &log, 5)).unwrap();
        block_on(crate::delete(&store, log.entry(3).name())).unwrap();
        check(&store, None, 3, &[6, 4, 2], 2);
        assert_eq!(block_on(live(&store, &log)), Ok(5));
    }

    #[test]
    fn a_long_run_of_removed_entries_is_walked_once() {
        let store = MemoryStore::default();
        let log = log_of(&store, 2_000);
        for position in 2..2_000 {
            block_on(remove(&store, &log, position)).unwrap();
        }
        check(&store, None, 2, &[2_000, 1], 0);
        store.take_operations();
        check(&store, None, 2, &[2_000, 1], 0);
        let operations = store.take_operations();
        assert!(operations.reads <= 3 && operations.writes == 0, "{operations:?}");
    }
}
