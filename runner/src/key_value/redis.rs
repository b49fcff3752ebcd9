//! Stores on a Redis server. Keys are used as they are, so that every label on one server is the same store, as on Spin.

use std::sync::Arc;

use anyhow::{Context as _, Result as AnyResult};
use futures::StreamExt as _;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands as _, Client, RedisError};
use tokio::sync::OnceCell;

use super::{Error, Result};

/// A server, connected to on first use and again after every loss.
pub struct Server {
    client: Client,
    connection: OnceCell<ConnectionManager>,
}

impl Server {
    /// The server at `url`.
    pub fn new(url: &str) -> AnyResult<Arc<Self>> {
        let client = Client::open(url).with_context(|| format!("{url:?} is not the address of a Redis server"))?;
        Ok(Arc::new(Self { client, connection: OnceCell::new() }))
    }

    async fn connection(&self) -> Result<ConnectionManager> {
        // As Spin's, it waits for an answer for as long as it takes.
        let config = ConnectionManagerConfig::new().set_response_timeout(None);
        let connect = || ConnectionManager::new_with_config(self.client.clone(), config);
        Ok(self.connection.get_or_try_init(connect).await?.clone())
    }

    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>> {
        Ok(self.connection().await?.get(key).await?)
    }

    pub async fn exists(&self, key: String) -> Result<bool> {
        Ok(self.connection().await?.exists(key).await?)
    }

    pub async fn keys(&self) -> Result<Vec<String>> {
        let mut connection = self.connection().await?;
        let mut scan = connection.scan::<String>().await?;
        let mut keys = Vec::new();
        while let Some(key) = scan.next().await {
            keys.push(key?);
        }
        // A scan may show a key more than once.
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// Refused, because Spin's Redis store cannot do it either: it sends `KEYS`, which fails.
    pub async fn get_many(&self, _keys: Vec<String>) -> Result<Vec<(String, Option<Vec<u8>>)>> {
        Err(Error("get-many is not supported on Redis (nor does it work on Spin): get one key at a time".to_owned()))
    }

    pub async fn set_many(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<()> {
        Ok(self.connection().await?.mset(&pairs).await?)
    }

    pub async fn delete_many(&self, keys: Vec<String>) -> Result<()> {
        Ok(self.connection().await?.del(keys).await?)
    }

    /// Numbers are decimal text.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64> {
        Ok(self.connection().await?.incr(key, delta).await?)
    }
}

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        Self(error.to_string())
    }
}
