//! Delivering bytes: finds the stored variant and streams it; what is not stored yet `resize` makes first.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use bytes::Bytes;
use http::{StatusCode, header};
use kv_schema::Millis;
use kv_schema::content::{self, BlobId};
use kv_schema::image::{self, Image};
use kv_schema::job::{self, ResizeJob};
use kv_schema::preset::{self, Presets};
use kv_schema::shape::{Object, Versioned};
use store::object::{self, Opened, Piece};
use store::{Store, StoreError, decode};
use transform::{Accept, Format, Plan, Source, Spec, Transform, TransformError, TransformErrorKind};
use web::conditional::Condition;
use web::query::Query;
use web::range::{self, Asked};
use web::{Problem, Request, Response};
use work::{Context, Platform, queue};

use crate::find::{image_id, present};

/// How long a renderer is waited for before it is asked about again, in milliseconds.
const PATIENCE: Millis = 2_000;

/// How long a picture may take in all before the request is given up: longer than it takes to notice that a renderer
/// died, and to make the picture then; in milliseconds.
const MOST_PATIENCE: Millis = 40_000;

/// Renderers that may die of a picture before the request is given up.
const MOST_DEATHS: u32 = 3;

/// After a refusal this instance refuses what would have to be made for so long without asking, in milliseconds: to
/// refuse must cost less than what is refused.
const REFUSED_FOR: Millis = 250;

thread_local! {
    static REFUSES_UNTIL: Cell<Millis> = const { Cell::new(0) };

    /// Read once an instance.
    static FILTER_DIGEST: RefCell<Option<Option<Rc<str>>>> = const { RefCell::new(None) };
}

/// Every answer under a URL is the same for ever: a changed image or preset is handed out under another URL.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// What stands for a picture that is being made is soon replaced.
const FOR_NOW: &str = "public, max-age=10";

/// A variant that could not be made in the background is ordered again after so long, in milliseconds.
const ORDER_WINDOW: u64 = 3_600_000;

/// How an answer may be kept.
#[derive(Debug, Clone, Copy)]
struct Caching {
    /// Whether it depends on what the client accepts.
    is_negotiated: bool,
    /// Whether it is the same for ever.
    is_final: bool,
}

/// Delivers an image in a size and format.
///
/// # Responses
/// - 200, 206, 304.
/// - 400 `transform-invalid`, `parameter-unknown`; 404 `image-not-found`, `preset-not-found`; 410 `image-deleted`;
///   416 `range-not-satisfiable`; 422 `output-too-large`, `image-corrupt`, `watermark-not-found`, `filter-refused`; 501
///   `filter-unknown`.
/// - 503 `render-timeout`, `overloaded`, `store-unavailable`, with `Retry-After`; 507 `store-full`.
pub async fn deliver<P: Platform + 'static>(
    platform: P,
    request: &Request,
    id: &str,
    segment: &str,
) -> Result<Response, Problem> {
    // `v` is part of the URLs that are handed out. It means nothing here: it makes a new URL of a changed preset.
    Query::parse(&request.query, &["v"])?;
    let spec = Spec::parse(segment).map_err(refused)?;
    let found = Found::load(&platform, id).await?;
    deliver_found(platform, request, found, &spec).await
}

/// Delivers an image that was found.
///
/// # Errors
/// As [`deliver`].
pub async fn deliver_found<P: Platform + 'static>(
    platform: P,
    request: &Request,
    found: Found,
    spec: &Spec,
) -> Result<Response, Problem> {
    let Found { image, presets } = found;
    let (plan, is_negotiated) = plan(&platform, spec, &image, &presets, request).await?;
    let Stored { mut object, mut opened, is_final } = stored(&platform, &image.blob, &plan).await?;
    if opened.head.is_original {
        object = content::original(&image.blob);
        opened = object::open(&platform, &object).await?.ok_or_else(being_deleted)?;
    }
    let caching = Caching { is_negotiated, is_final };
    Ok(respond(platform, request, object, opened, caching))
}

/// A variant that can be sent.
struct Stored {
    object: Object,
    opened: Opened,
    /// Whether it is what was asked for, and not what stands for it for now.
    is_final: bool,
}

