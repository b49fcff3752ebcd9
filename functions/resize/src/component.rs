//! The component: what Spin calls.

use host::{Reply, backpressure, serve, spawn};
use http::{Method, StatusCode};
use kv_schema::content;
use spin_sdk::http_service;
use store::Store;
use web::Response;

use crate::{render, route, worker};

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
                let response = route(&spin, request).await?;
                if response.headers.contains_key(render::RENDERED) {
                    // Counted after the answer: whoever waits for the picture need not wait for this.
                    spawn(async move {
                        let _ = spin.increment(content::renders().name(), 1).await;
                    });
                }
                Ok(response)
            }
            _ => route(&spin, request).await,
        }
    })
    .await
}
