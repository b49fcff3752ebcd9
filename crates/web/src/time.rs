//! Times: milliseconds inside, RFC 3339 in UTC outside.

use jiff::Timestamp;
use kv_schema::Millis;

/// `2026-11-20T21:35:38.123Z`.
pub fn format(millis: Millis) -> String {
    let timestamp = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{timestamp:.3}")
}

/// Reads an RFC 3339 time, with any offset.
pub fn parse(text: &str) -> Option<Millis> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_what_it_parses() {
        assert_eq!(format(1_795_210_538_120), "2026-11-20T21:35:38.120Z");
        for (text, expected) in [
            ("2026-11-20T21:35:38.12Z", Some(1_795_210_538_120)),
            ("2026-11-20T22:35:38+01:00", Some(1_795_210_538_000)),
            ("2026-11-20", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
