//! Delivering bytes under the URLs of other image services, and the documents of IIIF's Image API.

use dialects::{DialectError, DialectErrorKind, Size, iiif};
use http::{HeaderName, StatusCode, header};
use kv_schema::image::Image;
use transform::Spec;
use web::{Problem, Request, Response};
use work::Platform;

use crate::deliver::{Found, deliver_found, refused, with_safety};

/// Delivers an image that is asked for in the grammar of imgproxy, Thumbor, Cloudflare or imgix.
///
/// # Responses
/// Those of [`deliver`](crate::deliver::deliver), and 400 `dialect-invalid`, 501 `dialect-unsupported`.
pub async fn deliver<P: Platform + 'static>(platform: P, request: &Request) -> Result<Response, Problem> {
    let asked = dialects::parse(&request.path, &request.query).ok_or_else(Problem::no_route)?.map_err(problem)?;
    let found = Found::load(&platform, &asked.id).await?;
    let lowered = asked.lower(size(&found.image)).map_err(problem)?;
    let spec = Spec::parse(&lowered.transform).map_err(refused)?;
    deliver_found(platform, request, found, &spec).await
}

/// Answers a request of the Image API: a picture, its information, or where that is.
///
/// # Responses
/// - 200, 206, 303, 304; otherwise as [`deliver`].
pub async fn iiif<P: Platform + 'static>(platform: P, request: &Request) -> Result<Response, Problem> {
    let asked = iiif::parse(&request.path).ok_or_else(Problem::no_route)?.map_err(problem)?;
    match asked {
        iiif::Request::Base { id } => {
            let response = Response::new(StatusCode::SEE_OTHER);
            Ok(with_safety(response.with_header(header::LOCATION, format!("{}/info.json", uri(request, &id)))))
        }
        iiif::Request::Info { id } => {
            let Found { image, .. } = Found::load(&platform, &id).await?;
            let document = iiif::info(size(&image), &uri(request, &id), iiif::Limits::default());
            let accept = request.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
            let response = Response::new(StatusCode::OK).with_body(document.to_string());
            let response = response.with_header(header::CONTENT_TYPE, iiif::info_media_type(accept));
            let response = response.with_header(header::LINK, iiif::PROFILE_LINK);
            Ok(with_safety(response.with_header(header::VARY, "Accept")))
        }
        iiif::Request::Image(asked) => {
            let found = Found::load(&platform, &asked.id).await?;
            let wanted = asked.lower(size(&found.image), iiif::Limits::default()).map_err(problem)?;
            let spec = Spec::parse(&wanted.lowered.transform).map_err(refused)?;
            let link = iiif::link_header(&uri(request, &asked.id), &wanted.canonical);
            let response = deliver_found(platform, request, found, &spec).await?;
            Ok(response.with_header(header::LINK, link))
        }
    }
}

fn size(image: &Image) -> Size {
    Size { width: image.derived.width, height: image.derived.height }
}

/// The base URI of an image, as the client sees it: behind a proxy, by what that says of itself.
fn uri(request: &Request, id: &str) -> String {
    let text = |name: HeaderName| request.headers.get(name).and_then(|value| value.to_str().ok());
    let forwarded = |name: &'static str| text(HeaderName::from_static(name)).map(first);
    let scheme = forwarded("x-forwarded-proto").filter(|scheme| *scheme == "https").unwrap_or("http");
    let host = forwarded("x-forwarded-host").or_else(|| text(header::HOST)).unwrap_or("localhost");
    format!("{scheme}://{host}{}{id}", iiif::PREFIX)
}

/// The first of a list, which is what the proxy nearest to the client saw.
fn first(list: &str) -> &str {
    list.split(',').next().unwrap_or_default().trim()
}

fn problem(error: DialectError) -> Problem {
    let detail = error.to_string();
    match error.kind {
        DialectErrorKind::Invalid => Problem::bad_request("dialect-invalid", detail),
        DialectErrorKind::Unsupported => Problem::new(StatusCode::NOT_IMPLEMENTED, "dialect-unsupported", detail),
        DialectErrorKind::NoImage => crate::find::not_found(),
    }
}
