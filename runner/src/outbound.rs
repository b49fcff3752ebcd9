//! Requests that components make: the one place where it is decided whether they may, and where they go.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Sleep, timeout};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks,
};

use crate::allowed_hosts::chaining_target;
use crate::host::Settings;

/// What holds when the guest sets no timeout: Spin's default for all three.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// A request's way of saying "this application", for guests that cannot leave the host out.
const OWN_HOST: &str = "self.alt";

/// The outbound side of one instance.
pub struct Outbound {
    settings: Arc<Settings>,
}

impl Outbound {
    /// The outbound side of an instance with `settings`.
    pub fn new(settings: Arc<Settings>) -> Self {
        Self { settings }
    }
}

/// A response, and what became of sending the request.
type Sent = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Outbound {
    /// The usual ones but `Host`, which guests on Spin see in the requests they get. In those they make it has no
    /// effect: `send` sets it from the URI.
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name| name != header::HOST && DEFAULT_FORBIDDEN_HEADERS.contains(name))
    }

    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let settings = self.settings.clone();
        Box::new(async move {
            let response = send(&settings, request, options.unwrap_or_default()).await?;
            // An error on the connection ends the response's body; there is nothing more to tell.
            let done: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(async { Ok(()) });
            Ok((response, done))
        })
    }
}

/// Sends `request` where its URI says, if the component may.
async fn send(
    settings: &Settings,
    mut request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<Response<WasiBody>, Error> {
    let host = request.uri().host().unwrap_or_default().to_owned();
    if matches!(host.as_str(), OWN_HOST | "") {
        if !settings.allowed_hosts.allow_own() {
            return Err(deny(settings, "self"));
        }
        address_own(settings, &mut request)?;
    } else if !settings.allowed_hosts.allow(request.uri()) {
        return Err(deny(settings, &request.uri().to_string()));
    }
    request.headers_mut().remove(header::HOST);
    if let Some(target) = chaining_target(&host) {
        return settings.peers.chain(target, request).await.ok_or(Error::DestinationNotFound);
    }
    let first_byte = options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let between_bytes = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let answered = async {
        let connect = options.connect_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let mut connection =
            timeout(connect, connect_to(settings, request.uri())).await.map_err(|_| Error::ConnectionTimeout)??;
        let authority = request.uri().authority().ok_or(Error::HttpRequestUriInvalid)?.as_str();
        let host = HeaderValue::try_from(authority).map_err(|_| Error::HttpRequestUriInvalid)?;
        request.headers_mut().insert(header::HOST, host);
        // From here on the URI is what stands in the request line.
        let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::from(path);
        let response = connection.sender.send_request(request).await?;
        Ok::<_, Error>(response.map(|incoming| {
            TimedBody { incoming: Some(incoming), _driver: connection.driver, silence: None, between_bytes }
                .boxed_unsync()
        }))
    };
    timeout(first_byte, answered).await.map_err(|_| Error::ConnectionReadTimeout)?
}

/// Says on standard error what the manifest lacks, and is what the guest gets.
fn deny(settings: &Settings, destination: &str) -> Error {
    eprintln!(
        "component {} may not connect to {destination}: its allowed_outbound_hosts do not have it",
        settings.component
    );
    Error::HttpRequestDenied
}

/// Turns a request to this application into one to its address.
fn address_own(settings: &Settings, request: &mut Request<WasiBody>) -> Result<(), Error> {
    let address = settings.peers.address().ok_or(Error::HttpRequestUriInvalid)?.to_string();
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(Authority::try_from(address).map_err(|_| Error::HttpRequestUriInvalid)?);
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)?;
    Ok(())
}

/// A connection of one request.
struct Connection {
    sender: http1::SendRequest<WasiBody>,
    driver: Driver,
}

/// The task that moves a connection's bytes. It ends with its response.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn connect_to(settings: &Settings, uri: &Uri) -> Result<Connection, Error> {
    let is_https = uri.scheme() == Some(&Scheme::HTTPS);
    let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?.trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
    let stream = dial(settings, host, port).await?;
    if !is_https {
        return handshake(stream).await;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| unknown_name())?;
    let connector = TlsConnector::from(TLS.clone());
    let stream = connector.connect(name, stream).await.map_err(|error| {
        eprintln!("component {}: no TLS with {host}: {error}", settings.component);
        Error::TlsProtocolError
    })?;
    handshake(stream).await
}

/// Connects to one of the addresses of `host` that are not blocked.
///
/// The check is made on what is dialled, after the name has been resolved: a name that resolves differently the next
/// time gains nothing by it.
async fn dial(settings: &Settings, host: &str, port: u16) -> Result<TcpStream, Error> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await.map_err(|_| unknown_name())?.collect();
    let allowed: Vec<SocketAddr> =
        found.iter().copied().filter(|address| !settings.blocked_networks.block(address.ip())).collect();
    if allowed.is_empty() && !found.is_empty() {
        eprintln!("component {} may not connect to {host}: all of its addresses are blocked", settings.component);
        return Err(Error::DestinationIpProhibited);
    }
    let stream = TcpStream::connect(allowed.as_slice()).await.map_err(|_| Error::ConnectionRefused)?;
    stream.set_nodelay(true).map_err(Error::Connect)?;
    Ok(stream)
}

async fn handshake(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Connection, Error> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Its errors also reach the response.
    let driver = Driver(tokio::spawn(async move { drop(connection.await) }));
    Ok(Connection { sender, driver })
}

fn unknown_name() -> Error {
    Error::DnsError { rcode: Some("address not available".to_owned()), info_code: None }
}

/// TLS as a browser without certificates of its own would speak it.
static TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the protocol versions that rustls defaults to")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
});

/// A response's body that gives up when nothing comes for too long.
struct TimedBody {
    /// Gone after a timeout, and the connection with it.
    incoming: Option<Incoming>,
    _driver: Driver,
    /// Runs out when the guest has waited for bytes as long as it is ready to.
    silence: Option<Pin<Box<Sleep>>>,
    between_bytes: Duration,
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(incoming) = self.incoming.as_mut() else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(incoming).poll_frame(cx) {
            self.silence = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        let between_bytes = self.between_bytes;
        let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(between_bytes)));
        ready!(silence.as_mut().poll(cx));
        self.incoming = None;
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}
