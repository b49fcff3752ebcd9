//! A store in memory that counts what is asked of it, and a clock that is moved by hand: for tests of the rules.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use kv_schema::{MAX_KEY_BYTES, MAX_VALUE_BYTES, Millis};

use crate::{Clock, Store, StoreError};

/// Everything in a map. Calls that a test wants to fail are failed by [`MemoryStore::fail_after`].
#[derive(Debug, Default)]
pub struct MemoryStore {
    values: RefCell<BTreeMap<String, Vec<u8>>>,
    operations: Cell<Operations>,
    writes_left: Cell<Option<u64>>,
}

/// How many calls a store has had. A call for many keys is one call.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Operations {
    /// Calls that only read.
    pub reads: u64,
    /// Calls that wrote.
    pub writes: u64,
    /// Keys touched by all of them.
    pub keys: u64,
}

impl MemoryStore {
    /// The calls since the last time this was asked.
    pub fn take_operations(&self) -> Operations {
        self.operations.take()
    }

    /// Lets `writes` more writes through and fails every one after them: a process killed at that point.
    pub fn fail_after(&self, writes: Option<u64>) {
        self.writes_left.set(writes);
    }

    /// Every key that starts with `prefix`.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.values.borrow().keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    fn count(&self, is_write: bool, keys: usize) -> Result<(), StoreError> {
        let mut operations = self.operations.get();
        operations.keys += keys as u64;
        if is_write {
            operations.writes += 1;
        } else {
            operations.reads += 1;
        }
        self.operations.set(operations);
        match self.writes_left.get() {
            Some(0) if is_write => Err(StoreError::Unavailable("failed by the test".to_owned())),
            Some(left) if is_write => {
                self.writes_left.set(Some(left - 1));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn put(&self, key: &str, value: &[u8]) {
        assert!(key.len() <= MAX_KEY_BYTES && !key.contains(['/', '\\', '?', '#']), "not a portable key: {key}");
        assert!(value.len() <= MAX_VALUE_BYTES, "the value of {key} has {} bytes", value.len());
        self.values.borrow_mut().insert(key.to_owned(), value.to_vec());
    }
}

impl Store for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        yield_now().await;
        self.count(false, 1)?;
        Ok(self.values.borrow().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        yield_now().await;
        self.count(true, 1)?;
        self.put(key, value);
        Ok(())
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        yield_now().await;
        self.count(true, 1)?;
        let old = match self.values.borrow().get(key) {
            None => 0,
            Some(bytes) => crate::counted(bytes)
                .ok_or_else(|| StoreError::Damaged { key: key.to_owned(), reason: "not a counter".to_owned() })?,
        };
        let new = old.saturating_add(delta);
        self.put(key, &new.to_le_bytes());
        Ok(new)
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        yield_now().await;
        self.count(false, keys.len())?;
        let values = self.values.borrow();
        Ok(keys.iter().map(|key| values.get(key).cloned()).collect())
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        yield_now().await;
        self.count(true, entries.len())?;
        for (key, value) in entries {
            self.put(&key, &value);
        }
        Ok(())
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        yield_now().await;
        self.count(true, keys.len())?;
        for key in keys {
            self.values.borrow_mut().remove(key);
        }
        Ok(())
    }
}

/// A store and a clock in one, as the platform gives them.
#[derive(Debug, Default)]
pub struct TestPlatform {
    /// The store.
    pub store: MemoryStore,
    /// The clock.
    pub clock: TestClock,
    /// Which bells were rung, and what was logged.
    pub heard: RefCell<Vec<String>>,
}

impl Store for TestPlatform {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(key).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.store.set(key, value).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.store.increment(key, delta).await
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.store.get_many(keys).await
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        self.store.set_many(entries).await
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), StoreError> {
        self.store.delete_many(keys).await
    }
}

impl Clock for TestPlatform {
    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn random(&self) -> u128 {
        self.clock.random()
    }

    async fn sleep(&self, millis: u64) {
        self.clock.sleep(millis).await;
    }
}

/// Lets every other future that is ready go first, so that tests see callers interleave at each call of the store.
async fn yield_now() {
    let mut has_yielded = false;
    std::future::poll_fn(|context| {
        if has_yielded {
            return std::task::Poll::Ready(());
        }
        has_yielded = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// Time that only moves when someone sleeps or a test says so, and a fixed stream of chance.
#[derive(Debug)]
pub struct TestClock {
    now: Cell<Millis>,
    random: Cell<u128>,
}

impl Default for TestClock {
    fn default() -> Self {
        Self { now: Cell::new(1_800_000_000_000), random: Cell::new(1) }
    }
}

impl TestClock {
    /// Moves time on.
    pub fn advance(&self, millis: Millis) {
        self.now.set(self.now.get() + millis);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Millis {
        self.now.get()
    }

    fn random(&self) -> u128 {
        // Knuth's MMIX generator: different each time, the same in each run.
        let next = self.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random.set(next);
        next ^ (next >> 61)
    }

    /// Time moves on when everybody else has had many turns and still nobody has moved it.
    async fn sleep(&self, millis: u64) {
        const TURNS: u32 = 300;
        let deadline = self.now().saturating_add(Millis::try_from(millis).unwrap_or(Millis::MAX));
        for _ in 0..TURNS {
            if self.now() >= deadline {
                return;
            }
            yield_now().await;
        }
        self.now.set(self.now().max(deadline));
    }
}
