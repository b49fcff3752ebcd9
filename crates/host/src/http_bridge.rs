//! Spin's requests and responses, turned into `web`'s and back.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::StreamExt;
use http::{Method, header};
use http_body::Frame;
use spin_sdk::http::body::IncomingBodyExt;
use store::new_id;
use web::body::Incoming;
use web::{Body, Problem, Request, Response};

use crate::Spin;

/// What a component answers.
pub type Reply = http::Response<Outgoing>;

/// Answers a request: opens the platform, runs `handle`, turns a problem into its document, logs its cause.
pub async fn serve<F>(request: spin_sdk::http::Request, handle: impl FnOnce(Spin, Request) -> F) -> Reply
where
    F: Future<Output = Result<Response, Problem>>,
{
    let (parts, body) = request.into_parts();
    let given_id = parts.headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let given_id = given_id.filter(|text| web::request::usable_request_id(text)).map(str::to_owned);
    let pieces = body.stream().map(|piece| piece.map_err(|error| error.to_string()));
    let path = parts.uri.path().to_owned();
    let method = parts.method.clone();

    let (id, result) = match Spin::open().await {
        Err(error) => (given_id.unwrap_or_default(), Err(Problem::from(error))),
        Ok(spin) => {
            let id = given_id.unwrap_or_else(|| new_id(&spin).to_string());
            let request = Request {
                method: parts.method,
                path: path.clone(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                headers: parts.headers,
                id: id.clone(),
                body: Incoming::new(pieces),
            };
            (id, handle(spin, request).await)
        }
    };
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
