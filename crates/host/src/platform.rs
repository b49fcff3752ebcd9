//! The platform on Spin.

use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use kv_schema::Millis;
use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store as bucket};
use spin_sdk::http::{EmptyBody, FullBody};
use spin_sdk::key_value;
use spin_sdk::wit_bindgen::rt::async_support::{backpressure_dec, backpressure_inc};
use store::{Clock, Store, StoreError};
use work::{Bells, Context};

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
        // SQLite answers with the keys that exist, in any order; Redis with all of them.
        let found = batch::get_many(&self.bucket, keys).map_err(|error| unavailable(&error))?;
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

impl Bells for Spin {
    async fn ring(&self, context: Context) {
        if let Err(error) = internal(context, http::Method::POST, "/internal/bell", Bytes::new()).await {
            self.log(&format!("the bell of {} was not heard: {error}", context.name()));
        }
    }

    fn log(&self, line: &str) {
        eprintln!("{line}");
    }
}

/// Asks another context over service chaining. `path` begins with a slash. Answers status and body.
///
/// # Errors
/// What the host says when the other context could not be asked, or trapped.
pub async fn internal(
    context: Context,
    method: http::Method,
    path: &str,
    body: Bytes,
) -> Result<(http::StatusCode, Bytes), String> {
    let url = format!("http://{}.spin.internal{path}", context.name());
    let builder = http::Request::builder().method(method).uri(url);
    let sent = if body.is_empty() {
        let request = builder.body(EmptyBody::new()).map_err(|error| error.to_string())?;
        spin_sdk::http::send(request).await
    } else {
        let request = builder.body(FullBody::new(body)).map_err(|error| error.to_string())?;
        spin_sdk::http::send(request).await
    };
    let response = sent.map_err(|error| error.to_string())?;
    let status = response.status();
    let body = spin_sdk::http::body::IncomingBodyExt::bytes(response.into_body()).await;
    Ok((status, body.map_err(|error| error.to_string())?))
}

/// Runs `work` on, also after the response has been sent.
pub fn spawn(work: impl Future<Output = ()> + 'static) {
    spin_sdk::wasip3::spawn(work);
}

/// A variable of the component; none where it is not defined.
pub async fn variable(name: &str) -> Option<String> {
    spin_sdk::variables::get(name).await.ok()
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
