//! One path for each operation of the key-value interfaces.

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use spin_sdk::experimental::wasi::keyvalue::store::Error;
use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store};
use spin_sdk::key_value::Store;

use crate::{Body, Query, text};

pub async fn answer(action: &str, query: &Query, body: Bytes) -> Result<http::Response<Body>> {
    let label = query.find("store").unwrap_or("default".to_owned());
    Ok(match action {
        "get" => match Store::open(&label).await?.get(query.get("key")?).await? {
            Some(value) => text(value),
            None => absent(),
        },
        "set" => {
            Store::open(&label).await?.set(query.get("key")?, &body).await?;
            text("")
        }
        "delete" => {
            Store::open(&label).await?.delete(query.get("key")?).await?;
            text("")
        }
        "exists" => text(Store::open(&label).await?.exists(query.get("key")?).await?.to_string()),
        "keys" => {
            let mut keys = Store::open(&label).await?.get_keys().await.collect().await?;
            keys.sort();
            text(keys.join("\n"))
        }
        "keys-and-values" => text(keys_and_values(&label).await?),
        "open-many" => {
            let mut stores = Vec::new();
            for _ in 0..query.number("count")? {
                stores.push(Store::open(&label).await?);
            }
            text("")
        }
        "increment" => {
            let delta: i64 = query.get("delta")?.parse()?;
            text(atomics::increment(&bucket(&label)?, &query.get("key")?, delta).map_err(wasi_error)?.to_string())
        }
        "increment-at-once" => text(increment_at_once(&label, query).await?),
        "get-many" => {
            let keys: Vec<String> = query.get("keys")?.split(',').map(str::to_owned).collect();
            let found = batch::get_many(&bucket(&label)?, &keys).map_err(wasi_error)?;
            let line = |(key, value): (String, Option<Vec<u8>>)| {
                format!("{key}={}\n", String::from_utf8_lossy(&value.unwrap_or(b"none".to_vec())))
            };
            text(found.into_iter().map(line).collect::<String>())
        }
        "set-many" => {
            let pairs: Vec<(String, Vec<u8>)> =
                query.get("keys")?.split(',').map(|key| (key.to_owned(), body.to_vec())).collect();
            batch::set_many(&bucket(&label)?, &pairs).map_err(wasi_error)?;
            text("")
        }
        "delete-many" => {
            let keys: Vec<String> = query.get("keys")?.split(',').map(str::to_owned).collect();
            batch::delete_many(&bucket(&label)?, &keys).map_err(wasi_error)?;
            text("")
        }
        "wasi-get" => match bucket(&label)?.get(&query.get("key")?).map_err(wasi_error)? {
            Some(value) => text(value),
            None => absent(),
        },
        "wasi-keys" => {
            let mut keys = bucket(&label)?.list_keys(query.find("cursor").as_deref()).map_err(wasi_error)?.keys;
            keys.sort();
            text(keys.join("\n"))
        }
        "swap" => {
            let cas = atomics::Cas::new(&bucket(&label)?, &query.get("key")?).map_err(wasi_error)?;
            atomics::swap(cas, &body).map_err(|error| anyhow!("{error:?}"))?;
            text("")
        }
        _ => return Err(anyhow!("no such operation")),
    })
}

/// Reads values while the stream of keys is open.
async fn keys_and_values(label: &str) -> Result<String> {
    let store = Store::open(label).await?;
    let mut keys = store.get_keys().await;
    let mut lines = Vec::new();
    while let Some(key) = keys.next().await {
        let value = store.get(&key).await?.context("a listed key has no value")?;
        lines.push(format!("{key}={}", String::from_utf8_lossy(&value)));
    }
    keys.result().await?;
    lines.sort();
    Ok(lines.join("\n"))
}

/// Increments from as many tasks of this instance as `tasks` says.
async fn increment_at_once(label: &str, query: &Query) -> Result<String> {
    let key = query.get("key")?;
    let increments = (0..query.number("tasks")?).map(|_| async {
        // A turn of the event loop, so that the tasks are all there before the first goes on.
        spin_sdk::time::sleep(std::time::Duration::from_millis(1)).await;
        atomics::increment(&bucket(label)?, &key, 1).map_err(wasi_error)
    });
    let sums = futures::future::try_join_all(increments).await?;
    Ok(sums.iter().map(i64::to_string).collect::<Vec<_>>().join(" "))
}

fn bucket(label: &str) -> Result<store::Bucket> {
    store::open(label).map_err(wasi_error)
}

fn wasi_error(error: Error) -> anyhow::Error {
    anyhow!("{error:?}")
}

fn absent() -> http::Response<Body> {
    let mut response = text("");
    *response.status_mut() = http::StatusCode::NOT_FOUND;
    response
}
