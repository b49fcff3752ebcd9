//! What guests see of the stores: `spin:key-value` and `wasi:keyvalue`, two views of the same.

use std::future::ready;

use wasmtime::component::{Access, Accessor, FutureReader, HasSelf, Resource, StreamReader};

use super::{Error, Store};
use crate::bindings::key_value as spin;
use crate::bindings::keyvalue::{atomics, batch, store as wasi};
use crate::host::Guest;

/// How many stores an instance may hold open at once: Spin's limit.
const MAX_OPEN_STORES: usize = 256;

/// A store that a guest holds open.
pub struct Bucket(Store);

/// A compare-and-swap in progress, which there never is.
pub struct Cas;

/// How many stores an instance holds open.
#[derive(Default)]
pub struct OpenStores(usize);

/// Why a store was not opened.
enum NotOpened {
    TableFull,
    NoSuchStore,
    AccessDenied,
}

impl Guest {
    fn open_store(&mut self, label: &str) -> Result<Resource<Bucket>, NotOpened> {
        if !self.settings.key_value_stores.contains(label) {
            return Err(NotOpened::AccessDenied);
        }
        let store = self.settings.stores.get(label).ok_or(NotOpened::NoSuchStore)?.clone();
        if self.open_stores.0 == MAX_OPEN_STORES {
            return Err(NotOpened::TableFull);
        }
        let bucket = self.table.push(Bucket(store)).map_err(|_| NotOpened::TableFull)?;
        self.open_stores.0 += 1;
        Ok(bucket)
    }

    fn opened(&self, bucket: &Resource<Bucket>) -> Option<Store> {
        self.table.get(bucket).ok().map(|Bucket(store)| store.clone())
    }

    fn close_store(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        self.open_stores.0 -= 1;
        Ok(())
    }
}

impl From<NotOpened> for spin::Error {
    fn from(reason: NotOpened) -> Self {
        match reason {
            NotOpened::TableFull => Self::StoreTableFull,
            NotOpened::NoSuchStore => Self::NoSuchStore,
            NotOpened::AccessDenied => Self::AccessDenied,
        }
    }
}

impl From<NotOpened> for wasi::Error {
    fn from(reason: NotOpened) -> Self {
        match reason {
            NotOpened::TableFull => Self::Other(format!("{MAX_OPEN_STORES} stores are open already")),
            NotOpened::NoSuchStore => Self::NoSuchStore,
            NotOpened::AccessDenied => Self::AccessDenied,
        }
    }
}

impl From<Error> for spin::Error {
    fn from(Error(text): Error) -> Self {
        Self::Other(text)
    }
}

impl From<Error> for wasi::Error {
    fn from(Error(text): Error) -> Self {
        Self::Other(text)
    }
}

impl spin::Host for Guest {}

impl spin::HostStore for Guest {
    fn drop(&mut self, store: Resource<Bucket>) -> wasmtime::Result<()> {
        self.close_store(store)
    }
}

/// The store behind `bucket`.
fn store<T: 'static>(accessor: &Accessor<T, HasSelf<Guest>>, bucket: &Resource<Bucket>) -> Result<Store, spin::Error> {
    accessor.with(|mut access: Access<T, HasSelf<Guest>>| access.get().opened(bucket)).ok_or(spin::Error::NoSuchStore)
}

