//! Spin's requests and responses, turned into `web`'s and back.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::{Method, header};
use http_body::Frame;
use spin_sdk::http::body::IncomingBodyExt;
use store::new_id;
use web::body::Incoming;
use web::{Body, Problem, Request, Response};

use crate::Spin;
use crate::platform::{Wasi, within};

/// What a component answers.
pub type Reply = http::Response<Outgoing>;

/// How much of a refused body is read all the same, in bytes, and for how long, in milliseconds.
const DRAIN_BYTES: usize = 2 * 1024 * 1024;
const DRAIN_MILLIS: u64 = 2_000;

/// A stream that two hold: the handler, and whoever reads what the handler has left.
struct Shared<S>(Arc<Mutex<Pin<Box<S>>>>);

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Stream<Item = Result<Bytes, E>>, E> Shared<S> {
    fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(Box::pin(stream))))
    }

    /// Reads to the end, to an error, or until more than `most` bytes were read.
    async fn drain(mut self, most: usize) {
        let mut left = most;
        while let Some(Ok(piece)) = self.next().await {
            match left.checked_sub(piece.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    }
}

impl<S: Stream> Stream for Shared<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.0.lock().expect("there is one thread").as_mut().poll_next(context)
    }
}

/// Answers a request: opens the platform, runs `handle`, turns a problem into its document, logs its cause.
pub async fn serve<F>(request: spin_sdk::http::Request, handle: impl FnOnce(Spin, Request) -> F) -> Reply
where
    F: Future<Output = Result<Response, Problem>>,
{
    let (parts, body) = request.into_parts();
    let given_id = parts.headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let given_id = given_id.filter(|text| web::request::usable_request_id(text)).map(str::to_owned);
    let pieces = Shared::new(body.stream().map(|piece| piece.map_err(|error| error.to_string())));
    let path = parts.uri.path().to_owned();
    let method = parts.method.clone();

    let id = given_id.unwrap_or_else(|| new_id(&Wasi).to_string());
    let result = match Spin::open().await {
        Err(problem) => Err(problem),
        Ok(spin) => {
            let request = Request {
                method: parts.method,
                path: path.clone(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                headers: parts.headers,
                id: id.clone(),
                body: Incoming::new(pieces.clone()),
            };
            handle(spin, request).await
        }
    };
    if result.is_err() {
        // Whoever is still sending would not see the answer: the host closes a connection whose request it has not read.
        within(DRAIN_MILLIS, pieces.drain(DRAIN_BYTES)).await;
    }
    let response = result.unwrap_or_else(|problem| {
        if let Some(cause) = &problem.cause {
            eprintln!("{id} {method} {path}: {} {}: {cause}", problem.status.as_u16(), problem.code);
        }
        problem.into_response(&path, &id)
    });
    reply(response.with_header(http::HeaderName::from_static("x-request-id"), &id), &method)
}

fn reply(mut response: Response, method: &Method) -> Reply {
    if let Some(body) = response.full_body() {
        let length = body.len().to_string();
        let has_body = !response.status.is_informational()
            && response.status != http::StatusCode::NO_CONTENT
            && response.status != http::StatusCode::NOT_MODIFIED;
        if has_body && !response.headers.contains_key(header::CONTENT_LENGTH) {
            response = response.with_header(header::CONTENT_LENGTH, length);
        }
    }
    if method == Method::HEAD {
        response.body = Body::Full(Bytes::new());
    }
    let mut reply = http::Response::new(Outgoing(response.body));
    *reply.status_mut() = response.status;
    *reply.headers_mut() = response.headers;
    reply
}

/// A response's body on its way out.
pub struct Outgoing(Body);

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.0 {
            Body::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Body::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Body::Stream(pieces) => pieces.as_mut().poll_next(context).map(|piece| {
                piece.map(|piece| {
                    piece.map(Frame::data).map_err(|cause| {
                        eprintln!("a response broke off: {cause}");
                        cause.into()
                    })
                })
            }),
        }
    }
}
