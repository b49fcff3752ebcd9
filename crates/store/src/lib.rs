//! What the platform does with a key-value store that has no transactions.
//!
//! [`Store`] is what is asked of the store: Spin's wasi:keyvalue offers it, and [`memory::MemoryStore`] in tests. On it
//! stand versioned [`document`]s, append-only [`log`]s, ordered [`index`]es and [`object`]s of bytes. None of them uses compare-and-swap
//! (`docs/decisions/0004-no-compare-and-swap.md`): the one primitive that decides between two writers is an increment
//! that returns 1 to exactly one of them.

#![deny(missing_docs)]
#![allow(async_fn_in_trait, reason = "every executor here is single-threaded: wasm, and tests")]

pub mod document;
pub mod index;
pub mod log;
pub mod memory;
pub mod object;
pub mod schema;

use kv_schema::Millis;
use kv_schema::shape::{Counter, Key};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why the store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store could not be reached, or failed.
    #[error("the store failed: {0}")]
    Unavailable(String),
    /// The store has no room left.
    #[error("the store is full: {0}")]
    Full(String),
    /// The store was written by a later version of this program.
    #[error("the store is in version {found} of its key space, which is newer than {known}, the one known here")]
    Newer {
        /// The version it is in.
        found: u32,
        /// The version known here.
        known: u32,
    },
    /// A value is not what its key says.
    #[error("the value of {key} is damaged: {reason}")]
    Damaged {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another writer held a document for too long.
    #[error("{0} is being written by others")]
    Contended(String),
}

/// A key-value store: all that the platform asks of one.
pub trait Store {
    /// The value of `key`; none where there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], as in every call of this trait.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes `value`; durable when it returns.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError>;

    /// Adds `delta` to the number behind `key` (0 where there is none) and returns the sum, atomically.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError>;

    /// The values of `keys`, in their order.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// Writes all of `entries`, all or none of them: a transaction on SQLite, `MSET` on Redis. On a store that breaks
    /// off in between, the first of them are written and the last are not.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), StoreError>;

    /// Deletes all of `keys`; those that do not exist are no error.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError>;
}

/// Time and chance, so that tests can hold them.
pub trait Clock {
    /// Now, in milliseconds since the epoch.
    fn now(&self) -> Millis;

    /// 128 random bits.
    fn random(&self) -> u128;

    /// Returns after `millis` milliseconds.
    async fn sleep(&self, millis: u64);
}

/// A new id, made of now and chance.
pub fn new_id(clock: &impl Clock) -> kv_schema::Id {
    kv_schema::Id::from_parts(u64::try_from(clock.now()).unwrap_or(0), clock.random())
}

/// Reads the value behind a typed key.
///
/// # Errors
/// [`StoreError::Unavailable`]; [`StoreError::Damaged`] if it is not a `T`.
pub async fn read<T: DeserializeOwned>(store: &impl Store, key: &Key<T>) -> Result<Option<T>, StoreError> {
    store.get(key.name()).await?.map(|bytes| decode(key, &bytes)).transpose()
}

/// Reads the values behind typed keys in one call, in their order.
///
/// # Errors
/// As [`read`].
pub async fn read_many<T: DeserializeOwned>(store: &impl Store, keys: &[Key<T>]) -> Result<Vec<Option<T>>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = keys.iter().map(|key| key.name().to_owned()).collect();
    let values = store.get_many(&names).await?;
    keys.iter().zip(values).map(|(key, value)| value.map(|bytes| decode(key, &bytes)).transpose()).collect()
}

/// Writes the value behind a typed key.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn write<T: Serialize>(store: &impl Store, key: &Key<T>, value: &T) -> Result<(), StoreError> {
    store.set(key.name(), &encode(key, value)?).await
}

/// A key and its encoded value, for [`Store::set_many`].
///
/// # Errors
/// [`StoreError::Damaged`] if the value can't be encoded.
pub fn pair<T: Serialize>(key: &Key<T>, value: &T) -> Result<(String, Vec<u8>), StoreError> {
    Ok((key.name().to_owned(), encode(key, value)?))
}

/// Decodes what was read behind a typed key.
///
/// # Errors
/// [`StoreError::Damaged`] if it is not a `T`.
pub fn decode<T: DeserializeOwned>(key: &Key<T>, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes)
        .map_err(|error| StoreError::Damaged { key: key.name().to_owned(), reason: error.to_string() })
}

fn encode<T: Serialize>(key: &Key<T>, value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value)
        .map_err(|error| StoreError::Damaged { key: key.name().to_owned(), reason: error.to_string() })
}

/// Deletes one key.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn delete(store: &impl Store, key: &str) -> Result<(), StoreError> {
    store.delete_many(&[key.to_owned()]).await
}

/// Deletes counters.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn delete_all(store: &impl Store, counters: &[Counter]) -> Result<(), StoreError> {
    let keys: Vec<String> = counters.iter().map(|counter| counter.name().to_owned()).collect();
    store.delete_many(&keys).await
}

/// Reads a counter without writing.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn count(store: &impl Store, counter: &Counter) -> Result<u64, StoreError> {
    let value = store.get(counter.name()).await?;
    count_of(store, counter, value).await
}

/// Reads counters without writing, in one call.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn count_many(store: &impl Store, counters: &[Counter]) -> Result<Vec<u64>, StoreError> {
    let names: Vec<String> = counters.iter().map(|counter| counter.name().to_owned()).collect();
    let values = store.get_many(&names).await?;
    let mut counts = Vec::with_capacity(counters.len());
    for (counter, value) in counters.iter().zip(values) {
        counts.push(count_of(store, counter, value).await?);
    }
    Ok(counts)
}

async fn count_of(store: &impl Store, counter: &Counter, value: Option<Vec<u8>>) -> Result<u64, StoreError> {
    let Some(bytes) = value else { return Ok(0) };
    let number = match counted(&bytes) {
        Some(number) => number,
        // A store with a third way of keeping numbers: ask in the one way that all understand, which costs a write.
        None => store.increment(counter.name(), 0).await?,
    };
    Ok(u64::try_from(number).unwrap_or(0))
}

/// The number in a counter's value. SQLite holds 8 bytes, the lowest first; Redis holds decimal digits. Eight digits
/// read as bytes would be more than 3 * 10^18, which no counter here ever reaches, so the two can't be confused.
fn counted(bytes: &[u8]) -> Option<i64> {
    const LARGEST: i64 = 1 << 60;
    if let Ok(eight) = <[u8; 8]>::try_from(bytes) {
        let number = i64::from_le_bytes(eight);
        if (-LARGEST..LARGEST).contains(&number) {
            return Some(number);
        }
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_reads_both_ways_of_keeping_a_number() {
        for number in [0_i64, 1, 9, 255, 12_345_678, 99_999_999, 1 << 40, -1] {
            assert_eq!(counted(&number.to_le_bytes()), Some(number));
            assert_eq!(counted(number.to_string().as_bytes()), Some(number));
        }
        assert_eq!(counted(b"x"), None);
        assert_eq!(counted(b""), None);
    }
}
