//! JSON bodies: read strictly, refused with a pointer to what is wrong.

use http::StatusCode;
use serde::de::DeserializeOwned;

use crate::problem::FieldError;
use crate::{Problem, Request, body};

/// The largest JSON document that is read, in bytes.
pub const MOST_BYTES: u64 = 128 * 1024;

/// Reads the body of a request as JSON.
///
/// # Errors
/// `415 content-type-unsupported`, `413 body-too-large`, and those of [`parse`].
pub async fn read<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    let bytes = read_bytes(request).await?;
    parse(&bytes)
}

/// Reads the body of a request that must be JSON, without looking into it.
///
/// # Errors
/// `415 content-type-unsupported`, `413 body-too-large`.
pub async fn read_bytes(request: Request) -> Result<Vec<u8>, Problem> {
    match request.content_type().as_deref() {
        None | Some("application/json") => {}
        Some(other) => return Err(unsupported_content_type(other, "application/json")),
    }
    let announced = body::announced_length(&request.headers);
    request.body.read(MOST_BYTES, announced).await
}

/// `415 content-type-unsupported`.
pub fn unsupported_content_type(found: &str, supported: &str) -> Problem {
    let detail = format!("a body of type {} is not taken here; {supported} is", shortened(found));
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type-unsupported", detail)
}

/// Reads a JSON document.
///
/// # Errors
/// `400 json-invalid` for what is no JSON; `422 field-unknown` and `422 field-invalid` with a pointer for the rest.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Serde would take an array for a struct, its items for the fields.
    if bytes.trim_ascii_start().first().is_some_and(|&byte| byte != b'{') {
        serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map_err(|error| syntax(&error))?;
        let mut problem = Problem::field("", "an object is expected");
        problem.detail = "the body is not a JSON object".to_owned();
        return Err(problem);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        refused(error.inner(), pointer)
    })?;
    deserializer.end().map_err(|error| syntax(&error))?;
    Ok(value)
}

fn syntax(error: &serde_json::Error) -> Problem {
    Problem::bad_request("json-invalid", format!("the body is not JSON: {}", shortened(&error.to_string())))
}

fn refused(error: &serde_json::Error, mut pointer: String) -> Problem {
    if !error.is_data() {
        return syntax(error);
    }
    let text = error.to_string();
    let mut detail = text.split(" at line ").next().unwrap_or_default().to_owned();
    let unknown = detail.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()).map(str::to_owned);
    let code = if unknown.is_some() { "field-unknown" } else { "field-invalid" };
    if let Some(name) = unknown {
        let escaped = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        if !pointer.ends_with(&escaped) {
            pointer.push_str(&escaped);
        }
    }
    detail = shortened(&detail);
    let mut problem = Problem::unprocessable(code, format!("the body can't be taken: {detail}"));
    problem.errors.push(FieldError { pointer: shortened(&pointer), detail });
    problem
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { variant } => pointer.push_str(&format!("/{variant}")),
            Segment::Unknown => {}
        }
    }
    pointer
}

/// What a caller sent, cut to a length that an answer can bear.
pub fn shortened(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Tells a field that is absent from one that is null: absent leaves a value as it is, null clears it.
///
/// # Errors
/// The deserializer's.
pub fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}

/// A field that may be absent but not null.
///
/// # Errors
/// The deserializer's.
pub fn not_null<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        name: String,
        #[serde(default)]
        tags: Vec<String>,
    }

    fn check(body: &str, code: &str, pointer: Option<&str>) {
        let problem = parse::<Thing>(body.as_bytes()).unwrap_err();
        assert_eq!(problem.code, code, "{body}: {problem:?}");
        assert_eq!(problem.errors.first().map(|error| error.pointer.as_str()), pointer, "{body}: {problem:?}");
    }

    #[test]
    fn refuses_with_a_pointer() {
        check("", "json-invalid", None);
        check("{", "json-invalid", None);
        check("{\"name\":\"a\"} x", "json-invalid", None);
        check("[1]", "field-invalid", Some(""));
        check("{\"name\":1}", "field-invalid", Some("/name"));
        check("{\"name\":\"a\",\"tags\":[\"x\",2]}", "field-invalid", Some("/tags/1"));
        check("{\"name\":\"a\",\"b/c\":2}", "field-unknown", Some("/b~1c"));
        check("{}", "field-invalid", Some(""));
        check("\"\u{0}\"", "json-invalid", None);
    }

    #[test]
    fn reads_what_is_right() {
        let thing = parse::<Thing>(br#"{"name":"a"}"#);
        assert_eq!(thing, Ok(Thing { name: "a".to_owned(), tags: Vec::new() }));
    }
}