impl<T: Send + 'static> spin::HostStoreWithStore<T> for HasSelf<Guest> {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> Result<Resource<Bucket>, spin::Error> {
        Ok(accessor.with(|mut access| access.get().open_store(&label))?)
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Option<Vec<u8>>, spin::Error> {
        Ok(store(accessor, &bucket)?.get(key).await?)
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        bucket: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), spin::Error> {
        Ok(store(accessor, &bucket)?.set(key, value).await?)
    }

    async fn delete(accessor: &Accessor<T, Self>, bucket: Resource<Bucket>, key: String) -> Result<(), spin::Error> {
        Ok(store(accessor, &bucket)?.delete(key).await?)
    }

    async fn exists(accessor: &Accessor<T, Self>, bucket: Resource<Bucket>, key: String) -> Result<bool, spin::Error> {
        Ok(store(accessor, &bucket)?.exists(key).await?)
    }

    /// Reads all keys before the first is handed over: nothing is locked while the guest takes its time.
    async fn get_keys(
        accessor: &Accessor<T, Self>,
        bucket: Resource<Bucket>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), spin::Error>>)> {
        let keys = match store(accessor, &bucket) {
            Ok(store) => store.keys().await.map_err(spin::Error::from),
            Err(error) => Err(error),
        };
        let (keys, end) = match keys {
            Ok(keys) => (keys, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let end = FutureReader::new(&mut access, ready(wasmtime::error::Ok(end)))?;
            Ok((keys, end))
        })
    }
}

impl Guest {
    fn bucket(&self, bucket: &Resource<Bucket>) -> Result<Store, wasi::Error> {
        self.opened(bucket).ok_or(wasi::Error::NoSuchStore)
    }
}

impl wasi::Host for Guest {
    async fn open(&mut self, identifier: String) -> Result<Resource<Bucket>, wasi::Error> {
        Ok(self.open_store(&identifier)?)
    }
}

impl wasi::HostBucket for Guest {
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Option<Vec<u8>>, wasi::Error> {
        Ok(self.bucket(&bucket)?.get(key).await?)
    }

    async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Result<(), wasi::Error> {
        Ok(self.bucket(&bucket)?.set(key, value).await?)
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<(), wasi::Error> {
        Ok(self.bucket(&bucket)?.delete(key).await?)
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Result<bool, wasi::Error> {
        Ok(self.bucket(&bucket)?.exists(key).await?)
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> Result<wasi::KeyResponse, wasi::Error> {
        if cursor.is_some() {
            return Err(wasi::Error::Other("list-keys gives all keys at once, and takes no cursor".to_owned()));
        }
        Ok(wasi::KeyResponse { keys: self.bucket(&bucket)?.keys().await?, cursor: None })
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.close_store(bucket)
    }
}

impl batch::Host for Guest {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, wasi::Error> {
        let store = self.bucket(&bucket)?;
        if keys.is_empty() { Ok(Vec::new()) } else { Ok(store.get_many(keys).await?) }
    }

    async fn set_many(&mut self, bucket: Resource<Bucket>, pairs: Vec<(String, Vec<u8>)>) -> Result<(), wasi::Error> {
        let store = self.bucket(&bucket)?;
        if pairs.is_empty() { Ok(()) } else { Ok(store.set_many(pairs).await?) }
    }

    async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Result<(), wasi::Error> {
        let store = self.bucket(&bucket)?;
        if keys.is_empty() { Ok(()) } else { Ok(store.delete_many(keys).await?) }
    }
}

/// What compare-and-swap answers. On Spin it loses updates on SQLite and always fails on Redis; here it is refused, so
/// that nothing comes to rely on it.
fn no_compare_and_swap() -> wasi::Error {
    wasi::Error::Other("compare-and-swap is not supported: Spin's cannot be relied on".to_owned())
}

impl atomics::Host for Guest {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: i64) -> Result<i64, wasi::Error> {
        Ok(self.bucket(&bucket)?.increment(key, delta).await?)
    }

    async fn swap(&mut self, _cas: Resource<Cas>, _value: Vec<u8>) -> Result<(), atomics::CasError> {
        Err(atomics::CasError::StoreError(no_compare_and_swap()))
    }
}

impl atomics::HostCas for Guest {
    async fn new(&mut self, _bucket: Resource<Bucket>, _key: String) -> Result<Resource<Cas>, wasi::Error> {
        Err(no_compare_and_swap())
    }

    async fn current(&mut self, _cas: Resource<Cas>) -> Result<Option<Vec<u8>>, wasi::Error> {
        Err(no_compare_and_swap())
    }

    async fn drop(&mut self, _cas: Resource<Cas>) -> wasmtime::Result<()> {
        Ok(())
    }
}
