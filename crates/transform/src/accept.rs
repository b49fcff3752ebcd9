//! The `Accept` header, reduced to the few classes that change what is sent.

/// What `f=auto` may send to a client. Each class is one cache entry, so there are only three.
///
/// Only a format named outright counts: `*/*` and `image/*` are sent by clients that cannot show WebP as well. AVIF
/// counts together with WebP only, which every browser that shows AVIF names too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Accept {
    /// JPEG, PNG and GIF, which everything shows.
    #[default]
    Plain,
    /// WebP too.
    WebP,
    /// WebP and AVIF too.
    Avif,
}

impl Accept {
    /// Reads the header's value; several headers are joined by commas first. Never fails: what is not understood is
    /// not accepted.
    pub fn parse(header: Option<&str>) -> Self {
        let (mut webp, mut avif) = (false, false);
        for range in header.unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default();
            let accepted = parts.all(is_not_refusal);
            if media_type.eq_ignore_ascii_case("image/webp") {
                webp = accepted;
            } else if media_type.eq_ignore_ascii_case("image/avif") {
                avif = accepted;
            }
        }
        match (webp, avif) {
            (true, true) => Self::Avif,
            (true, false) => Self::WebP,
            (false, _) => Self::Plain,
        }
    }

    /// Whether WebP may be sent.
    pub fn takes_webp(self) -> bool {
        self >= Self::WebP
    }

    /// Whether AVIF may be sent.
    pub fn takes_avif(self) -> bool {
        self == Self::Avif
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
        let check = |header: Option<&str>, expected: Accept| assert_eq!(Accept::parse(header), expected, "{header:?}");
        for header in [None, Some(""), Some("*/*"), Some("image/*"), Some("image/avif;q=0,*/*"), Some(";;,,;q")] {
            check(header, Accept::Plain);
        }
        check(Some("image/webp"), Accept::WebP);
        check(Some("IMAGE/WebP ; Q=0.1"), Accept::WebP);
        check(Some("image/avif,image/webp,image/apng,*/*;q=0.8"), Accept::Avif);
        check(Some("image/webp;q=0.5 , image/avif;q=0.001"), Accept::Avif);
        check(Some("image/avif;q=0,image/webp"), Accept::WebP);
        check(Some("image/webp;q=0"), Accept::Plain);
        check(Some("image/webp;q=0.000, image/*"), Accept::Plain);
        check(Some("image/webp;q=high"), Accept::Plain);
        check(Some("image/webp;q=-1"), Accept::Plain);
        check(Some("image/webp;level=1;q=0.5"), Accept::WebP);
        check(Some("image/webpx,ximage/webp"), Accept::Plain);
    }

    #[test]
    fn avif_counts_together_with_webp_only() {
        let check = |header: &str| assert_eq!(Accept::parse(Some(header)), Accept::Plain, "{header}");
        check("image/avif");
        check("image/avif,image/webp;q=0");
        check("text/html;q=0,image/avif,image/*");
    }
}
