//! The component: what Spin calls, and the way out.
#![expect(unsafe_code, reason = "`redis_subscriber` generates the export's glue here")]

use bytes::Bytes;
use host::{Reply, dial, hear, serve, spawn};
use http::{Method, StatusCode, header};
use spin_sdk::{http_service, redis_subscriber};
use url::Url;
use web::Response;
use web::dial::{Answer, DialError};
use work::Context;

use crate::download::Dialer;
use crate::{route, worker};

#[http_service]
async fn handle(request: spin_sdk::http::Request) -> Reply {
    serve(request, |spin, request| async move {
        match (request.path.as_str(), &request.method) {
            ("/internal/bell", &Method::POST) => {
                spawn(async move { worker::drive(&spin, Outbound).await });
                Ok(Response::new(StatusCode::ACCEPTED))
            }
            // A file is taken whole into memory: nobody else shall share this instance meanwhile.
            ("/v1/assets", &Method::POST) => {
                let _held = host::backpressure();
                route(spin, request).await
            }
            _ => route(spin, request).await,
        }
    })
    .await
}

/// The way out of a component.
pub struct Outbound;

impl Dialer for Outbound {
    async fn get(&self, url: &Url) -> Result<Answer, DialError> {
        // The bytes are wanted as they are: a compressed answer could be a bomb, and images do not shrink.
        let headers = [
            (header::ACCEPT, "image/*"),
            (header::ACCEPT_ENCODING, "identity"),
            (header::USER_AGENT, concat!("ScaleHoster/", env!("CARGO_PKG_VERSION"))),
        ];
        dial::get(url.as_str(), &headers).await
    }
}

/// A message on a channel of the worker's.
#[redis_subscriber]
async fn on_message(message: Bytes) -> Result<(), String> {
    hear(Context::Ingest, &message, |spin| async move { worker::work_off(&spin, Outbound, host::STAY).await }).await
}
