//! Key-value stores: what one can do, whichever backend it is on.

mod guest;
mod redis;
mod sqlite;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result as AnyResult};

pub use self::guest::{Bucket, Cas, OpenStores};
use crate::runtime_config::{KeyValueStore, RuntimeConfig};

/// The label that needs no entry in the runtime-config file.
const DEFAULT_LABEL: &str = "default";

/// The default store's file, the same as Spin's, so that either can go on where the other stopped.
const DEFAULT_FILE: &str = "sqlite_key_value.db";

/// A backend failed, or refused. The text is for the guest and for the log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

/// What an operation on a store comes to.
pub type Result<T> = std::result::Result<T, Error>;

/// Every store of the application, by label.
pub struct Stores(HashMap<String, Store>);

impl Stores {
    /// Opens what `config` names, and the default store in `state_dir` unless it is among them.
    ///
    /// # Errors
    /// A file that cannot be opened, or an address that is none. A Redis server is not contacted yet.
    pub fn open(config: &RuntimeConfig, state_dir: &Path) -> AnyResult<Self> {
        let mut stores = HashMap::new();
        for (label, store) in &config.key_value_store {
            let store = match store {
                KeyValueStore::Spin { path } => sqlite::Database::open(path.as_deref(), label).map(Store::Sqlite),
                KeyValueStore::Redis { url } => redis::Server::new(url).map(Store::Redis),
            };
            stores.insert(label.clone(), store.with_context(|| format!("in [key_value_store.{label}]"))?);
        }
        if !stores.contains_key(DEFAULT_LABEL) {
            let path = state_dir.join(DEFAULT_FILE);
            let store = sqlite::Database::open(Some(&path), DEFAULT_LABEL)
                .with_context(|| format!("cannot open the key-value store {}", path.display()))?;
            stores.insert(DEFAULT_LABEL.to_owned(), Store::Sqlite(store));
        }
        Ok(Self(stores))
    }

    /// Closes the files. What guests still ask for afterwards fails.
    pub async fn close(&self) {
        for store in self.0.values() {
            if let Store::Sqlite(database) = store {
                database.close().await;
            }
        }
    }

    /// The store called `label`.
    pub fn get(&self, label: &str) -> Option<&Store> {
        self.0.get(label)
    }
}

/// A store. Cheap to clone.
#[derive(Clone)]
pub enum Store {
    /// In a SQLite file, or in memory.
    Sqlite(Arc<sqlite::Database>),
    /// On a Redis server.
    Redis(Arc<redis::Server>),
}

impl Store {
    /// The value under `key`.
    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Sqlite(database) => database.get(key).await,
            Self::Redis(server) => server.get(key).await,
        }
    }

    /// Puts `value` under `key`. Durable when it returns, as far as the backend is.
    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<()> {
        self.set_many(vec![(key, value)]).await
    }

    /// Removes `key`, if it is there.
    pub async fn delete(&self, key: String) -> Result<()> {
        self.delete_many(vec![key]).await
    }

    /// Whether there is a value under `key`.
    pub async fn exists(&self, key: String) -> Result<bool> {
        match self {
            Self::Sqlite(database) => database.exists(key).await,
            Self::Redis(server) => server.exists(key).await,
        }
    }

    /// Every key.
    pub async fn keys(&self) -> Result<Vec<String>> {
        match self {
            Self::Sqlite(database) => database.keys().await,
            Self::Redis(server) => server.keys().await,
        }
    }

    /// The values under `keys`, without those that are not there, in no particular order.
    pub async fn get_many(&self, keys: Vec<String>) -> Result<Vec<(String, Option<Vec<u8>>)>> {
        match self {
            Self::Sqlite(database) => database.get_many(keys).await,
            Self::Redis(server) => server.get_many(keys).await,
        }
    }

    /// Puts all of `pairs`, or none.
    pub async fn set_many(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.set_many(pairs).await,
            Self::Redis(server) => server.set_many(pairs).await,
        }
    }

    /// Removes those of `keys` that are there.
    pub async fn delete_many(&self, keys: Vec<String>) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.delete_many(keys).await,
            Self::Redis(server) => server.delete_many(keys).await,
        }
    }

    /// Adds `delta` to the number under `key`, zero if there is none, and returns the sum.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64> {
        match self {
            Self::Sqlite(database) => database.increment(key, delta).await,
            Self::Redis(server) => server.increment(key, delta).await,
        }
    }
}
