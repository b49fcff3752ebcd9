//! The component: what Spin calls.
#![expect(unsafe_code, reason = "`redis_subscriber` generates the export's glue here")]

use bytes::Bytes;
use host::{Reply, backpressure, hear, serve, spawn};
use http::{Method, StatusCode};
use kv_schema::content;
use spin_sdk::{http_service, redis_subscriber};
use store::Store;
use web::Response;
use work::Context;

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
            (path, &Method::POST) if path.starts_with("/internal/") => {
                let _held = backpressure();
                let (path, traceparent) = (path.to_owned(), request.traceparent().map(str::to_owned));
                let response = route(&spin, request).await?;
                if response.headers.contains_key(render::RENDERED) {
                    // Counted after the answer: whoever waits for the picture need not wait for this.
                    spawn(async move {
                        let _ = spin.increment(content::renders().name(), 1).await;
                        tell::tell_of_rendered(&spin, &path, traceparent.as_deref()).await;
                    });
                }
                Ok(response)
            }
            _ => route(&spin, request).await,
        }
    })
    .await
}

/// A message on a channel of the worker's.
#[redis_subscriber]
async fn on_message(message: Bytes) -> Result<(), String> {
    hear(Context::Resize, &message, |spin| async move { worker::work_off(&spin, host::STAY).await }).await
}
