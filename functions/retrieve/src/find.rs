//! Finding an image by the id in a URL.

use http::StatusCode;
use kv_schema::Id;
use kv_schema::image::{self, Image};
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
pub fn present(image: Option<Versioned<Image>>) -> Result<Versioned<Image>, Problem> {
    let image = image.ok_or_else(not_found)?;
    match image.value.deleted_at {
        None => Ok(image),
        Some(at) => {
            let detail = format!("the image was deleted at {}", time::format(at));
            Err(Problem::new(StatusCode::GONE, "image-deleted", detail))
        }
    }
}

/// Whether an image counts as an entry of a listing: its own document says so.
pub fn stands_at(image: &Image, listing: &image::Listing, position: u64) -> bool {
    image.deleted_at.is_none()
        && image.places.iter().any(|place| place.listing == *listing && place.position == position)
}
