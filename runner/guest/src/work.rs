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

use crate::{Body, Query, text};

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

/// Answers once `key` is set.
pub async fn wait(query: &Query) -> Result<http::Response<Body>> {
    let store = Store::open_default().await?;
    let key = query.get("key")?;
    loop {
        if let Some(value) = store.get(&key).await? {
            return Ok(text(value));
        }
        sleep(Duration::from_millis(2)).await;
    }
}

/// Answers with `count` lines, `ms` milliseconds apart.
pub fn drip(query: &Query) -> Result<http::Response<Body>> {
    let (count, pause) = (query.number("count")?, Duration::from_millis(query.number("ms")?));
    let (mut sender, body) = stream::<String>();
    spawn(async move {
        for number in 0..count {
            if number > 0 {
                sleep(pause).await;
            }
            if sender.send(format!("{number}\n")).await.is_err() {
                break;
            }
        }
    });
    Ok(http::Response::new(body.boxed_unsync()))
}

/// Stores `message` under `message`, and counts it under `messages`.
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
    kept.set("message", &message).await?;
    let bucket = store::open("default").map_err(|error| anyhow::anyhow!("{error:?}"))?;
    atomics::increment(&bucket, "messages", 1).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(())
}
