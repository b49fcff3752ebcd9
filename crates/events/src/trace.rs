//! W3C trace context: which request it all began with.

use std::fmt;

/// A `traceparent`: <https://www.w3.org/TR/trace-context/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    id: u128,
    span: u64,
    is_sampled: bool,
}

impl Trace {
    /// A trace that begins here. Chance that would make an invalid id is mended.
    pub fn begin(id: u128, span: u128) -> Self {
        Self { id: id.max(1), span: span_of(span), is_sampled: false }
    }

    /// The next step of this trace.
    #[must_use]
    pub fn child(self, span: u128) -> Self {
        Self { span: span_of(span), ..self }
    }

    /// Goes on with the trace of a `traceparent` header, or begins one where there is none that can be read.
    pub fn from_header(header: Option<&str>, id: u128, span: u128) -> Self {
        header.and_then(Self::parse).map_or_else(|| Self::begin(id, span), |trace| trace.child(span))
    }

    /// Reads a `traceparent`. Of versions to come, it takes what they have in common with the first.
    pub fn parse(text: &str) -> Option<Self> {
        let (version, rest) = (text.get(..2)?, text.get(2..55)?);
        let more = text.get(55..)?;
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_whole = more.is_empty() || (version != "00" && more.starts_with('-'));
        if !is_hex(version) || version == "ff" || !is_whole {
            return None;
        }
        let mut parts = rest.strip_prefix('-')?.split('-');
        let (id, span, flags) = (parts.next()?, parts.next()?, parts.next()?);
        let has_shape = id.len() == 32 && span.len() == 16 && flags.len() == 2 && parts.next().is_none();
        if !has_shape || ![id, span, flags].into_iter().all(is_hex) {
            return None;
        }
        let trace = Self {
            id: u128::from_str_radix(id, 16).ok()?,
            span: u64::from_str_radix(span, 16).ok()?,
            is_sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        (trace.id != 0 && trace.span != 0).then_some(trace)
    }
}

fn span_of(chance: u128) -> u64 {
    let low = chance & u128::from(u64::MAX);
    u64::try_from(low).unwrap_or(1).max(1)
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.id, self.span, u8::from(self.is_sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn parse_and_display_are_inverses() {
        for text in [VALID, "00-00000000000000000000000000000001-0000000000000001-00"] {
            assert_eq!(Trace::parse(text).map(|trace| trace.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_child_has_the_trace_and_a_span_of_its_own() {
        let child = Trace::from_header(Some(VALID), 7, 9).to_string();
        assert_eq!(child, "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000009-01");
    }

    #[test]
    fn a_trace_begins_where_none_can_be_read() {
        for header in [None, Some("x")] {
            let begun = Trace::from_header(header, 0, 0).to_string();
            assert_eq!(begun, "00-00000000000000000000000000000001-0000000000000001-00");
        }
    }

    #[test]
    fn a_later_version_counts_as_far_as_it_is_known() {
        let later = VALID.replacen("00", "cc", 1);
        assert_eq!(Trace::parse(&later).map(|trace| trace.to_string()).as_deref(), Some(VALID));
        assert_eq!(Trace::parse(&format!("{later}-what-comes")), Trace::parse(VALID));
        assert_eq!(Trace::parse(&format!("{later}what-comes")), None);
    }

    #[test]
    fn malformed_headers_are_not_read() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-äbf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Trace::parse(text), None, "{text}");
        }
    }
}
