//! The component: what Spin calls.

use host::{Reply, serve};
use spin_sdk::http_service;

use crate::route;

#[http_service]
async fn handle(request: spin_sdk::http::Request) -> Reply {
    serve(request, |spin, request| async move { route(&spin, request).await }).await
}
