//! The component: what Spin calls.
#![expect(unsafe_code, reason = "`redis_subscriber` generates the export's glue here")]

use bytes::Bytes;
use futures::channel::oneshot;
use futures::stream;
use host::{Reply, Spin, backpressure, hear, serve, spawn};
use http::{Method, StatusCode};
use kv_schema::content;
use spin_sdk::{http_service, redis_subscriber};
use store::Store;
use web::{Problem, Response};
use work::{Context, World};

use crate::render::Made;
use crate::{render, route, tell, worker};

#[http_service]
async fn handle(request: spin_sdk::http::Request) -> Reply {
    serve(request, |spin, request| async move {
        match (request.path.as_str(), &request.method) {
            ("/internal/bell", &Method::POST) => {
                spawn(async move {
                    // What the driver asks for goes to other instances, which may die of it while it lives on.
                    let _held = backpressure();
                    worker::drive(&spin).await;
                });
                Ok(Response::new(StatusCode::ACCEPTED))
            }
            (path, &Method::POST) if path.starts_with("/internal/render/") => {
                let _held = backpressure();
                let Some(made) = render_at(&spin, path).await? else { return Ok(Response::new(StatusCode::ACCEPTED)) };
                let (answer, sent) = told_when_sent(made.answer()?);
                let (path, traceparent) = (path.to_owned(), request.traceparent().map(str::to_owned));
                spawn(async move {
                    // The store holds the instance up while it writes.
                    let _ = sent.await;
                    finish(&spin, made, &path, traceparent.as_deref()).await;
                });
                Ok(answer)
            }
            (path, &Method::POST) if path.starts_with("/internal/") => {
                let _held = backpressure();
                route(&spin, request).await
            }
            _ => route(&spin, request).await,
        }
    })
    .await
}

/// `POST /internal/render/{blob}/{plan}`: 200 with the picture, or 202 when another request is making it.
async fn render_at(spin: &Spin, path: &str) -> Result<Option<Made>, Problem> {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["", "internal", "render", blob, plan] => render::render(spin, blob, plan).await,
        _ => Err(Problem::no_route()),
    }
}

/// A response, and what tells when its body has gone out, or never will.
fn told_when_sent(response: Response) -> (Response, oneshot::Receiver<()>) {
    let (tell, told) = oneshot::channel();
    let body = response.full_body().filter(|body| !body.is_empty()).cloned();
    let pieces = stream::unfold((body, tell), |(mut body, tell)| async move {
        let piece = body.take();
        // Asked for the next piece: the one before is on its way.
        piece.map(|piece| (Ok(piece), (body, tell)))
    });
    (response.with_stream(pieces), told)
}

/// Stores a picture that is on its way, and tells of it. What can't be stored is made again for the next who asks.
async fn finish(spin: &Spin, made: Made, path: &str, traceparent: Option<&str>) {
    match made.finish(spin).await {
        Ok(false) => {}
        Ok(true) => {
            let _ = spin.increment(content::renders().name(), 1).await;
            tell::tell_of_rendered(spin, path, traceparent).await;
        }
        Err(problem) => {
            spin.log(&format!("{path} was made and not stored: {}", problem.cause.unwrap_or(problem.detail)))
        }
    }
}

/// A message on a channel of the worker's.
#[redis_subscriber]
async fn on_message(message: Bytes) -> Result<(), String> {
    hear(Context::Resize, &message, |spin| async move { worker::work_off(&spin, host::STAY).await }).await
}
