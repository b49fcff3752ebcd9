//! Identifiers: ULIDs in lower case.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Millis;

/// A ULID (<https://github.com/ulid/spec>), 26 characters in lower case. Sorts by the millisecond of its making.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

/// The text is not a ULID in lower case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 26 characters of Crockford's base 32 in lower case are expected")]
pub struct IdError;

impl Id {
    /// Makes an id from a time in milliseconds since the epoch and 80 random bits (the upper 48 of `random` are ignored).
    pub fn from_parts(millis: u64, random: u128) -> Self {
        Self(ulid::Ulid::from_parts(millis, random).to_string().to_ascii_lowercase())
    }

    /// Reads an id as it stands in a URL or a document.
    ///
    /// # Errors
    /// [`IdError`] unless `text` is exactly the canonical spelling.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let upper = text.to_ascii_uppercase();
        let ulid = ulid::Ulid::from_string(&upper).map_err(|_| IdError)?;
        let canonical = ulid.to_string().to_ascii_lowercase();
        if canonical == text { Ok(Self(canonical)) } else { Err(IdError) }
    }

    /// The time of its making, in milliseconds since the epoch.
    pub fn millis(&self) -> Millis {
        (self.number() >> 80) as Millis
    }

    /// The id as a number, in the same order.
    pub fn number(&self) -> u128 {
        ulid::Ulid::from_string(&self.0).map_or(0, |ulid| ulid.0)
    }

    /// The inverse of [`Id::number`].
    pub fn from_number(number: u128) -> Self {
        Self(ulid::Ulid(number).to_string().to_ascii_lowercase())
    }

    /// The 26 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Id {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_only_the_canonical_spelling() {
        let id = Id::from_parts(1_700_000_000_000, 42);
        assert_eq!(Id::parse(id.as_str()), Ok(id.clone()));
        let upper = id.as_str().to_ascii_uppercase();
        for text in [
            upper.as_str(),
            "",
            "x",
            "8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "01hf7yat000000000000000 1a",
            "../../../../../../etc/pass",
        ] {
            assert_eq!(Id::parse(text), Err(IdError), "{text}");
        }
    }

    #[test]
    fn sorts_by_time() {
        assert!(Id::from_parts(1, u128::MAX) < Id::from_parts(2, 0));
        let id = Id::from_parts(1_700_000_000_000, 42);
        assert_eq!((id.millis(), Id::from_number(id.number())), (1_700_000_000_000, id));
    }
}
