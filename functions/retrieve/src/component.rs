//! The component: what Spin calls.

use host::{Reply, serve, spawn};
use http::{Method, StatusCode};
use spin_sdk::http_service;
use web::Response;

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