/// The variant, from the store or made now. One that takes long is ordered, and the best that can be had soon stands
/// for it until it is there.
async fn stored(platform: &impl Platform, blob: &BlobId, plan: &Plan) -> Result<Stored, Problem> {
    let object = content::variant(blob, &plan.to_string());
    if let Some(opened) = object::open(platform, &object).await? {
        return Ok(Stored { object, opened, is_final: true });
    }
    let ready = match plan {
        Plan::Original => None,
        Plan::Render(render) => render.ready_alternative().map(Plan::Render),
    };
    let Some(ready) = ready else {
        let opened = make(platform, blob, plan, &object).await?;
        return Ok(Stored { object, opened, is_final: true });
    };
    order(platform, blob, plan, &object).await?;
    let object = content::variant(blob, &ready.to_string());
    let opened = match object::open(platform, &object).await? {
        Some(opened) => opened,
        None => make(platform, blob, &ready, &object).await?,
    };
    Ok(Stored { object, opened, is_final: false })
}

/// Has a variant made in the background, unless somebody has ordered it already.
async fn order(platform: &impl Platform, blob: &BlobId, plan: &Plan, object: &Object) -> Result<(), StoreError> {
    let window = platform.now().unsigned_abs() / ORDER_WINDOW;
    let order = object.order(window);
    if platform.get(order.name()).await?.is_some() || platform.increment(order.name(), 1).await? != 1 {
        return Ok(());
    }
    let task = ResizeJob::Refine { blob: blob.clone(), plan: plan.to_string(), window };
    queue::push(platform, platform, &job::resize(), task, Vec::new()).await?;
    platform.ring(Context::Resize).await;
    Ok(())
}

/// An image, and the presets there are.
pub struct Found {
    /// The image.
    pub image: Image,
    presets: Presets,
}

impl Found {
    /// Both, in one read.
    ///
    /// # Errors
    /// 404 `image-not-found`; 410 `image-deleted`.
    pub async fn load(store: &impl Store, id: &str) -> Result<Self, Problem> {
        let image_key = image::document(&image_id(id)?).current();
        let presets_key = preset::document().current();
        let values = store.get_many(&[image_key.name().to_owned(), presets_key.name().to_owned()]).await?;
        let image = values[0].as_deref().map(|bytes| decode(&image_key, bytes)).transpose()?;
        let presets: Option<Versioned<Presets>> =
            values[1].as_deref().map(|bytes| decode(&presets_key, bytes)).transpose()?;
        let presets = presets.map_or_else(Presets::built_in, |presets| presets.value);
        Ok(Self { image: present(image)?.value, presets })
    }
}

/// What is to be delivered, and whether that depends on `Accept`.
async fn plan(
    platform: &impl Platform,
    spec: &Spec,
    image: &Image,
    presets: &Presets,
    request: &Request,
) -> Result<(Plan, bool), Problem> {
    let by_preset;
    let transform = match spec {
        Spec::Original => return Ok((Plan::Original, false)),
        Spec::Transform(transform) => transform,
        Spec::Preset(name) => {
            let unknown = || Problem::not_found("preset-not-found", format!("there is no preset {name}"));
            by_preset = preset_transform(&presets.by_name.get(name.as_str()).ok_or_else(unknown)?.transform)?;
            &by_preset
        }
    };
    let accepts: Vec<&str> =
        request.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let accept = Accept::parse(Some(accepts.join(",")).as_deref());
    let digest = filter_digest(platform).await;
    let context = transform::Context { accept, filter_digest: digest.as_deref(), ..accept.into() };
    let plan = Plan::resolve(transform, &source(image)?, context).map_err(refused)?;
    Ok((plan, transform.is_negotiated()))
}

/// The digest of the operator's filters, if there are any.
async fn filter_digest(platform: &impl Platform) -> Option<Rc<str>> {
    if let Some(known) = FILTER_DIGEST.with_borrow(Clone::clone) {
        return known;
    }
    let digest = platform.variable("filter_digest").await.filter(|digest| !digest.is_empty()).map(Rc::from);
    FILTER_DIGEST.set(Some(digest.clone()));
    digest
}

