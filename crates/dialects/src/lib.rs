//! URLs in the grammars of other image services, read as native transforms.
//!
//! A dialect ends where the native grammar begins: everything here is text to text, without any I/O, so that the same
//! picture asked for in any dialect has one plan and one cache entry. The way through it:
//!
//! 1. [`parse`] finds the dialect by the path's first segment and reads the whole URL. Every option is known: it is
//!    lowered, or refused by its name, or one of those that the user documentation lists as without effect.
//! 2. The caller looks up the image of [`Request::id`].
//! 3. [`Request::lower`] gives the native transform for a picture of that size. Many options need no size, but a
//!    crop around a focal point, a ratio that must not enlarge, or a share of the width do; the native grammar has
//!    no relative sizes, and so stays small.
//!
//! The International Image Interoperability Framework's Image API is one more dialect, with documents and headers of
//! its own: [`iiif`].
//!
//! Signatures in URLs are read over and not checked. They would grant nothing: images are public here, and what may
//! be made of them is bounded by the limits on results, not by who wrote the URL.

#![forbid(unsafe_code)]

pub mod cloudflare;
mod colors;
mod error;
pub mod iiif;
pub mod imgix;
pub mod imgproxy;
mod layout;
mod native;
mod source;
pub mod thumbor;
mod values;

pub use error::{DialectError, DialectErrorKind};
pub use native::Size;

/// A URL in one of the dialects, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The id of the image that it is about.
    pub id: String,
    wish: Wish,
}

#[derive(Debug, Clone, PartialEq)]
enum Wish {
    Imgproxy(Box<imgproxy::Options>),
    Thumbor(Box<thumbor::Options>),
    Cloudflare(Box<cloudflare::Options>),
    Imgix(Box<imgix::Options>),
}

/// What a URL comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lowered {
    /// The id of the image.
    pub id: String,
    /// The native transform: options joined by commas, the name of a preset, or `original`.
    pub transform: String,
}

impl Request {
    /// The native transform for the image, whose upright picture is of `size`.
    ///
    /// # Errors
    /// `Unsupported` for combinations of options that nothing here does; `Invalid` for what no picture can be.
    pub fn lower(&self, size: Size) -> Result<Lowered, DialectError> {
        if size.width == 0 || size.height == 0 {
            return Err(error::malformed("the picture has no pixels"));
        }
        let transform = match &self.wish {
            Wish::Imgproxy(options) => options.lower(size)?,
            Wish::Thumbor(options) => options.lower(size)?,
            Wish::Cloudflare(options) => options.lower(size)?,
            Wish::Imgix(options) => options.lower(size)?,
        };
        Ok(Lowered { id: self.id.clone(), transform })
    }
}

/// Reads a URL's path, which begins with a slash and is still percent-encoded, and its query without the question
/// mark. `None` when the path is in none of the dialects; the Image API is not one of them here, see [`iiif::parse`].
///
/// # Errors
/// The refusal names the option to blame.
pub fn parse(path: &str, query: &str) -> Option<Result<Request, DialectError>> {
    if let Some(rest) = path.strip_prefix("/imgproxy/") {
        return Some(imgproxy::parse(rest, query));
    }
    if let Some(rest) = path.strip_prefix("/thumbor/") {
        return Some(thumbor::parse(rest, query));
    }
    if let Some(rest) = path.strip_prefix("/cdn-cgi/image/") {
        return Some(cloudflare::parse(rest, query));
    }
    path.strip_prefix("/imgix/").map(|rest| imgix::parse(rest, query))
}

/// Refuses a query where the dialect has none.
fn no_query(query: &str) -> Result<(), DialectError> {
    if query.is_empty() { Ok(()) } else { Err(error::malformed("this grammar has no query")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01hzy3v7q8e9r0t1a2b3c4d5e6";

    #[test]
    fn the_first_segment_decides_the_dialect() {
        let check = |path: &str, expected: Option<&str>| {
            let request =
                parse(&path.replace("ID", ID), "").transpose().unwrap_or_else(|error| panic!("{path}: {error}"));
            let lowered = request.map(|request| request.lower(Size { width: 640, height: 480 }));
            let lowered = lowered.transpose().unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(lowered.map(|lowered| lowered.transform).as_deref(), expected, "{path}");
        };
        check("/imgproxy/_/w:300/plain/ID", Some("w=300"));
        check("/thumbor/unsafe/300x0/ID", Some("w=300,enlarge=1"));
        check("/cdn-cgi/image/w=300/ID", Some("w=300"));
        check("/imgix/ID", Some("original"));
        for path in ["", "/", "/i/ID/w=300", "/imgproxy", "/cdn-cgi/ID", "/iiif/3/ID/full/max/0/default.jpg"] {
            check(path, None);
        }
    }

    #[test]
    fn a_picture_without_pixels_is_refused() {
        let request = parse(&format!("/imgix/{ID}"), "w=0.5").expect("a dialect").expect("the request is good");
        assert!(request.lower(Size { width: 0, height: 480 }).is_err());
    }
}
