//! Things that take time, memory or the instance's life.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use futures::SinkExt as _;
use http_body_util::BodyExt as _;
use spin_sdk::experimental::wasi::keyvalue::{atomics, store};
use spin_sdk::http::body::stream;
use spin_sdk::key_value::Store;
use spin_sdk::time::sleep;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen;

use crate::{Body, INSTANCE, Query, text};

/// Computes for `ms` milliseconds, with `alone=1` behind backpressure.
pub fn burn(query: &Query) -> Result<http::Response<Body>> {
    let time = Duration::from_millis(query.number("ms")?);
    let alone = query.find("alone").is_some();
    if alone {
        wit_bindgen::backpressure_inc();
    }
    let start = Instant::now();
    let mut sum = 0u64;
    while start.elapsed() < time {
        for number in 0..10_000u64 {
            sum = black_box(sum.wrapping_mul(31).wrapping_add(number));
        }
    }
    if alone {
        wit_bindgen::backpressure_dec();
    }
    Ok(text(sum.to_string()))
}

/// Ends the instance.
pub fn trap() -> ! {
    panic!("trapped on request")
}

/// Takes `bytes` of memory, and touches them.
pub fn allocate(query: &Query) -> Result<http::Response<Body>> {
    let bytes = usize::try_from(query.number("bytes")?)?;
    let memory = black_box(vec![1u8; bytes]);
    Ok(text(memory.len().to_string()))
}

/// Answers at once, and after `ms` milliseconds sets `key`.
pub fn later(query: &Query) -> Result<http::Response<Body>> {
    let (key, time) = (query.get("key")?, Duration::from_millis(query.number("ms")?));
    spawn(async move {
        sleep(time).await;
        let store = Store::open_default().await.expect("the store can be opened");
        store.set(key, "done").await.expect("the key can be set");
    });
    Ok(text("accepted"))
}

/// Answers once `key` is set, or traps with `trap=1`, all of it behind backpressure with `alone=1`. Before, it sets the
/// key that `started` names to the number of the instance.
pub async fn wait(query: &Query) -> Result<http::Response<Body>> {
    let store = Store::open_default().await?;
    let alone = query.find("alone").is_some();
    if alone {
        wit_bindgen::backpressure_inc();
    }
    store.set(query.get("started")?, INSTANCE.to_string()).await?;
    let value = set_by_others(&store, &query.get("key")?).await?;
    if query.find("trap").is_some() {
        trap();
    }
    if alone {
        wit_bindgen::backpressure_dec();
    }
    Ok(text(value))
}

/// Answers after `ms` milliseconds. Sets `started` before.
pub async fn pause(query: &Query) -> Result<http::Response<Body>> {
    Store::open_default().await?.set(query.get("started")?, "yes").await?;
    sleep(Duration::from_millis(query.number("ms")?)).await;
    Ok(text("rested"))
}

/// Answers with one line at once, and with another when `key` is set.
pub fn drip(query: &Query) -> Result<http::Response<Body>> {
    let key = query.get("key")?;
    let (mut sender, body) = stream::<String>();
    spawn(async move {
        if sender.send("first\n".to_owned()).await.is_err() {
            return;
        }
        let store = Store::open_default().await.expect("the store can be opened");
        set_by_others(&store, &key).await.expect("the store can be read");
        // Nobody reading any more is no failure.
        let _ = sender.send("second\n".to_owned()).await;
    });
    Ok(http::Response::new(body.boxed_unsync()))
}

/// The value of `key`, once it has one.
async fn set_by_others(store: &Store, key: &str) -> Result<Vec<u8>> {
    loop {
        if let Some(value) = store.get(key).await? {
            return Ok(value);
        }
        sleep(Duration::from_millis(2)).await;
    }
}

/// Stores `message` under `message`, and counts it under `messages`; `later KEY` leaves a task behind that sets the key,
/// `wait KEY` counts itself under `waiting` and lasts until the key is set.
pub async fn on_message(message: Bytes) -> Result<()> {
    if message == "trap" {
        trap();
    }
    let kept = Store::open_default().await?;
    if let Some(key) = message.strip_prefix(b"later ") {
        let key = String::from_utf8(key.to_vec())?;
        spawn(async move {
            sleep(Duration::from_millis(50)).await;
            kept.set(key, "done").await.expect("the key can be set");
        });
        return Ok(());
    }
    let bucket = store::open("default").map_err(|error| anyhow::anyhow!("{error:?}"))?;
    if let Some(key) = message.strip_prefix(b"wait ") {
        atomics::increment(&bucket, "waiting", 1).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        set_by_others(&kept, std::str::from_utf8(key)?).await?;
        return Ok(());
    }
    kept.set("message", &message).await?;
    atomics::increment(&bucket, "messages", 1).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(())
}
