//! Query strings: each parameter known by name, given at most once.

use std::collections::BTreeMap;

use crate::Problem;
use crate::json::shortened;

/// The parameters of a request, decoded.
#[derive(Debug, Default, PartialEq)]
pub struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads a query string.
    ///
    /// # Errors
    /// `400 parameter-unknown` for a name that is not in `known`; `400 parameter-invalid` for one given twice.
    pub fn parse(query: &str, known: &[&str]) -> Result<Self, Problem> {
        let mut parameters = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let detail = match known {
                    [] => format!("no parameters are taken here, {:?} was given", shortened(&name)),
                    _ => format!("{:?} is not one of {}", shortened(&name), known.join(", ")),
                };
                return Err(Problem::bad_request("parameter-unknown", detail));
            }
            if parameters.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(invalid(&name, "it was given twice"));
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter's value, read by `parse`.
    ///
    /// # Errors
    /// `400 parameter-invalid` where `parse` says none; `expected` tells what would have been right.
    pub fn parsed<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        self.get(name)
            .map(|value| {
                parse(value).ok_or_else(|| invalid(name, &format!("{:?} is not {expected}", shortened(value))))
            })
            .transpose()
    }

    /// A parameter that is `true` or `false`; false where it is not given.
    ///
    /// # Errors
    /// `400 parameter-invalid`.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        Ok(self.parsed(name, "true or false", |value| value.parse().ok())?.unwrap_or(false))
    }
}

/// `400 parameter-invalid`.
pub fn invalid(name: &str, detail: &str) -> Problem {
    Problem::bad_request("parameter-invalid", format!("the parameter {name} can't be taken: {detail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_unknown_or_given_twice() {
        let cases =
            [("limit=1&limit=2", "parameter-invalid"), ("Limit=1", "parameter-unknown"), ("x", "parameter-unknown")];
        for (query, code) in cases {
            assert_eq!(Query::parse(query, &["limit"]).unwrap_err().code, code, "{query}");
        }
    }

    #[test]
    fn decodes() {
        let query = Query::parse("tag=a%20b+c&limit=2", &["tag", "limit"]).unwrap();
        assert_eq!(query.get("tag"), Some("a b c"));
        assert_eq!(query.parsed("limit", "a number", |value| value.parse::<u8>().ok()), Ok(Some(2)));
        assert_eq!(
            query.parsed("tag", "a number", |value| value.parse::<u8>().ok()).unwrap_err().code,
            "parameter-invalid"
        );
    }
}
