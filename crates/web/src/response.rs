//! A response as the handlers make it.

use std::pin::Pin;

use bytes::Bytes;
use futures::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

/// The bytes of a response.
pub enum Body {
    /// All of them.
    Full(Bytes),
    /// As they come. An error breaks the connection off, so that nobody takes a part for the whole.
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, String>>>>),
}

/// A response.
pub struct Response {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Body,
}

impl Response {
    /// An empty response.
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Body::Full(Bytes::new()) }
    }

    /// A JSON response that is not to be cached.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        Self::new(status)
            .with_header(header::CONTENT_TYPE, "application/json")
            .with_header(header::CACHE_CONTROL, "no-store")
            .with_body(json_bytes(value))
    }

    /// 204.
    pub fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT)
    }

    /// Sets a header. A value that no header can hold is left out; ours are ASCII.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = Body::Full(bytes.into());
        self
    }

    /// Sets a body that comes in pieces.
    #[must_use]
    pub fn with_stream(mut self, pieces: impl Stream<Item = Result<Bytes, String>> + 'static) -> Self {
        self.body = Body::Stream(Box::pin(pieces));
        self
    }

    /// The body of a response that has it all.
    pub fn full_body(&self) -> Option<&Bytes> {
        match &self.body {
            Body::Full(bytes) => Some(bytes),
            Body::Stream(_) => None,
        }
    }
}

/// A value as JSON.
pub fn json_bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("our documents have string keys and no failing serializers")
}
