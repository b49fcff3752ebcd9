//! Creating an asset: from a URL here, from a file in [`crate::upload`].

use events::Data;
use http::header;
use kv_schema::asset::{self, Asset, Details, Source, State, Step};
use kv_schema::job::{self, IngestJob};
use kv_schema::shape::Versioned;
use kv_schema::{Id, Millis};
use serde_json::Value;
use store::{document, pair};
use web::query::Query;
use web::{Problem, Request, Response, idempotency};
use work::admission::{self, UPLOADS};
use work::{Platform, Trace, queue, trace};

use crate::config::{Config, config};
use crate::details::DetailsInput;
use crate::source_url::{self, Refusal};
use crate::tell::tell;
use crate::{read, upload, view};

/// The longest that `Prefer: wait` holds an answer, in seconds.
const LONGEST_WAIT: u64 = 60;

/// Accepts an asset.
///
/// # Responses
/// - 202 with `Location`; with `Prefer: wait=SECONDS` once it is `ready` or `failed`, or the time is over.
/// - 400 `json-invalid`, `parameter-invalid`, `idempotency-key-invalid`.
/// - 409 `idempotency-in-progress`.
/// - 413 `body-too-large`; 415 `content-type-unsupported`, `image-format-unsupported`.
/// - 503 `overloaded`; 507 `store-full`.
/// - 422 `field-unknown`, `field-invalid`, `category-unknown`, `source-url-invalid`, `source-forbidden`,
///   `idempotency-key-reused`, and `image-…` where a file is no usable image.
pub async fn create(platform: &impl Platform, request: Request) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let config = config(platform).await?;
    let wait = preferred_wait(&request)?;
    let key = idempotency::key(&request)?;
    check_backlog(platform, &config).await?;
    let trace = trace(request.traceparent(), platform);
    let content_type = request.content_type();
    let mut response = match content_type.as_deref() {
        Some(media_type) if media_type == "multipart/form-data" || media_type.starts_with("image/") => {
            let Some(pass) = admission::enter(platform, UPLOADS).await? else {
                return Err(Problem::overloaded("files are being taken in"));
            };
            let response = if media_type.starts_with("image/") {
                upload::from_body(platform, &config, request, key.as_deref(), trace).await
            } else {
                upload::from_form(platform, &config, request, key.as_deref(), trace).await
            };
            admission::leave(platform, &pass).await?;
            response?
        }
        None | Some("application/json") => {
            let body = web::json::read_bytes(request).await?;
            from_json(platform, &config, &body, key.as_deref(), trace).await?
        }
        Some(other) => {
            let supported = "application/json, multipart/form-data or image/*";
            return Err(web::json::unsupported_content_type(other, supported));
        }
    };
    if let Some(seconds) = wait {
        response = hold(platform, response, seconds).await?;
    }
    Ok(response)
}

/// Refuses what would wait too long.
///
/// # Errors
/// `503 overloaded`.
pub async fn check_backlog(platform: &impl Platform, config: &Config) -> Result<(), Problem> {
    let queued = queue::backlog(platform, &job::ingest()).await?;
    if queued < config.max_queued {
        return Ok(());
    }
    Err(Problem::overloaded("assets are waiting").over(config.max_queued, Some(queued)))
}

/// Accepts an asset by URL.
///
/// # Errors
/// As [`create`].
pub async fn from_json(
    platform: &impl Platform,
    config: &Config,
    body: &[u8],
    key: Option<&str>,
    trace: Trace,
) -> Result<Response, Problem> {
    idempotency::once(platform, "assets", key, body, |id| accept_url(platform, config, body, id, trace)).await
}

async fn accept_url(
    platform: &impl Platform,
    config: &Config,
    body: &[u8],
    id: Id,
    trace: Trace,
) -> Result<Response, Problem> {
    let (url, details) = parse(body)?;
    let url = source_url::parse(&url, config.allow_private_sources).map_err(refused)?;
    let details = details.check(platform).await?.over(Details::default());
    if let Some(known) = document::get(platform, &asset::document(&id)).await? {
        return Ok(view::accepted(&known));
    }
    let asset = Asset { trace: Some(trace.to_string()), ..new_asset(id, Source::Url { url: url.into() }, details) };
    let asset = write_new(platform, asset).await?;
    tell(platform, Data::AssetAccepted, &asset, trace).await;
    Ok(view::accepted(&asset))
}

