//! The component: what Spin calls.
#![expect(unsafe_code, reason = "`redis_subscriber` generates the export's glue here")]

use bytes::Bytes;
use host::{Reply, hear, serve, spawn};
use http::{Method, StatusCode};
use spin_sdk::{http_service, redis_subscriber};
use web::Response;
use work::Context;

use crate::{health, route, worker};

#[http_service]
async fn handle(request: spin_sdk::http::Request) -> Reply {
    serve(request, |spin, request| async move {
        match (request.path.as_str(), &request.method) {
            ("/internal/bell", &Method::POST) => {
                spawn(async move { worker::drive(&spin).await });
                Ok(Response::new(StatusCode::ACCEPTED))
            }
            // Whoever asks for health asks regularly, and after a start: the one moment to find work left lying.
            ("/healthz", _) => {
                let sweeper = spin.clone();
                let response = route(spin, request).await?;
                spawn(async move { health::ring_for_open_jobs(&sweeper).await });
                Ok(response)
            }
            _ => route(spin, request).await,
        }
    })
    .await
}

/// A message on a channel of the worker's.
#[redis_subscriber]
async fn on_message(message: Bytes) -> Result<(), String> {
    hear(Context::Retrieve, &message, |spin| async move { worker::work_off(&spin, host::STAY).await }).await
}