fn preset_transform(text: &str) -> Result<Transform, Problem> {
    match Spec::parse(text) {
        Ok(Spec::Transform(transform)) => Ok(transform),
        _ => Err(Problem::internal(format!("the stored preset {text:?} is no transform"))),
    }
}

fn source(image: &Image) -> Result<Source, Problem> {
    let derived = &image.derived;
    let format = Format::from_mime(&derived.mime)
        .ok_or_else(|| Problem::internal(format!("image {} has the type {}", image.id, derived.mime)))?;
    let still = Source::still(derived.width, derived.height, format, derived.has_alpha);
    Ok(Source { frames: derived.frames, ..still })
}

pub(crate) fn refused(error: TransformError) -> Problem {
    let detail = error.to_string();
    match error.kind {
        TransformErrorKind::Invalid => Problem::bad_request("transform-invalid", detail),
        TransformErrorKind::FilterUnknown => Problem::new(StatusCode::NOT_IMPLEMENTED, "filter-unknown", detail),
        TransformErrorKind::Limit { limit, actual } => {
            Problem::unprocessable("output-too-large", detail).over(limit, Some(actual))
        }
    }
}

/// Has a variant made, or waits for the one who makes it already.
async fn make(platform: &impl Platform, blob: &BlobId, plan: &Plan, object: &Object) -> Result<Opened, Problem> {
    if platform.now() < REFUSES_UNTIL.get() {
        return Err(overloaded());
    }
    let path = format!("/internal/render/{}/{plan}", blob.text());
    let deadline = platform.now() + MOST_PATIENCE;
    let mut n_deaths = 0;
    while platform.now() < deadline {
        match platform.ask(Context::Resize, &path).await {
            // It comes with the answer, and is stored meanwhile.
            Ok((200, packed)) if !packed.is_empty() => return Ok(object::unpack(object, packed)?),
            Ok((200 | 202, _)) => {}
            Ok((status, body)) => {
                let problem = render_refused(status, &body);
                if problem.code == overloaded().code {
                    REFUSES_UNTIL.set(platform.now() + REFUSED_FOR);
                }
                return Err(problem);
            }
            // The renderer did not survive it. One more try tells bad luck from a bad image.
            Err(cause) => {
                platform.log(&format!("rendering {plan} of {}: {cause}", blob.text()));
                n_deaths += 1;
                if n_deaths == MOST_DEATHS {
                    return Err(Problem::unprocessable("image-corrupt", "no decoder survives this picture"));
                }
            }
        }
        if let Some(opened) = wait_for(platform, object).await? {
            return Ok(opened);
        }
    }
    let mut problem =
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "render-timeout", "the picture is not made yet; try again");
    problem.headers.push((header::RETRY_AFTER, "2".to_owned()));
    Err(problem)
}

async fn wait_for(platform: &impl Platform, object: &Object) -> Result<Option<Opened>, Problem> {
    let deadline = platform.now() + PATIENCE;
    let mut pause = 2;
    loop {
        if let Some(opened) = object::open(platform, object).await? {
            return Ok(Some(opened));
        }
        if platform.now() >= deadline {
            return Ok(None);
        }
        platform.sleep(pause).await;
        pause = (pause * 2).min(100);
    }
}

fn being_deleted() -> Problem {
    Problem::new(StatusCode::GONE, "image-deleted", "the image is being deleted")
}

fn overloaded() -> Problem {
    Problem::overloaded("pictures are being made")
}

/// What `resize` said, as this request's problem.
fn render_refused(status: u16, body: &[u8]) -> Problem {
    let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let detail = said["detail"].as_str().unwrap_or("the picture can't be made").to_owned();
    let with_limits =
        |problem: Problem| Problem { limit: said["limit"].as_u64(), actual: said["actual"].as_u64(), ..problem };
    match (status, said["code"].as_str()) {
        (422, Some("image-corrupt")) => Problem::unprocessable("image-corrupt", detail),
        (422, Some("watermark-not-found")) => Problem::unprocessable("watermark-not-found", detail),
        (422, Some("filter-refused")) => Problem::unprocessable("filter-refused", detail),
        (422, _) => with_limits(Problem::unprocessable("output-too-large", detail)),
        (404, _) => being_deleted(),
        (503, Some("overloaded")) => overloaded(),
        (503, _) => StoreError::Unavailable(format!("resize: {detail}")).into(),
        (507, _) => StoreError::Full(format!("resize: {detail}")).into(),
        _ => Problem::internal(format!("resize answered {status}: {}", String::from_utf8_lossy(body))),
    }
}

