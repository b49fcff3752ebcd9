//! URLs in the grammars of other services: any text is answered, and what is understood is understood here, too.

use dialects::{DialectError, Size, iiif};
use transform::Spec;

/// Pictures that URLs are worked out for.
const SIZES: [Size; 4] = [
    Size { width: 1080, height: 720 },
    Size { width: 1, height: 1 },
    Size { width: 65_535, height: 3 },
    Size { width: 640, height: 6400 },
];

/// Reads `data` as a path with a query.
///
/// # Panics
/// When what it comes to is not in the native grammar, or the canonical form of a IIIF request means something else.
pub fn dialects(data: &[u8]) {
    let Ok(url) = std::str::from_utf8(data) else { return };
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    if let Some(Ok(request)) = dialects::parse(path, query) {
        for size in SIZES {
            if let Ok(lowered) = request.lower(size) {
                assert_eq!(lowered.id, request.id);
                is_native(url, &lowered.transform);
            }
        }
    }
    if let Some(Ok(iiif::Request::Image(request))) = iiif::parse(path) {
        for size in SIZES {
            if let Ok(image) = request.lower(size, iiif::Limits::default()) {
                is_native(url, &image.lowered.transform);
                assert_eq!(again(&image, size).as_ref(), Ok(&image), "{url} of {size:?}");
            }
        }
    }
}

/// The native grammar has the last word, on sizes over the limits, names and texts. What it takes, it prints and takes
/// again.
fn is_native(url: &str, transform: &str) {
    if let Ok(spec) = Spec::parse(transform) {
        assert_eq!(Spec::parse(&spec.to_string()), Ok(spec), "{url} becomes {transform}");
    }
}

/// What the canonical form of a request comes to.
fn again(image: &iiif::Image, size: Size) -> Result<iiif::Image, DialectError> {
    let path = format!("{}{}/{}", iiif::PREFIX, image.lowered.id, image.canonical);
    match iiif::parse(&path) {
        Some(Ok(iiif::Request::Image(request))) => request.lower(size, iiif::Limits::default()),
        other => panic!("{path} is {other:?}"),
    }
}
