//! Forms with a file (RFC 7578): `file`, and the fields of a new asset.

use futures::Stream;
use multer::{Constraints, Multipart, SizeLimit};
use web::body::too_large;
use web::{Problem, Request, body};

/// The largest text field, in bytes.
const MOST_FIELD_BYTES: u64 = 64 * 1024;

/// Fields in a form.
const MOST_FIELDS: usize = 64;

/// What a form held.
#[derive(Debug, PartialEq)]
pub struct Form {
    /// The file.
    pub file: Vec<u8>,
    /// The other fields, as the JSON object that would say the same.
    pub details: Vec<u8>,
}

/// Reads a form whose file has at most `most_bytes` bytes.
///
/// # Errors
/// `400 form-invalid`, `413 body-too-large`, `422 field-invalid`, `422 field-unknown`.
pub async fn read(request: Request, most_bytes: u64) -> Result<Form, Problem> {
    let content_type = request.header("content-type")?.unwrap_or_default().to_owned();
    let boundary = multer::parse_boundary(content_type).map_err(|error| invalid(&error.to_string()))?;
    let most_in_all = most_bytes + MOST_FIELD_BYTES * MOST_FIELDS as u64;
    let announced = body::announced_length(&request.headers);
    if let Some(actual) = announced.filter(|&length| length > most_in_all) {
        return Err(too_large(most_bytes, Some(actual)));
    }
    parse(request.body.into_stream(), &boundary, most_bytes).await
}

/// Reads the parts of a form.
///
/// # Errors
/// As [`read`].
pub async fn parse<S>(pieces: S, boundary: &str, most_bytes: u64) -> Result<Form, Problem>
where
    S: Stream<Item = Result<bytes::Bytes, String>> + Send + 'static,
{
    let sizes = SizeLimit::new()
        .whole_stream(most_bytes + MOST_FIELD_BYTES * MOST_FIELDS as u64)
        .for_field("file", most_bytes)
        .per_field(MOST_FIELD_BYTES);
    let constraints = Constraints::new().size_limit(sizes);
    let pieces = futures::TryStreamExt::map_err(pieces, std::io::Error::other);
    let mut parts = Multipart::with_constraints(pieces, boundary, constraints);
    let mut fields = Fields::default();
    let mut n_fields = 0;
    while let Some(part) = parts.next_field().await.map_err(|error| refused(&error, most_bytes))? {
        n_fields += 1;
        if n_fields > MOST_FIELDS {
            return Err(invalid(&format!("a form has at most {MOST_FIELDS} fields")));
        }
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(|error| refused(&error, most_bytes))?;
        fields.add(&name, &bytes)?;
    }
    fields.finish()
}

#[derive(Default)]
struct Fields {
    file: Option<Vec<u8>>,
    details: serde_json::Map<String, serde_json::Value>,
    tags: Vec<serde_json::Value>,
}

impl Fields {
    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Problem> {
        let pointer = format!("/{name}");
        let text = || std::str::from_utf8(bytes).map_err(|_| Problem::field(&pointer, "text in UTF-8 is expected"));
        match name {
            "file" if self.file.is_none() => self.file = Some(bytes.to_vec()),
            "tags" => self.tags.extend(text()?.split(',').map(|tag| tag.trim().into())),
            "category" | "title" | "alt" | "visibility" if !self.details.contains_key(name) => {
                self.details.insert(name.to_owned(), text()?.into());
            }
            "metadata" if !self.details.contains_key(name) => {
                let value = serde_json::from_str(text()?)
                    .map_err(|error| Problem::field(&pointer, format!("a JSON object is expected: {error}")))?;
                self.details.insert(name.to_owned(), value);
            }
            "file" | "category" | "title" | "alt" | "visibility" | "metadata" => {
                return Err(Problem::field(&pointer, "it was given twice"));
            }
            _ => {
                let mut problem = Problem::field(&web::json::shortened(&pointer), "no such field");
                problem.code = "field-unknown";
                return Err(problem);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Form, Problem> {
        let file = self.file.ok_or_else(|| Problem::field("/file", "the form has no file"))?;
        if !self.tags.is_empty() {
            self.details.insert("tags".to_owned(), self.tags.into());
        }
        Ok(Form { file, details: web::response::json_bytes(&self.details) })
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::bad_request("form-invalid", format!("the form can't be read: {}", web::json::shortened(detail)))
}

fn refused(error: &multer::Error, most_bytes: u64) -> Problem {
    match error {
        multer::Error::FieldSizeExceeded { field_name, .. } if field_name.as_deref() != Some("file") => {
            too_large(MOST_FIELD_BYTES, None)
        }
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => {
            too_large(most_bytes, None)
        }
        other => invalid(&other.to_string()),
    }
}
