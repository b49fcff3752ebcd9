//! Finding an image by the id in a URL.

use http::StatusCode;
use kv_schema::Id;
use kv_schema::image::{Image, Projection};
use kv_schema::shape::Versioned;
use web::{Problem, time};

/// Reads an id from a URL.
///
/// # Errors
/// `404 image-not-found`.
pub fn image_id(text: &str) -> Result<Id, Problem> {
    Id::parse(text).map_err(|_| not_found())
}

/// `404 image-not-found`.
pub fn not_found() -> Problem {
    Problem::not_found("image-not-found", "no such image, or none yet: its asset tells how far it is")
}

/// The image, unless it was deleted or never there.
///
/// # Errors
/// `404 image-not-found`, `410 image-deleted`.
pub fn present(image: Option<Versioned<Projection>>) -> Result<Versioned<Image>, Problem> {
    let Versioned { version, value } = image.ok_or_else(not_found)?;
    match value {
        Projection::Shown(image) => Ok(Versioned { version, value: *image }),
        Projection::Deleted { at } => {
            let detail = format!("the image was deleted at {}", time::format(at));
            Err(Problem::new(StatusCode::GONE, "image-deleted", detail))
        }
    }
}
