//! The component that the runner's tests drive: each path does one thing, and its query says with what.

mod fetch;
mod key_value;
mod subscriber;
mod work;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use spin_sdk::http::{Request, Response, StatusCode};
use spin_sdk::{http_service, variables};
use url::Url;

/// How a response's body is held.
type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, anyhow::Error>;

/// A number that no other instance has.
static INSTANCE: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("instance"));

#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    let mut response = answer(request).await.unwrap_or_else(|error| {
        let mut response = text(format!("{error:#}"));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    });
    response.headers_mut().insert("instance", (*INSTANCE).into());
    response
}

async fn answer(request: Request) -> Result<http::Response<Body>> {
    let (parts, body) = request.into_parts();
    let query = Query::of(&parts.uri)?;
    let path = parts.uri.path();
    // Private components are called with their whole path, the others below whatever prefix their route has.
    let action = path.rsplit('/').next().unwrap_or_default();
    Ok(match action {
        "hello" => text("hello"),
        "echo" => text(body.collect().await?.to_bytes()),
        "headers" => text(headers(&parts.headers)),
        "uri" => text(parts.uri.to_string()),
        "print" => {
            println!("{}", query.get("out")?);
            eprintln!("{}", query.get("err")?);
            text("")
        }
        "variable" => text(variables::get(query.get("name")?).await?),
        "environment" => text(std::env::var(query.get("name")?)?),
        "fetch" => fetch::fetch(&query).await?,
        "publish" => fetch::publish(&query).await?,
        "burn" => work::burn(&query)?,
        "trap" => work::trap(),
        "allocate" => work::allocate(&query)?,
        "later" => work::later(&query)?,
        "wait" => work::wait(&query).await?,
        "pause" => work::pause(&query).await?,
        "drip" => work::drip(&query)?,
        _ => match path.rsplit_once("/kv/") {
            Some((_, action)) => key_value::answer(action, &query, body.collect().await?.to_bytes()).await?,
            None => {
                let mut response = text("no such path");
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        },
    })
}

fn headers(headers: &http::HeaderMap) -> String {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    headers.iter().map(line).collect()
}

/// A response of `body`.
fn text(body: impl Into<Bytes>) -> http::Response<Body> {
    Response::new(Full::new(body.into()).map_err(|never| match never {}).boxed_unsync())
}

/// The parameters of a request.
struct Query(Url);

impl Query {
    fn of(uri: &http::Uri) -> Result<Self> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self(Url::parse("http://localhost")?.join(path)?))
    }

    fn find(&self, name: &str) -> Option<String> {
        self.0.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    }

    fn get(&self, name: &str) -> Result<String> {
        self.find(name).with_context(|| format!("parameter `{name}` is missing"))
    }

    fn number(&self, name: &str) -> Result<u64> {
        self.get(name)?.parse().with_context(|| format!("parameter `{name}` is no number"))
    }
}
