//! Bodies that come in: streams of bytes, read with a limit.

use std::pin::Pin;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::StatusCode;

use crate::Problem;

/// A body as it arrives. An error is the transport's.
pub struct Incoming(Pin<Box<dyn Stream<Item = Result<Bytes, String>> + Send>>);

impl Incoming {
    /// Wraps a stream of pieces.
    pub fn new(pieces: impl Stream<Item = Result<Bytes, String>> + Send + 'static) -> Self {
        Self(Box::pin(pieces))
    }

    /// A body that is already here.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self::new(futures::stream::iter([Ok(bytes.into())]))
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// `400 body-incomplete` when the sender broke off.
    pub async fn next(&mut self) -> Option<Result<Bytes, Problem>> {
        let piece = self.0.next().await?;
        Some(piece.map_err(|cause| {
            let mut problem = Problem::bad_request("body-incomplete", "the request ended before its body did");
            problem.cause = Some(cause);
            problem
        }))
    }

    /// The pieces as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, String>> + Send + 'static {
        self.0
    }

    /// Reads the whole body, at most `limit` bytes of it.
    ///
    /// # Errors
    /// `413 body-too-large` as soon as more than `limit` bytes are announced or have come; `400 body-incomplete`.
    pub async fn read(mut self, limit: u64, announced: Option<u64>) -> Result<Vec<u8>, Problem> {
        if let Some(actual) = announced.filter(|&length| length > limit) {
            return Err(too_large(limit, Some(actual)));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = self.next().await {
            let piece = piece?;
            if (bytes.len() + piece.len()) as u64 > limit {
                return Err(too_large(limit, None));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

/// `413 body-too-large`.
pub fn too_large(limit: u64, actual: Option<u64>) -> Problem {
    let detail = format!("the body is larger than {limit} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail).over(limit, actual)
}

/// The length that the sender announced.
pub fn announced_length(headers: &http::HeaderMap) -> Option<u64> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    fn body(pieces: &[&'static str]) -> Incoming {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
        Incoming::new(futures::stream::iter(pieces))
    }

    #[test]
    fn reads_up_to_the_limit_and_no_further() {
        assert_eq!(block_on(body(&["ab", "cd"]).read(4, None)).unwrap(), b"abcd");
        let over = block_on(body(&["ab", "cd", "e"]).read(4, None)).unwrap_err();
        assert_eq!((over.code, over.limit, over.actual), ("body-too-large", Some(4), None));
        let announced = block_on(body(&[]).read(4, Some(5))).unwrap_err();
        assert_eq!((announced.code, announced.actual), ("body-too-large", Some(5)));
    }
}
