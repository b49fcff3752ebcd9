//! Errors as clients see them: RFC 9457 problem documents with a stable code.

use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use store::StoreError;

use crate::response::{Response, json_bytes};

/// An answer that is an error. What a client may know is in the public fields; the cause is for the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable, kebab-case. Clients branch on it.
    pub code: &'static str,
    /// One sentence for people about this very request.
    pub detail: String,
    /// The limit that was passed.
    pub limit: Option<u64>,
    /// What was found where a limit was passed.
    pub actual: Option<u64>,
    /// What is wrong with which part of the body.
    pub errors: Vec<FieldError>,
    /// Headers of the answer, as `Allow` or `Retry-After`.
    pub headers: Vec<(header::HeaderName, String)>,
    /// For the log alone.
    pub cause: Option<String>,
}

/// What is wrong with one field of a body.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem of this status and code.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            limit: None,
            actual: None,
            errors: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// 400.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 404.
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// 409.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422.
    pub fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 422 `field-invalid` for one field. `pointer` is a JSON pointer.
    pub fn field(pointer: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut problem =
            Self::unprocessable("field-invalid", format!("{}: {detail}", pointer.trim_start_matches('/')));
        problem.errors.push(FieldError { pointer: pointer.to_owned(), detail });
        problem
    }

    /// No such route.
    pub fn no_route() -> Self {
        Self::not_found("not-found", "nothing is served at this path")
    }

    /// The route exists, but not for this method.
    pub fn method_not_allowed(allowed: &str) -> Self {
        let detail = format!("this path takes {allowed}");
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail);
        problem.headers.push((header::ALLOW, allowed.to_owned()));
        problem
    }

    /// Something that is ours to mend.
    pub fn internal(cause: impl Into<String>) -> Self {
        let detail = "the request failed for a reason that is not its own";
        Self { cause: Some(cause.into()), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail) }
    }

    /// 503: more is asked than can be done now. `what` is done too often at once.
    pub fn overloaded(what: &str) -> Self {
        let detail = format!("too many {what} at once; try again");
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail);
        problem.headers.push((header::RETRY_AFTER, "1".to_owned()));
        problem
    }

    /// 503: the store is being brought up from an earlier version.
    pub fn being_brought_up() -> Self {
        let detail = "the store is being brought up to this version; try again";
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "schema-older", detail);
        problem.headers.push((header::RETRY_AFTER, "2".to_owned()));
        problem
    }

    /// Adds the limit that was passed and by what.
    #[must_use]
    pub fn over(mut self, limit: u64, actual: Option<u64>) -> Self {
        self.limit = Some(limit);
        self.actual = actual;
        self
    }

    /// The answer. `instance` is the path of the request.
    pub fn into_response(self, instance: &str, request_id: &str) -> Response {
        let document = Document {
            r#type: format!("urn:scalehoster:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance,
            code: self.code,
            request_id,
            limit: self.limit,
            actual: self.actual,
            errors: &self.errors,
        };
        let mut response = Response::new(self.status)
            .with_header(header::CONTENT_TYPE, "application/problem+json")
            .with_header(header::CACHE_CONTROL, "no-store")
            .with_body(json_bytes(&document));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers.insert(name, value);
            }
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let cause = error.to_string();
        match error {
            StoreError::Damaged { .. } => Self::internal(cause),
            // Whoever runs this has to see what is wrong: nothing in it is secret.
            StoreError::Newer { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE, "schema-newer", cause),
            StoreError::Full(_) => {
                let detail = "the store has no room left; nothing was changed";
                Self { cause: Some(cause), ..Self::new(StatusCode::INSUFFICIENT_STORAGE, "store-full", detail) }
            }
            StoreError::Unavailable(_) | StoreError::Contended(_) => {
                let detail = "the store does not answer; try again";
                let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", detail);
                problem.headers.push((header::RETRY_AFTER, "2".to_owned()));
                problem.cause = Some(cause);
                problem
            }
        }
    }
}
