//! The platform on Spin.

use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::try_join_all;
use kv_schema::Millis;
use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store as bucket};
use spin_sdk::http::EmptyBody;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::key_value;
use spin_sdk::wit_bindgen::rt::async_support::{backpressure_dec, backpressure_inc};
use store::{Clock, Store, StoreError};
use work::{Context, World};

/// The store that every context uses.
const LABEL: &str = "default";

/// Spin's store, clocks and service chaining.
///
/// The same store is open twice. Spin's own interface waits without holding up the other requests of the instance;
/// wasi:keyvalue has the increments and batches that Spin's has not.
#[derive(Clone)]
pub struct Spin {
    values: Rc<key_value::Store>,
    bucket: Rc<bucket::Bucket>,
}

impl Spin {
    /// Opens the store.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn open() -> Result<Self, StoreError> {
        let values = key_value::Store::open(LABEL).await.map_err(|error| unavailable(&error))?;
        let bucket = bucket::open(LABEL).map_err(|error| unavailable(&error))?;
        Ok(Self { values: Rc::new(values), bucket: Rc::new(bucket) })
    }
}

fn unavailable(error: &impl std::fmt::Debug) -> StoreError {
    StoreError::Unavailable(format!("{error:?}"))
}

impl Store for Spin {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.values.get(key).await.map_err(|error| unavailable(&error))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.values.set(key, value).await.map_err(|error| unavailable(&error))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        atomics::increment(&self.bucket, key, delta).map_err(|error| unavailable(&error))
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        // SQLite answers with the keys that exist, in any order. Spin 4.1 asks Redis with the wrong command, which
        // fails whatever the keys are: then each is read by itself.
        let Ok(found) = batch::get_many(&self.bucket, keys) else {
            return try_join_all(keys.iter().map(|key| self.get(key))).await;
        };
        let mut by_key: HashMap<String, Vec<u8>> =
            found.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        Ok(keys.iter().map(|key| by_key.remove(key)).collect())
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        batch::set_many(&self.bucket, &entries).map_err(|error| unavailable(&error))
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        match keys {
            [] => Ok(()),
            [key] => self.values.delete(key).await.map_err(|error| unavailable(&error)),
            keys => batch::delete_many(&self.bucket, keys).map_err(|error| unavailable(&error)),
        }
    }
}

impl Clock for Spin {
    fn now(&self) -> Millis {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Millis::try_from(elapsed.as_millis()).unwrap_or(Millis::MAX)
    }

    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("WASI's random source does not fail");
        u128::from_le_bytes(bytes)
    }

    async fn sleep(&self, millis: u64) {
        spin_sdk::time::sleep(Duration::from_millis(millis)).await;
    }
}

impl World for Spin {
    async fn ring(&self, context: Context) {
        if let Err(error) = self.ask(context, "/internal/bell").await {
            self.log(&format!("the bell of {} was not heard: {error}", context.name()));
        }
    }

    async fn ask(&self, context: Context, path: &str) -> Result<(u16, Vec<u8>), String> {
        let url = format!("http://{}.spin.internal{path}", context.name());
        let request = http::Request::post(url).body(EmptyBody::new()).map_err(|error| error.to_string())?;
        let response = spin_sdk::http::send(request).await.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let body = response.into_body().bytes().await.map_err(|error| error.to_string())?;
        // The host answers for an instance that trapped. Our own errors always have a body.
        if status == 500 && body.is_empty() {
            return Err(format!("{} did not survive {path}", context.name()));
        }
        Ok((status, body.to_vec()))
    }

    async fn variable(&self, name: &str) -> Option<String> {
        spin_sdk::variables::get(name).await.ok()
    }

    fn log(&self, line: &str) {
        eprintln!("{line}");
    }
}

/// Runs `work` on, also after the response has been sent.
pub fn spawn(work: impl Future<Output = ()> + 'static) {
    spin_sdk::wasip3::spawn(work);
}

/// While this is held the host brings no other request to this instance: for work that takes the processor for long
/// or that hostile input might kill.
pub fn backpressure() -> impl Sized {
    struct Held;
    impl Drop for Held {
        fn drop(&mut self) {
            backpressure_dec();
        }
    }
    backpressure_inc();
    Held
}
