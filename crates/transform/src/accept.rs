//! The `Accept` header, reduced to the few classes that change what is sent.

/// Which of the formats that not every client knows this one has named in its `Accept` header.
///
/// Only a format named outright counts: `*/*` and `image/*` are sent by clients that cannot show WebP as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Accept {
    /// `image/webp` is accepted.
    pub webp: bool,
    /// `image/avif` is accepted. Read already, so that cache keys need not change later; no plan uses it yet.
    pub avif: bool,
}

impl Accept {
    /// Reads the header's value; several headers are joined by commas first. Never fails: what is not understood is
    /// not accepted.
    pub fn parse(header: Option<&str>) -> Self {
        let mut accept = Self::default();
        for range in header.unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default();
            let accepted = parts.all(is_not_refusal);
            if media_type.eq_ignore_ascii_case("image/webp") {
                accept.webp = accepted;
            } else if media_type.eq_ignore_ascii_case("image/avif") {
                accept.avif = accepted;
            }
        }
        accept
    }
}

/// Whether a parameter leaves the media range accepted: a weight of zero, or one that is no number, does not.
fn is_not_refusal(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return true };
    if !name.trim().eq_ignore_ascii_case("q") {
        return true;
    }
    value.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_format_with_weight_counts() {
        let check = |header: Option<&str>, webp: bool, avif: bool| {
            assert_eq!(Accept::parse(header), Accept { webp, avif }, "{header:?}");
        };
        check(None, false, false);
        check(Some(""), false, false);
        check(Some("*/*"), false, false);
        check(Some("image/*"), false, false);
        check(Some("image/webp"), true, false);
        check(Some("IMAGE/WebP ; Q=0.1"), true, false);
        check(Some("image/avif,image/webp,image/apng,*/*;q=0.8"), true, true);
        check(Some("image/webp;q=0"), false, false);
        check(Some("image/webp;q=0.000, image/*"), false, false);
        check(Some("image/webp;q=high"), false, false);
        check(Some("image/webp;q=-1"), false, false);
        check(Some("image/webp;level=1;q=0.5"), true, false);
        check(Some("text/html;q=0,image/avif"), false, true);
        check(Some("image/webpx,ximage/webp"), false, false);
        check(Some(";;,,;q"), false, false);
    }
}
