//! The HTTP trigger: from the socket to the component, and from one component to another.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::Shared;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use wasmtime::PoolConcurrencyLimitError;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{InstantiationError, ProxyHandler, TrapOrPanicError};

use crate::allowed_hosts::chaining_target;
use crate::instance::Instances;
use crate::routes::{Match, Router};

/// How long a request waits before it asks again for an instance, when there are as many as there can be.
const INSTANCE_PAUSE: Duration = Duration::from_millis(10);

/// How long requests in flight may go on once the runner is told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait after a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Paths that the host answers itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// The client address of a request that another component makes.
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The application's HTTP components, and where they are reached from outside.
///
/// Components need it to call each other, and it needs them: so it is made empty and filled once.
#[derive(Default)]
pub struct Peers {
    handlers: OnceLock<HashMap<String, ProxyHandler<Instances>>>,
    address: OnceLock<SocketAddr>,
}

impl Peers {
    /// Fills in the components, by id, and the address on which they are served.
    pub fn set(&self, handlers: HashMap<String, ProxyHandler<Instances>>, address: Option<SocketAddr>) {
        assert!(self.handlers.set(handlers).is_ok(), "the components are set once");
        if let Some(address) = address {
            assert!(self.address.set(address).is_ok(), "the address is set once");
        }
    }

    /// Where the application is served.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }

    /// Passes a request on to the component that `found` names, or returns nothing if there is no such component.
    ///
    /// A component that fails makes a 500; why is in the log.
    pub async fn call(
        &self,
        found: &Match,
        mut request: Request<WasiBody>,
        client: SocketAddr,
    ) -> Option<Response<WasiBody>> {
        let component = &found.target.component;
        let handler = self.handlers.get()?.get(component)?;
        let uri = request.uri().clone();
        found.add_headers(request.headers_mut(), &uri, client);
        loop {
            let error = match handler.handle((), request).await {
                Ok(response) => return Some(response),
                Err(error) => error,
            };
            match error.downcast::<InstantiationError<()>>() {
                Ok(refused) if refused.error.is::<PoolConcurrencyLimitError>() => {
                    request = refused.request.into_inner().expect("nothing panics with it");
                    tokio::time::sleep(INSTANCE_PAUSE).await;
                    continue;
                }
                Ok(refused) => eprintln!("component {component} could not be instantiated: {:?}", refused.error),
                // An instance that failed has said so itself, once and not for each of its requests.
                Err(error) if error.is::<TrapOrPanicError>() => {}
                Err(error) => eprintln!("component {component} answered {} with an error: {error:?}", uri.path()),
            }
            return Some(plain(StatusCode::INTERNAL_SERVER_ERROR));
        }
    }

    /// Passes on a request that a component makes to `http://NAME.spin.internal`.
    pub async fn chain(&self, target: &str, request: Request<WasiBody>) -> Option<Response<WasiBody>> {
        let found = Match::chained(target, request.uri().path());
        self.call(&found, request, CHAINED_CLIENT).await
    }
}

/// What answers requests from outside.
pub struct Server {
    pub router: Router,
    pub peers: Arc<Peers>,
    /// Answered at `/.well-known/spin/info`.
    pub name: String,
    pub version: String,
}

/// Resolves when the runner shall stop.
pub type Stop = Shared<futures::future::BoxFuture<'static, ()>>;

impl Server {
    /// Serves connections until `stop`, and then what is in flight for a little longer.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: Stop) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, client)) => {
                        connections.spawn(self.clone().converse(stream, client, stop.clone()));
                    }
                    Err(error) => {
                        eprintln!("cannot accept a connection: {error}");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                () = stop.clone() => break,
            }
        }
        drop(listener);
        let finished = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, finished).await.is_err() {
            eprintln!("stopping with requests in flight");
        }
    }

    /// Serves one connection.
    async fn converse(self: Arc<Self>, stream: TcpStream, client: SocketAddr, stop: Stop) {
        // Without it, a small response on a kept connection waits for the client's delayed acknowledgement, 40 ms.
        if let Err(error) = stream.set_nodelay(true) {
            eprintln!("cannot set TCP_NODELAY: {error}");
        }
        let service = service_fn(move |request| {
            let server = self.clone();
            async move { Ok::<_, Infallible>(server.answer(request, client).await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // A connection that breaks is the client's affair.
        tokio::select! {
            _ = connection.as_mut() => return,
            () = stop => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    async fn answer(&self, request: Request<hyper::body::Incoming>, client: SocketAddr) -> Response<WasiBody> {
        let mut request = request.map(|body| body.map_err(wasmtime_wasi_http::Error::from).boxed_unsync());
        if let Some(path) = request.uri().path().strip_prefix(WELL_KNOWN) {
            return self.answer_well_known(path);
        }
        let Some(found) = self.router.find(request.uri().path()) else {
            return plain(StatusCode::NOT_FOUND);
        };
        request.headers_mut().remove(header::CONNECTION);
        if let Err(status) = complete_uri(&mut request) {
            return plain(status);
        }
        let response = self.peers.call(&found, request, client).await;
        response.unwrap_or_else(|| plain(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn answer_well_known(&self, path: &str) -> Response<WasiBody> {
        match path {
            "health" => text(Bytes::from_static(b"OK")),
            "info" => {
                let info = serde_json::json!({ "name": self.name, "version": self.version });
                let mut response = text(Bytes::from(format!("{info:#}")));
                let json = header::HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                response
            }
            _ => plain(StatusCode::NOT_FOUND),
        }
    }
}

/// Gives the request's URI the scheme and the authority that components see.
///
/// # Errors
/// 400, when the authority is missing, ambiguous, or one that only components may use.
fn complete_uri(request: &mut Request<WasiBody>) -> Result<(), StatusCode> {
    let host = match request.headers().get(header::HOST) {
        Some(host) => Some(Authority::try_from(host.as_bytes()).map_err(|_| StatusCode::BAD_REQUEST)?),
        None => None,
    };
    let mut parts = request.uri().clone().into_parts();
    let authority = match (host, parts.authority) {
        (Some(host), Some(authority)) if host != authority => return Err(StatusCode::BAD_REQUEST),
        (Some(authority), _) | (None, Some(authority)) => authority,
        (None, None) => return Err(StatusCode::BAD_REQUEST),
    };
    if chaining_target(authority.as_str()).is_some() {
        return Err(StatusCode::BAD_REQUEST);
    }
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    parts.path_and_query = parts.path_and_query.or(Some(PathAndQuery::from_static("/")));
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(())
}

/// A response without a body.
fn plain(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(Empty::new().map_err(Into::into).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn text(body: Bytes) -> Response<WasiBody> {
    Response::new(Full::new(body).map_err(Into::into).boxed_unsync())
}

/// `stop` as several tasks can wait for it.
pub fn shared(stop: impl Future<Output = ()> + Send + 'static) -> Stop {
    stop.boxed().shared()
}
