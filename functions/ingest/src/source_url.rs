//! Which URLs may be a source: `http` and `https`, no credentials, no address of a private network.
//!
//! This is the check on what a URL *says*, made on the first URL and on each redirect. What a name *resolves to* is
//! checked where it is dialled, by the host: `runtime-config.toml` blocks private networks there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The longest source URL, in bytes.
pub const MOST_BYTES: usize = 2048;

/// Why a URL can't be a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is no URL of a kind that can be downloaded.
    Invalid(String),
    /// It leads where downloads must not go.
    Forbidden(String),
}

/// Reads a source URL.
///
/// # Errors
/// [`Refusal`].
pub fn parse(text: &str, allow_private: bool) -> Result<Url, Refusal> {
    if text.len() > MOST_BYTES {
        return Err(Refusal::Invalid(format!("a URL of more than {MOST_BYTES} bytes is not taken")));
    }
    // The URL standard drops these silently, so that a check and a use could see different URLs.
    if text.chars().any(|character| character.is_control() || character.is_whitespace()) {
        return Err(Refusal::Invalid("a URL has no blanks and no control characters".to_owned()));
    }
    let url = Url::parse(text).map_err(|error| Refusal::Invalid(format!("not an absolute URL: {error}")))?;
    check(&url, allow_private)?;
    Ok(url)
}

/// Checks a URL that a source redirects to, or the first.
///
/// # Errors
/// [`Refusal`].
pub fn check(url: &Url, allow_private: bool) -> Result<(), Refusal> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refusal::Forbidden(format!("{} is not downloaded, only http and https are", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::Forbidden("a source URL carries no user name and no password".to_owned()));
    }
    match url.host() {
        None => Err(Refusal::Invalid("the URL names no host".to_owned())),
        Some(Host::Domain(name)) => check_name(name, allow_private),
        Some(Host::Ipv4(address)) => check_address(IpAddr::V4(address), allow_private),
        Some(Host::Ipv6(address)) => check_address(IpAddr::V6(address), allow_private),
    }
}

fn check_name(name: &str, allow_private: bool) -> Result<(), Refusal> {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let is_below = |top: &str| name == top || name.ends_with(&format!(".{top}"));
    // The components of this app answer to names below spin.internal, and the app as a whole to self.alt: never a
    // source, wherever this runs. Nothing else may live below alt (RFC 9476).
    if is_below("spin.internal") || is_below("alt") {
        return Err(Refusal::Forbidden("the name is one of this service's own".to_owned()));
    }
    if !allow_private && ["localhost", "local", "internal", "localdomain"].iter().any(|top| is_below(top)) {
        return Err(Refusal::Forbidden("the name belongs to a private network".to_owned()));
    }
    Ok(())
}

fn check_address(address: IpAddr, allow_private: bool) -> Result<(), Refusal> {
    if allow_private || is_public(address) {
        return Ok(());
    }
    Err(Refusal::Forbidden("the address belongs to a private or reserved network".to_owned()))
}

/// Whether an address is one of the open internet (IANA's special-purpose registries, as of 2026).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !reserved
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Forms that carry an IPv4 address: mapped, compatible, NAT64, 6to4. The address inside decides.
    let inner = match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some((high, low))
        }
        [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    if let Some((high, low)) = inner {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Only 2000::/3 is handed out; in it: Teredo and other protocol assignments, and documentation.
    let is_global = segments[0] & 0xe000 == 0x2000;
    let is_assignment = segments[0] == 0x2001 && segments[1] < 0x200;
    let is_documentation = (segments[0] == 0x2001 && segments[1] == 0xdb8) || segments[0] & 0xfff0 == 0x3ff0;
    is_global && !is_assignment && !is_documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        let found = match parse(url, false) {
            Ok(_) => "taken",
            Err(Refusal::Invalid(_)) => "invalid",
            Err(Refusal::Forbidden(_)) => "forbidden",
        };
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn takes_the_open_internet_and_nothing_else() {
        for url in [
            "http://example.com/a.jpg",
            "https://1.1.1.1/",
            "http://bücher.example/x",
            "http://[2606:4700::1111]/",
            "http://example.com:8080/a?b#c",
        ] {
            check(url, "taken");
        }
        for url in [
            "",
            "a.jpg",
            "/a.jpg",
            "http://",
            "http:// example.com/",
            "http://exa\tmple.com/",
            "http://[::1",
            "http://256.1.1.1/",
            "http://a..b\u{0}/",
        ] {
            check(url, "invalid");
        }
        for url in [
            "file:///etc/passwd",
            "ftp://example.com/a",
            "data:image/png;base64,AA==",
            "gopher://example.com/",
            "http://user@example.com/",
            "http://user:pass@example.com/",
        ] {
            check(url, "forbidden");
        }
    }

    #[test]
    fn refuses_private_addresses_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0x7f.1",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.2.1",
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b::10.0.0.1]",
            "[2002:7f00:1::]",
            "[2001:0:4136:e378::]",
            "[2001:db8::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[fe80::1]",
            "[ff02::1]",
            "[64:ff9b:1::1]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "printer.local",
            "x.internal",
            "①②⑦.⓪.⓪.①",
            "127。0。0。1",
        ] {
            check(&format!("http://{host}/a.jpg"), "forbidden");
        }
    }

    #[test]
    fn never_asks_the_components_of_this_app() {
        for host in [
            "resize.spin.internal",
            "RESIZE.SPIN.INTERNAL.",
            "spin.internal",
            "self.alt.spin.internal",
            "self.alt",
            "SELF.alt.",
        ] {
            let refused = parse(&format!("http://{host}/internal/bell"), true);
            assert!(matches!(refused, Err(Refusal::Forbidden(_))), "{host}: {refused:?}");
        }
        assert!(parse("http://127.0.0.1:8000/a.jpg", true).is_ok());
    }
}