/// Reads `source_url` and the details, which share one JSON object.
fn parse(body: &[u8]) -> Result<(String, DetailsInput), Problem> {
    let mut fields: serde_json::Map<String, Value> = web::json::parse(body)?;
    let details = |fields| web::json::parse(&web::response::json_bytes(&Value::Object(fields)));
    match fields.remove("source_url") {
        Some(Value::String(url)) => Ok((url, details(fields)?)),
        Some(_) => Err(Problem::field("/source_url", "a text is expected")),
        None => {
            // What else is wrong with the body says more than what is missing.
            let _: DetailsInput = details(fields)?;
            Err(Problem::field("/source_url", "it is missing"))
        }
    }
}

fn refused(refusal: Refusal) -> Problem {
    let (code, detail) = match refusal {
        Refusal::Invalid(detail) => ("source-url-invalid", detail),
        Refusal::Forbidden(detail) => ("source-forbidden", detail),
    };
    let mut problem = Problem::field("/source_url", detail);
    problem.code = code;
    problem
}

/// An asset in its first state. The time in its id is that of its acceptance.
pub fn new_asset(id: Id, source: Source, details: Details) -> Asset {
    let now = id.millis();
    Asset {
        id,
        source,
        state: State::Accepted,
        history: vec![Step { state: State::Accepted, at: now }],
        attempts: 0,
        error: None,
        details,
        content: None,
        trace: None,
        created_at: now,
        updated_at: now,
        edited_at: now,
        deleted_at: None,
    }
}

/// Writes a new asset and the job that sees to it. Its id is new, so nobody else writes this document.
///
/// # Errors
/// `503 store-unavailable`.
pub async fn write_new(platform: &impl Platform, asset: Asset) -> Result<Versioned<Asset>, Problem> {
    let task = IngestJob::Acquire { asset: asset.id.clone() };
    let document = asset::document(&asset.id).current();
    let first = Versioned { version: 1, value: asset };
    queue::push(platform, platform, &job::ingest(), task, vec![pair(&document, &first)?]).await?;
    Ok(first)
}

/// The seconds of `Prefer: wait=SECONDS` (RFC 7240).
fn preferred_wait(request: &Request) -> Result<Option<u64>, Problem> {
    let Some(prefer) = request.header("prefer")? else { return Ok(None) };
    for preference in prefer.split(',') {
        if let Some(seconds) = preference.trim().strip_prefix("wait=") {
            let seconds: u64 = seconds.trim_matches('"').parse().map_err(|_| {
                Problem::bad_request("parameter-invalid", "Prefer: wait takes whole seconds, as wait=10")
            })?;
            return Ok(Some(seconds.min(LONGEST_WAIT)));
        }
    }
    Ok(None)
}

/// Holds the answer until the asset is `ready` or `failed`, or the time is over.
async fn hold(platform: &impl Platform, response: Response, seconds: u64) -> Result<Response, Problem> {
    let location = response.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let Some(id) = location.and_then(|location| location.rsplit('/').next()).map(str::to_owned) else {
        return Ok(response);
    };
    let deadline = platform.now() + Millis::try_from(seconds * 1000).unwrap_or(0);
    let mut pause = 10;
    loop {
        let asset = read::find(platform, &id).await?;
        if matches!(asset.value.state, State::Ready | State::Failed) || platform.now() >= deadline {
            let applied = http::HeaderName::from_static("preference-applied");
            return Ok(view::accepted(&asset).with_header(applied, format!("wait={seconds}")));
        }
        read::nudge(platform, &asset.value).await;
        platform.sleep(pause).await;
        pause = (pause * 2).min(100);
    }
}
