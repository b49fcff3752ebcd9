//! Creating an asset from a file in the request.

use events::Data;
use http::StatusCode;
use kv_schema::Id;
use kv_schema::asset::{self, Asset, Content, Details, Failure, Source};
use probe::{LimitError, Probe, ProbeError};
use sha2::{Digest, Sha256};
use store::document;
use store::object::hex;
use web::{Problem, Request, Response, body, idempotency};
use work::{Platform, Trace};

use crate::config::Config;
use crate::create::{new_asset, write_new};
use crate::details::DetailsInput;
use crate::tell::tell;
use crate::{multipart, originals, view};

/// Accepts a file that is the whole body.
///
/// # Errors
/// As [`crate::create::create`].
pub async fn from_body(
    platform: &impl Platform,
    config: &Config,
    request: Request,
    key: Option<&str>,
    trace: Trace,
) -> Result<Response, Problem> {
    let announced = body::announced_length(&request.headers);
    let file = request.body.read(config.max_source_bytes, announced).await?;
    let digest = Sha256::digest(&file);
    idempotency::once(platform, "assets", key, &digest, |id| {
        accept_file(platform, config, id, &file, DetailsInput::default(), trace)
    })
    .await
}

/// Accepts a form with the file and its details.
///
/// # Errors
/// As [`crate::create::create`].
pub async fn from_form(
    platform: &impl Platform,
    config: &Config,
    request: Request,
    key: Option<&str>,
    trace: Trace,
) -> Result<Response, Problem> {
    let form = multipart::read(request, config.max_source_bytes).await?;
    let digest = Sha256::new().chain_update(Sha256::digest(&form.file)).chain_update(&form.details).finalize();
    let details = web::json::parse(&form.details)?;
    idempotency::once(platform, "assets", key, &digest, |id| {
        accept_file(platform, config, id, &form.file, details, trace)
    })
    .await
}

async fn accept_file(
    platform: &impl Platform,
    config: &Config,
    id: Id,
    file: &[u8],
    details: DetailsInput,
    trace: Trace,
) -> Result<Response, Problem> {
    let probe = inspect(file, &config.image).map_err(refused)?;
    let details = details.check(platform).await?.over(Details::default());
    if let Some(known) = document::get(platform, &asset::document(&id)).await? {
        return Ok(view::accepted(&known));
    }
    // The document says which bytes it waits for before they are stored: should this request die in between, its job
    // finds either the bytes, and goes on, or none, and says so.
    let sha256 = hex(&Sha256::digest(file));
    let blob = originals::current(platform, &sha256).await?;
    let asset = Asset {
        content: Some(describe(&probe, blob, file.len())),
        trace: Some(trace.to_string()),
        ..new_asset(id, Source::Upload, details)
    };
    let accepted = write_new(platform, asset).await?;
    let asset = originals::adopt(platform, &accepted.value.id, &probe, &sha256, file).await?;
    // Told after the bytes are stored: its job waits for them, and is done at the first look now.
    tell(platform, Data::AssetAccepted, &accepted, trace).await;
    Ok(view::accepted(&asset))
}

/// What a probe says of bytes, as an asset's content.
pub fn describe(probe: &Probe, blob: kv_schema::content::BlobId, bytes: usize) -> Content {
    let (width, height) = probe.oriented_size();
    Content { blob, reference: 0, bytes: bytes as u64, mime: probe.format.media_type().to_owned(), width, height }
}

/// Looks at the header of a whole file.
///
/// # Errors
/// Why it can't be an image here.
pub fn inspect(file: &[u8], limits: &probe::Limits) -> Result<Probe, Failure> {
    let probe = probe::probe(file).map_err(|error| not_an_image(&error))?;
    check(&probe, limits)?;
    Ok(probe)
}

/// Refuses what can't be decoded or is over a limit.
///
/// # Errors
/// Which of them.
pub fn check(probe: &Probe, limits: &probe::Limits) -> Result<(), Failure> {
    probe::check_decodable(probe).map_err(|error| not_an_image(&error))?;
    limits.check(probe).map_err(|error| over_limit(&error))
}

/// Why a header can't be read, as an asset's failure.
pub fn not_an_image(error: &ProbeError) -> Failure {
    let code = match error {
        ProbeError::Empty => "image-empty",
        ProbeError::Unsupported { .. } | ProbeError::UnsupportedInside { .. } => "image-format-unsupported",
        ProbeError::Truncated | ProbeError::Corrupt { .. } => "image-corrupt",
    };
    failure(code, error.to_string())
}

/// Which limit an image is over, as an asset's failure.
fn over_limit(error: &LimitError) -> Failure {
    let (limit, actual) = error.limit_and_actual();
    Failure { limit: Some(limit), actual: Some(actual), ..failure(error.code(), error.to_string()) }
}

/// A failure without a limit.
pub fn failure(code: &str, detail: impl Into<String>) -> Failure {
    Failure { code: code.to_owned(), detail: detail.into(), limit: None, actual: None }
}

fn refused(failure: Failure) -> Problem {
    let (status, code) = match failure.code.as_str() {
        "image-empty" => (StatusCode::UNPROCESSABLE_ENTITY, "image-empty"),
        "image-format-unsupported" => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "image-format-unsupported"),
        "image-too-many-pixels" => (StatusCode::UNPROCESSABLE_ENTITY, "image-too-many-pixels"),
        "image-too-many-frames" => (StatusCode::UNPROCESSABLE_ENTITY, "image-too-many-frames"),
        "image-too-large" => (StatusCode::UNPROCESSABLE_ENTITY, "image-too-large"),
        _ => (StatusCode::UNPROCESSABLE_ENTITY, "image-corrupt"),
    };
    let problem = Problem::new(status, code, failure.detail);
    Problem { limit: failure.limit, actual: failure.actual, ..problem }
}
