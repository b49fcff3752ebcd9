//! Entity tags and the conditions that name them (RFC 9110, section 13).

use http::{StatusCode, header};

use crate::{Problem, Request};

/// The entity tag of a document's version, with quotes.
pub fn version_etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// Refuses a write whose `If-Match` does not name the current version.
///
/// # Errors
/// `412 precondition-failed`, `400 parameter-invalid`.
pub fn check_if_match(condition: Option<&Condition>, version: u64) -> Result<(), Problem> {
    match condition {
        None => Ok(()),
        Some(condition) if condition.matches(&version_etag(version)) => Ok(()),
        Some(_) => {
            let detail = format!("If-Match names another version than the current one, {}", version_etag(version));
            Err(Problem::new(StatusCode::PRECONDITION_FAILED, "precondition-failed", detail))
        }
    }
}

/// An `If-Match` or `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `*`.
    Any,
    /// One of these, with quotes. Weak ones are kept with their `W/`.
    Tags(Vec<String>),
}

impl Condition {
    /// The request's `If-Match`.
    ///
    /// # Errors
    /// `400 parameter-invalid`.
    pub fn if_match(request: &Request) -> Result<Option<Self>, Problem> {
        request.header(header::IF_MATCH.as_str())?.map(|value| Self::parse(value, "If-Match")).transpose()
    }

    /// The request's `If-None-Match`. One that can't be read is no condition.
    pub fn if_none_match(request: &Request) -> Option<Self> {
        let value = request.header(header::IF_NONE_MATCH.as_str()).ok()??;
        Self::parse(value, "If-None-Match").ok()
    }

    fn parse(value: &str, name: &str) -> Result<Self, Problem> {
        if value == "*" {
            return Ok(Self::Any);
        }
        let tags: Vec<String> = value.split(',').map(|tag| tag.trim().to_owned()).collect();
        let is_tag = |tag: &String| {
            let strong = tag.strip_prefix("W/").unwrap_or(tag);
            strong.len() >= 2 && strong.starts_with('"') && strong.ends_with('"')
        };
        if tags.iter().all(is_tag) {
            Ok(Self::Tags(tags))
        } else {
            Err(Problem::bad_request("parameter-invalid", format!("{name} is neither * nor quoted entity tags")))
        }
    }

    /// Strong comparison, as `If-Match` wants it.
    pub fn matches(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag == etag),
        }
    }

    /// Weak comparison, as `If-None-Match` wants it.
    pub fn matches_weakly(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_as_the_rfc_says() {
        let cases = [
            ("*", true, true),
            ("\"1\"", true, true),
            ("\"2\", \"1\"", true, true),
            ("W/\"1\"", false, true),
            ("\"2\"", false, false),
        ];
        for (value, strong, weak) in cases {
            let condition = Condition::parse(value, "If-Match").unwrap();
            assert_eq!((condition.matches("\"1\""), condition.matches_weakly("\"1\"")), (strong, weak), "{value}");
        }
        for value in ["1", "", "\"1", "\"1\", 2"] {
            assert!(Condition::parse(value, "If-Match").is_err(), "{value}");
        }
    }
}