/// The answer that carries an object, or the part of it that was asked for.
fn respond<P: Platform + 'static>(
    platform: P,
    request: &Request,
    object: Object,
    opened: Opened,
    caching: Caching,
) -> Response {
    let head = &opened.head;
    let etag = format!("\"{}\"", head.etag);
    if Condition::if_none_match(request).is_some_and(|condition| condition.matches_weakly(&etag)) {
        return with_caching(Response::new(StatusCode::NOT_MODIFIED), &etag, caching);
    }
    let text = |name| request.headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    // A range of something that has changed since is not wanted: the whole is.
    let is_current = text(header::IF_RANGE).is_none_or(|condition| condition.trim() == etag);
    let asked = text(header::RANGE).filter(|_| is_current && request.method == http::Method::GET);
    let (status, range) = match range::parse(asked, head.bytes) {
        Asked::Whole => (StatusCode::OK, 0..head.bytes),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Unsatisfiable => return not_satisfiable(request, head.bytes),
    };
    let mut response = with_caching(Response::new(status), &etag, caching)
        .with_header(header::CONTENT_TYPE, &head.mime)
        .with_header(header::CONTENT_LENGTH, (range.end - range.start).to_string())
        .with_header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    if status == StatusCode::PARTIAL_CONTENT {
        let content_range = format!("bytes {}-{}/{}", range.start, range.end - 1, head.bytes);
        response = response.with_header(header::CONTENT_RANGE, content_range);
    }
    if request.method == http::Method::HEAD {
        return response;
    }
    with_bytes(response, platform, object, opened, range)
}

fn with_caching(response: Response, etag: &str, caching: Caching) -> Response {
    let response = with_safety(response)
        .with_header(header::ETAG, etag)
        .with_header(header::CACHE_CONTROL, if caching.is_final { FOREVER } else { FOR_NOW })
        .with_header(header::ACCEPT_RANGES, "bytes");
    if caching.is_negotiated { response.with_header(header::VARY, "Accept") } else { response }
}

pub(crate) fn with_safety(response: Response) -> Response {
    response
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .with_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .with_header(http::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin")
}

fn not_satisfiable(request: &Request, length: u64) -> Response {
    let mut problem = Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range-not-satisfiable",
        format!("the range lies outside of the {length} bytes there are"),
    );
    problem.headers.push((header::CONTENT_RANGE, format!("bytes */{length}")));
    with_safety(problem.into_response(&request.path, &request.id))
}

/// Small objects are here already; of large ones a chunk is read when the one before it is on its way.
fn with_bytes<P: Platform + 'static>(
    response: Response,
    platform: P,
    object: Object,
    opened: Opened,
    range: Range<u64>,
) -> Response {
    let Opened { head, first } = opened;
    let pieces: VecDeque<Piece> = object::pieces(&head, range.clone()).into();
    if pieces.iter().all(|piece| piece.chunk.is_none()) {
        let part = Bytes::from(first).slice(range.start as usize..range.end as usize);
        return response.with_body(part);
    }
    let first = Bytes::from(first);
    let state = (platform, object, first, pieces);
    response.with_stream(futures::stream::unfold(state, |(platform, object, first, mut pieces)| async {
        let piece = pieces.pop_front()?;
        let bytes = match piece.chunk {
            None => Ok(first.slice(piece.range)),
            Some(index) => object::chunk(&platform, &object, index, piece.range.end)
                .await
                .map(|chunk| Bytes::from(chunk).slice(piece.range))
                .map_err(|error| error.to_string()),
        };
        Some((bytes, (platform, object, first, pieces)))
    }))
}

/// The answer to a browser that asks whether another site may use an image.
pub fn preflight() -> Response {
    with_safety(Response::no_content())
        .with_header(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS")
        .with_header(header::ACCESS_CONTROL_ALLOW_HEADERS, "Range, If-None-Match, If-Range, Accept")
        .with_header(header::ACCESS_CONTROL_MAX_AGE, "86400")
}
