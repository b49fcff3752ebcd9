//! A request as the handlers see it.

use http::{HeaderMap, Method};

use crate::Problem;
use crate::body::Incoming;

/// A request: its head, and a body that is read at most once.
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path as sent, without the query.
    pub path: String,
    /// Query as sent, without the question mark.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
    /// What to call this request in logs and answers.
    pub id: String,
    /// The body.
    pub body: Incoming,
}

impl Request {
    /// A header's text.
    ///
    /// # Errors
    /// `400 parameter-invalid` where it is there but no ASCII text, or there twice.
    pub fn header(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        match (value.to_str(), values.next()) {
            (Ok(text), None) => Ok(Some(text.trim())),
            _ => Err(Problem::bad_request("parameter-invalid", format!("the header {name} is not one line of ASCII"))),
        }
    }

    /// What `traceparent` says, read or not.
    pub fn traceparent(&self) -> Option<&str> {
        self.headers.get("traceparent")?.to_str().ok()
    }

    /// The media type of the body in lower case, without its parameters.
    pub fn content_type(&self) -> Option<String> {
        let value = self.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }
}

/// Takes a caller's name for its request if it is fit for logs.
pub fn usable_request_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
