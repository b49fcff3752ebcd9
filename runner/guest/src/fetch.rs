//! Requests to others.

use anyhow::{Result, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use spin_sdk::http::send;
use spin_sdk::redis::Connection;
use spin_sdk::wasip3::http::types::RequestOptions;
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;

use crate::{Body, Query, text};

/// Fetches `url`, with the timeouts `connect`, `first` and `between` in milliseconds, and answers with what came back.
pub async fn fetch(query: &Query) -> Result<http::Response<Body>> {
    let mut request = http::Request::get(query.get("url")?).body(Empty::<Bytes>::new())?;
    if let Some(header) = query.find("header") {
        request.headers_mut().insert("x-header", header.parse()?);
    }
    let options = RequestOptions::new();
    let set = |name: &str, set: &dyn Fn(Option<u64>) -> bool| match query.find(name) {
        Some(_) if !set(Some(query.number(name)? * 1_000_000)) => Err(anyhow!("cannot set the timeout `{name}`")),
        _ => anyhow::Ok(()),
    };
    set("connect", &|timeout| options.set_connect_timeout(timeout).is_ok())?;
    set("first", &|timeout| options.set_first_byte_timeout(timeout).is_ok())?;
    set("between", &|timeout| options.set_between_bytes_timeout(timeout).is_ok())?;
    request.extensions_mut().insert(RequestOptionsExtension(options));

    let response = send(request).await.map_err(|error| anyhow!("{error:?}"))?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| anyhow!("in the body: {error:?}"))?;
    let mut answer = text(body.to_bytes());
    *answer.status_mut() = status;
    Ok(answer)
}

/// Publishes `message` on `channel` of the Redis server at `address`.
pub async fn publish(query: &Query) -> Result<http::Response<Body>> {
    let connection = Connection::open(query.get("address")?).await?;
    connection.publish(query.get("channel")?, query.get("message")?.into_bytes()).await?;
    Ok(text(""))
}
