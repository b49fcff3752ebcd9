//! The platform on Spin.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use events::Event;
use futures::future::{Either, join_all, select, try_join_all};
use kv_schema::Millis;
use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store as bucket};
use spin_sdk::http::EmptyBody;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::key_value;
use spin_sdk::wit_bindgen::rt::async_support::{backpressure_dec, backpressure_inc};
use store::schema::{self, Standing};
use store::{Clock, Store, StoreError};
use web::Problem;
use work::{Context, World};

use crate::bus::{self, Bus};

/// The store that every context uses.
const LABEL: &str = "default";

/// How long one call of the store may take, in milliseconds. While a Redis server is gone, calls wait for it to come
/// back; a reader is better off with a quick answer.
const PATIENCE: u64 = 3_000;

thread_local! {
    /// Whether this instance's store can read many keys in one call; none until that is known.
    static READS_MANY: Cell<Option<bool>> = const { Cell::new(None) };

    /// Whether this instance has seen that the store is in the version it knows.
    static IS_CURRENT: Cell<bool> = const { Cell::new(false) };
}

/// How long one request brings up an older store, in milliseconds, before it answers that this goes on.
const BRINGING_UP: Millis = 2_000;

/// Spin's store, clocks, service chaining and Redis.
///
/// The same store is open twice. Spin's own interface waits without holding up the other requests of the instance;
/// wasi:keyvalue has the increments and batches that Spin's has not, and is opened when the first of them is wanted.
#[derive(Clone)]
pub struct Spin {
    values: Rc<key_value::Store>,
    bucket: Rc<OnceCell<bucket::Bucket>>,
    bus: Bus,
}

impl Spin {
    /// Reads the settings and opens the store.
    ///
    /// # Errors
    /// `503` when the store can't be reached, or is in another version; `500 internal` when the bus is set to something
    /// that is none.
    pub async fn open() -> Result<Self, Problem> {
        let bus = Bus::read().await?;
        let values = bounded(key_value::Store::open(LABEL)).await?;
        let spin = Self { values: Rc::new(values), bucket: Rc::new(OnceCell::new()), bus };
        if !IS_CURRENT.get() {
            spin.see_version().await?;
            IS_CURRENT.set(true);
        }
        Ok(spin)
    }

    /// Compares the store's version with the one known here, and works at it where it is older.
    async fn see_version(&self) -> Result<(), Problem> {
        let deadline = self.now() + BRINGING_UP;
        while schema::check(self, self).await? == Standing::Older {
            if self.now() >= deadline {
                return Err(Problem::being_brought_up());
            }
            schema::bring_up(self, self).await?;
        }
        Ok(())
    }

    fn bucket(&self) -> Result<&bucket::Bucket, StoreError> {
        if let Some(bucket) = self.bucket.get() {
            return Ok(bucket);
        }
        let bucket = bucket::open(LABEL).map_err(|error| unavailable(&error))?;
        Ok(self.bucket.get_or_init(|| bucket))
    }

    async fn get_each(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        try_join_all(keys.iter().map(|key| self.get(key))).await
    }

    fn get_batch(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        // SQLite answers with the keys that exist, in any order.
        let found = batch::get_many(self.bucket()?, keys).map_err(|error| unavailable(&error))?;
        let mut by_key: HashMap<String, Vec<u8>> =
            found.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        Ok(keys.iter().map(|key| by_key.remove(key)).collect())
    }

    async fn publish(&self, url: &str, channel: &str, message: &[u8], what: &str) {
        if let Err(error) = bus::publish(url, channel, message).await {
            self.log(&format!("{what} was not published on {channel}: {error}"));
        }
    }

    async fn call_bell(&self, context: Context) {
        if let Err(error) = self.ask(context, "/internal/bell").await {
            self.log(&format!("the bell of {} was not heard: {error}", context.name()));
        }
    }
}

/// What an error of the store's means here. SQLite says "database or disk is full", a file system "disk is full", and
/// Redis at its `maxmemory` "command not allowed when used memory > 'maxmemory'".
fn unavailable(error: &impl std::fmt::Debug) -> StoreError {
    let cause = format!("{error:?}");
    let is_full = ["disk is full", "not allowed when used memory"].iter().any(|text| cause.contains(text));
    if is_full { StoreError::Full(cause) } else { StoreError::Unavailable(cause) }
}

/// What `work` comes to, unless it takes longer than `millis` milliseconds.
pub(crate) async fn within<T>(millis: u64, work: impl Future<Output = T>) -> Option<T> {
    let timer = spin_sdk::time::sleep(Duration::from_millis(millis));
    match select(pin!(work), pin!(timer)).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(((), _)) => None,
    }
}

/// A call of the store, which must not take for ever.
async fn bounded<T>(call: impl Future<Output = Result<T, key_value::Error>>) -> Result<T, StoreError> {
    let answer = within(PATIENCE, call).await;
    let late = || StoreError::Unavailable(format!("the store did not answer within {PATIENCE} ms"));
    answer.ok_or_else(late)?.map_err(|error| unavailable(&error))
}

impl Store for Spin {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        bounded(self.values.get(key)).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        bounded(self.values.set(key, value)).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        atomics::increment(self.bucket()?, key, delta).map_err(|error| unavailable(&error))
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        match (READS_MANY.get(), keys) {
            (_, []) => Ok(Vec::new()),
            (_, [key]) => Ok(vec![self.get(key).await?]),
            (Some(true), keys) => self.get_batch(keys),
            (Some(false), keys) => self.get_each(keys).await,
            (None, keys) => {
                // Spin 4.1 asks Redis with the wrong command, which fails whatever the keys are. A batch can't be
                // bounded, either: so the first of an instance comes after a read that shows that the store is there.
                self.get(&keys[0]).await?;
                let batch = self.get_batch(keys);
                if batch.is_ok() {
                    READS_MANY.set(Some(true));
                    return batch;
                }
                let values = self.get_each(keys).await?;
                READS_MANY.set(Some(false));
                Ok(values)
            }
        }
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        match entries.as_slice() {
            [] => Ok(()),
            [(key, value)] => self.set(key, value).await,
            entries => batch::set_many(self.bucket()?, entries).map_err(|error| unavailable(&error)),
        }
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        match keys {
            [] => Ok(()),
            [key] => bounded(self.values.delete(key)).await,
            keys => batch::delete_many(self.bucket()?, keys).map_err(|error| unavailable(&error)),
        }
    }
}

/// The clocks and the chance of WASI, which are there whatever else is not.
pub(crate) struct Wasi;

impl Clock for Wasi {
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

impl Clock for Spin {
    fn now(&self) -> Millis {
        Wasi.now()
    }

    fn random(&self) -> u128 {
        Wasi.random()
    }

    async fn sleep(&self, millis: u64) {
        Wasi.sleep(millis).await;
    }
}

impl World for Spin {
    async fn ring(&self, context: Context) {
        match &self.bus {
            Bus::Embedded => self.call_bell(context).await,
            Bus::Redis { url } => self.publish(url, context.bell(), b"", "a bell").await,
        }
    }

    async fn emit(&self, event: &Event) {
        match &self.bus {
            Bus::Embedded => {
                join_all(event.gives_work_to().iter().map(|&context| self.call_bell(context))).await;
            }
            Bus::Redis { url } => {
                self.publish(url, event.channel(), &event.to_json(), &event.id()).await;
            }
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
