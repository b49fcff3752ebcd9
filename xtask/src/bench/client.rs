//! Requests, each on a connection of its own: what the network costs is then the same for every server.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::Agent;
use ureq::http::Response;

/// The longest that a request may take.
const LIMIT: Duration = Duration::from_secs(120);

/// The largest answer, in bytes.
const MOST_BYTES: u64 = 100_000_000;

/// Asks one server.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    origin: String,
}

impl Client {
    /// A client of the server at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self::with_limit(address, LIMIT)
    }

    /// The same, with the longest that a request may take.
    pub fn with_limit(address: SocketAddr, limit: Duration) -> Self {
        let config = Agent::config_builder();
        let config = config.proxy(None).http_status_as_error(false).timeout_global(Some(limit));
        let agent = config.max_idle_connections(0).build().into();
        Self { agent, origin: format!("http://{address}") }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// A GET, with all of its answer.
    ///
    /// # Errors
    /// When it is not answered with 200.
    pub fn get(&self, path: &str) -> Result<Response<Vec<u8>>> {
        let request = self.agent.get(self.url(path)).header("connection", "close");
        whole(request.call().with_context(|| format!("GET {path}"))?).with_context(|| format!("GET {path}"))
    }

    /// A GET of JSON.
    ///
    /// # Errors
    /// When it is not answered with 200 and JSON.
    pub fn json(&self, path: &str) -> Result<Value> {
        serde_json::from_slice(self.get(path)?.body()).with_context(|| format!("GET {path}: not JSON"))
    }

    /// Whether a GET is answered with 200.
    pub fn is_ok(&self, path: &str) -> bool {
        self.get(path).is_ok()
    }

    /// Uploads a picture and waits until it is ready; returns the image's id.
    ///
    /// # Errors
    /// When it is none, or does not become ready.
    pub fn upload(&self, picture: &[u8]) -> Result<String> {
        let request = self.agent.post(self.url("/v1/assets")).header("connection", "close");
        let request = request.content_type(probe::probe(picture)?.format.media_type()).header("prefer", "wait=60");
        let answer: Value = serde_json::from_slice(whole(request.send(picture)?)?.body())?;
        match (answer["state"].as_str(), answer["id"].as_str()) {
            (Some("ready"), Some(id)) => Ok(id.to_owned()),
            _ => bail!("an uploaded picture did not become ready: {answer}"),
        }
    }

    /// Creates an asset from a URL; returns its id.
    ///
    /// # Errors
    /// When it is not accepted.
    pub fn accept(&self, source_url: &str) -> Result<String> {
        let request = self.agent.post(self.url("/v1/assets")).header("connection", "close");
        let body = serde_json::json!({ "source_url": source_url }).to_string();
        let answer = whole(request.content_type("application/json").send(&body)?)?;
        let answer: Value = serde_json::from_slice(answer.body())?;
        Ok(answer["id"].as_str().with_context(|| format!("accepted without an id: {answer}"))?.to_owned())
    }

    /// Posts a batch of lines; returns the answer as it begins to come.
    ///
    /// # Errors
    /// When it is refused.
    pub fn batch(&self, lines: &str) -> Result<impl std::io::Read + use<>> {
        let request = self.agent.post(self.url("/v1/assets/batch")).header("connection", "close");
        let answer = request.content_type("application/x-ndjson").send(lines)?;
        if !answer.status().is_success() {
            bail!("the batch was answered with {}", answer.status());
        }
        Ok(answer.into_body().into_with_config().limit(MOST_BYTES).reader())
    }
}

fn whole(answer: Response<ureq::Body>) -> Result<Response<Vec<u8>>> {
    let (parts, mut body) = answer.into_parts();
    let bytes = body.with_config().limit(MOST_BYTES).read_to_vec()?;
    if !parts.status.is_success() {
        bail!("{}: {}", parts.status, String::from_utf8_lossy(&bytes));
    }
    Ok(Response::from_parts(parts, bytes))
}
