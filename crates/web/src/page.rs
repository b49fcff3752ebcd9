//! Lists: `limit`, an opaque `cursor`, `{"items", "next_cursor"}` and a `Link` to the next page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{StatusCode, header};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::query::{Query, invalid};
use crate::{Problem, Response};

/// Items on a page where the caller does not say.
pub const DEFAULT_LIMIT: usize = 20;

/// The most items on a page.
pub const MOST_LIMIT: usize = 100;

/// Which page of which list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items.
    pub limit: usize,
    /// Where to go on; none for the first page.
    pub position: Option<u128>,
    list: String,
}

impl PageRequest {
    /// Reads `limit` and `cursor`. `list` names the list with all its filters: a cursor of another one is refused.
    ///
    /// # Errors
    /// `400 parameter-invalid`, `400 cursor-invalid`.
    pub fn parse(query: &Query, list: impl Into<String>) -> Result<Self, Problem> {
        let expected = "a whole number from 1 to 100";
        let limit = query.parsed("limit", expected, |value| {
            let plain = value.bytes().all(|byte| byte.is_ascii_digit());
            value.parse().ok().filter(|limit| plain && (1..=MOST_LIMIT).contains(limit))
        })?;
        let list = list.into();
        let position = query.get("cursor").map(|cursor| read_cursor(cursor, &list)).transpose()?;
        Ok(Self { limit: limit.unwrap_or(DEFAULT_LIMIT), position, list })
    }

    /// The answer: `items`, and where to go on, if anywhere. `path` and `query` are those of the request.
    pub fn respond<T: Serialize>(&self, path: &str, query: &str, items: &[T], next: Option<u128>) -> Response {
        #[derive(Serialize)]
        struct Page<'a, T> {
            items: &'a [T],
            next_cursor: Option<&'a str>,
        }
        let cursor = next.map(|position| write_cursor(position, &self.list));
        let response = Response::json(StatusCode::OK, &Page { items, next_cursor: cursor.as_deref() });
        match cursor {
            None => response,
            Some(cursor) => {
                response.with_header(header::LINK, format!("<{}>; rel=\"next\"", next_url(path, query, &cursor)))
            }
        }
    }
}

fn next_url(path: &str, query: &str, cursor: &str) -> String {
    let others = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(others)
        .append_pair("cursor", cursor)
        .finish();
    format!("{path}?{query}")
}

/// Sixteen bytes of position, and the start of a hash over it and the list's name. Not a secret, but no caller can
/// take a cursor of one list to another by mistake.
fn write_cursor(position: u128, list: &str) -> String {
    let mut bytes = position.to_be_bytes().to_vec();
    bytes.extend_from_slice(&check(position, list));
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read_cursor(cursor: &str, list: &str) -> Result<u128, Problem> {
    let refused = || Problem::bad_request("cursor-invalid", "the cursor is not one that this list gave out");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let (position, given) = bytes.split_first_chunk::<16>().ok_or_else(refused)?;
    let position = u128::from_be_bytes(*position);
    if given == check(position, list) { Ok(position) } else { Err(refused()) }
}

fn check(position: u128, list: &str) -> [u8; 8] {
    let digest = Sha256::new().chain_update(position.to_be_bytes()).chain_update(list).finalize();
    std::array::from_fn(|index| digest[index])
}

/// `400 parameter-invalid` for a time that is none.
///
/// # Errors
/// Where `name` is given and no RFC 3339 time.
pub fn time_parameter(query: &Query, name: &str) -> Result<Option<kv_schema::Millis>, Problem> {
    query
        .get(name)
        .map(|value| {
            crate::time::parse(value).ok_or_else(|| invalid(name, "a time as 2026-11-20T10:00:00Z is expected"))
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<PageRequest, Problem> {
        PageRequest::parse(&Query::parse(query, &["limit", "cursor"])?, "images")
    }

    #[test]
    fn refuses_limits_that_are_none() {
        for query in ["limit=0", "limit=101", "limit=-1", "limit=abc", "limit=", "limit=1.5", "limit=%2B1"] {
            assert_eq!(parse(query).unwrap_err().code, "parameter-invalid", "{query}");
        }
        assert_eq!(parse("limit=100").unwrap().limit, 100);
        assert_eq!(parse("").unwrap().limit, DEFAULT_LIMIT);
    }

    #[test]
    fn takes_only_its_own_cursors() {
        let own = write_cursor(7, "images");
        assert_eq!(parse(&format!("cursor={own}")).unwrap().position, Some(7));
        let other = write_cursor(7, "categories");
        for cursor in [other.as_str(), "", "x", "%00", &own[1..], &own.repeat(2), &"A".repeat(32)] {
            assert_eq!(parse(&format!("cursor={cursor}")).unwrap_err().code, "cursor-invalid", "{cursor}");
        }
    }

    #[test]
    fn links_to_the_next_page_with_the_same_filters() {
        let request = parse("limit=2").unwrap();
        let response = request.respond("/v1/images", "limit=2&tag=a%26b", &[1, 2], Some(9));
        let link = response.headers[header::LINK].to_str().unwrap();
        assert!(link.starts_with("</v1/images?limit=2&tag=a%26b&cursor="), "{link}");
        assert!(link.ends_with(">; rel=\"next\""), "{link}");
    }
}
