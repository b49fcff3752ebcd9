//! `allowed_outbound_hosts`: where a component may connect to. Nothing, unless the manifest says so.

use anyhow::{Context as _, Result, bail, ensure};
use http::Uri;
use ip_network::IpNetwork;
use url::Host;

/// The domain under which components reach each other without a network.
const CHAINING_DOMAIN: &str = "spin.internal";

/// The rules of one component.
#[derive(Debug, Default)]
pub struct AllowedHosts(Vec<Rule>);

/// `scheme://host:port`, each part a value or a wildcard.
#[derive(Debug, PartialEq)]
struct Rule {
    scheme: Option<String>,
    host: HostRule,
    port: PortRule,
}

#[derive(Debug, PartialEq)]
enum HostRule {
    Any,
    /// `*.example.com`, kept as `.example.com`.
    Below(String),
    /// The application's own address.
    Own,
    Exact(Host),
    Network(IpNetwork),
}

#[derive(Debug, PartialEq)]
enum PortRule {
    Any,
    /// From the first, up to but without the second.
    Range(u16, u32),
}

impl AllowedHosts {
    /// Parses the rules, once their variables are filled in. A rule that a variable left empty is skipped.
    ///
    /// `components` are those that `*.spin.internal` stands for.
    ///
    /// # Errors
    /// A rule that is not `scheme://host[:port]`.
    pub fn parse<'a>(rules: impl IntoIterator<Item = &'a str>, components: &[&str]) -> Result<Self> {
        let mut parsed = Vec::new();
        for text in rules {
            if matches!(text, "" | "http://" | "https://") {
                continue;
            }
            let rule = Rule::parse(text).with_context(|| format!("in allowed_outbound_hosts, {text:?}"))?;
            match &rule.host {
                HostRule::Below(domain) if domain.strip_prefix('.') == Some(CHAINING_DOMAIN) => {
                    parsed.extend(components.iter().map(|id| Rule {
                        scheme: rule.scheme.clone(),
                        host: HostRule::Exact(Host::Domain(format!("{id}.{CHAINING_DOMAIN}"))),
                        port: match rule.port {
                            PortRule::Any => PortRule::Any,
                            PortRule::Range(start, end) => PortRule::Range(start, end),
                        },
                    }));
                }
                _ => parsed.push(rule),
            }
        }
        Ok(Self(parsed))
    }

    /// Whether a request to `uri` is allowed. Without a port, the scheme's own counts.
    pub fn allow(&self, uri: &Uri) -> bool {
        let Some(authority) = uri.authority() else { return false };
        let Some(scheme) = uri.scheme_str() else { return false };
        self.allow_address(scheme, authority.host(), authority.port_u16())
    }

    /// Whether a connection to `host` is allowed.
    pub fn allow_address(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let Ok(host) = Host::parse(host) else { return false };
        let Some(port) = port.or_else(|| default_port(scheme)) else { return false };
        self.0.iter().any(|rule| rule.allows_scheme(scheme) && rule.allows_host(&host) && rule.allows_port(port))
    }

    /// Whether the component may call its own application through the network. The port does not count.
    pub fn allow_own(&self) -> bool {
        let own = |rule: &&Rule| matches!(rule.host, HostRule::Own | HostRule::Any);
        self.0.iter().filter(own).any(|rule| rule.allows_scheme("http") || rule.allows_scheme("https"))
    }

    /// The components that these rules name for service chaining.
    pub fn chained(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|rule| match &rule.host {
            HostRule::Exact(Host::Domain(domain)) => chaining_target(domain),
            _ => None,
        })
    }
}

/// The component that `host` stands for, when it is one of `NAME.spin.internal`. A port is ignored.
pub fn chaining_target(host: &str) -> Option<&str> {
    let host = host.rsplit_once(':').map_or(host, |(host, _port)| host);
    let (name, domain) = host.split_once('.')?;
    (domain == CHAINING_DOMAIN).then_some(name)
}

impl Rule {
    fn parse(text: &str) -> Result<Self> {
        ensure!(text != "insecure:allow-all", "to allow everything, write \"*://*:*\"");
        let (scheme, rest) = text.trim().split_once("://").context("there is no scheme: write scheme://host[:port]")?;
        let (host, port) = split_port(rest)?;
        let port = PortRule::parse(port, scheme)?;
        let scheme = match scheme {
            "*" => None,
            _ if scheme.starts_with('{') => bail!("lists of schemes are not supported"),
            _ if scheme.chars().all(char::is_alphabetic) => Some(scheme.to_owned()),
            _ => bail!("{scheme:?} is not a scheme"),
        };
        Ok(Self { scheme, host: HostRule::parse(host)?, port })
    }

    fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
    }

    fn allows_host(&self, host: &Host) -> bool {
        match (&self.host, host) {
            (HostRule::Any, _) => true,
            (HostRule::Below(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (HostRule::Exact(exact), host) => exact == host,
            (HostRule::Network(network), Host::Ipv4(address)) => network.contains(*address),
            (HostRule::Network(network), Host::Ipv6(address)) => network.contains(*address),
            (HostRule::Below(_) | HostRule::Own | HostRule::Network(_), _) => false,
        }
    }

    fn allows_port(&self, port: u16) -> bool {
        match self.port {
            PortRule::Any => true,
            PortRule::Range(start, end) => port >= start && u32::from(port) < end,
        }
    }
}

/// Splits `host:port`, where the host may be an IPv6 address or network.
fn split_port(rest: &str) -> Result<(&str, &str)> {
    let Some((host, port)) = rest.rsplit_once(':') else { return Ok((rest, "")) };
    if port.is_empty() {
        return Ok((host, ""));
    }
    if HostRule::parse(rest).is_ok() {
        return Ok((rest, ""));
    }
    let port = match port.split_once('/') {
        Some((port, "")) => port,
        Some(_) => bail!("a path is not allowed"),
        None => port,
    };
    Ok((host, port))
}

impl HostRule {
    fn parse(host: &str) -> Result<Self> {
        let host = host.trim();
        if host == "*" {
            return Ok(Self::Any);
        }
        if matches!(host, "self" | "self.alt") {
            return Ok(Self::Own);
        }
        ensure!(!host.starts_with('{'), "lists of hosts are not supported");
        if let Ok(network) = IpNetwork::from_str_truncate(host) {
            return Ok(Self::Network(network));
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        ensure!(!host.contains('/'), "a path is not allowed");
        if let Some(domain) = host.strip_prefix("*.") {
            let Ok(Host::Domain(domain)) = Host::parse(domain) else { bail!("{domain:?} is not a domain") };
            ensure!(!domain.contains('*'), "a wildcard may only stand in front");
            return Ok(Self::Below(format!(".{domain}")));
        }
        ensure!(!host.contains('*'), "a wildcard may only stand for whole names in front");
        Ok(Self::Exact(Host::parse(host).with_context(|| format!("{host:?} is not a host"))?))
    }
}

impl PortRule {
    fn parse(port: &str, scheme: &str) -> Result<Self> {
        let one = |port: u16| Self::Range(port, u32::from(port) + 1);
        if port.is_empty() {
            return default_port(scheme)
                .map(one)
                .with_context(|| format!("the scheme {scheme:?} has no port of its own: add one, or `:*`"));
        }
        if port == "*" {
            return Ok(Self::Any);
        }
        ensure!(!port.starts_with('{'), "lists of ports are not supported");
        let number = |text: &str| text.parse::<u16>().with_context(|| format!("{text:?} is not a port"));
        match port.split_once("..") {
            Some((start, end)) => Ok(Self::Range(number(start)?, number(end)?.into())),
            None => Ok(one(number(port)?)),
        }
    }
}

/// The port of a URL that names none.
fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "redis" => Some(6379),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "mqtt" => Some(1883),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, url: &str) -> bool {
        let hosts = AllowedHosts::parse([rule], &["one", "two"]).unwrap_or_else(|error| panic!("{rule}: {error:#}"));
        hosts.allow(&url.parse().expect("a URL"))
    }

    #[test]
    fn denies_by_default() {
        let hosts = AllowedHosts::parse([], &["one"]).expect("no rules");
        assert!(!hosts.allow(&Uri::from_static("https://example.com/")));
        assert!(!hosts.allow(&Uri::from_static("http://one.spin.internal/")));
        assert!(!hosts.allow_own());
    }

    #[test]
    fn matches_scheme_host_and_port() {
        for (rule, url, expected) in [
            ("https://example.com", "https://example.com/a", true),
            ("https://example.com", "https://example.com:443/a", true),
            ("https://example.com", "http://example.com/a", false),
            ("https://example.com", "https://www.example.com/", false),
            ("https://example.com", "https://example.com:8443/", false),
            ("https://example.com:8443", "https://example.com:8443/", true),
            ("https://example.com:8443", "https://example.com/", false),
            ("https://example.com/", "https://example.com/", true),
            ("http://example.com:1..9", "http://example.com:8/", true),
            ("http://example.com:1..9", "http://example.com:9/", false),
            ("http://127.0.0.1:80", "http://127.0.0.1/", true),
            ("http://[::1]:80", "http://[::1]/", true),
            ("http://10.0.0.0/8", "http://10.1.2.3/", true),
            ("http://10.0.0.0/8", "http://11.1.2.3/", false),
        ] {
            assert_eq!(allows(rule, url), expected, "{rule} {url}");
        }
    }

    #[test]
    fn a_wildcard_host_still_has_the_port_of_its_scheme() {
        assert!(allows("https://*", "https://example.com/"));
        assert!(!allows("https://*", "https://example.com:8443/"));
        assert!(!allows("https://*", "http://example.com/"));
        assert!(allows("https://*:*", "https://example.com:8443/"));
        assert!(allows("http://*:*", "http://127.0.0.1:3000/"));
        assert!(!allows("http://*:*", "https://127.0.0.1:3000/"));
        assert!(allows("*://*:*", "https://[::1]:9/"));
    }

    #[test]
    fn a_wildcard_domain_covers_what_is_below_it_and_not_itself() {
        assert!(allows("https://*.example.com", "https://a.b.example.com/"));
        assert!(!allows("https://*.example.com", "https://example.com/"));
        assert!(!allows("https://*.example.com", "https://badexample.com/"));
        assert!(!allows("https://*.example.com", "https://a.example.com.evil.test/"));
    }

    #[test]
    fn names_are_compared_without_case() {
        assert!(allows("https://Example.com", "https://eXample.COM/"));
    }

    #[test]
    fn the_chaining_wildcard_stands_for_the_components_there_are() {
        assert!(allows("http://one.spin.internal", "http://one.spin.internal/"));
        assert!(!allows("http://one.spin.internal", "http://two.spin.internal/"));
        assert!(allows("http://*.spin.internal", "http://two.spin.internal/"));
        assert!(!allows("http://*.spin.internal", "http://three.spin.internal/"));
    }

    #[test]
    fn own_requests_need_their_own_rule_or_any_host() {
        for (rule, expected) in
            [("http://self", true), ("https://self.alt", true), ("*://*:*", true), ("http://example.com", false)]
        {
            assert_eq!(AllowedHosts::parse([rule], &[]).expect("valid").allow_own(), expected, "{rule}");
        }
        assert!(!allows("http://self", "http://self/"));
    }

    #[test]
    fn an_empty_variable_leaves_no_rule() {
        let hosts = AllowedHosts::parse(["", "https://"], &[]).expect("skipped");
        assert!(hosts.0.is_empty());
    }

    #[test]
    fn refuses_what_is_not_a_rule() {
        for rule in [
            "*",
            "example.com",
            "tcp://example.com",
            "https://a/b",
            "https://a:b",
            "https://a:1/b",
            "https://a*.b",
            "https://*.*.b",
            "https://{a,b}",
            "{http,https}://a",
            "https://a:{1,2}",
            "insecure:allow-all",
            "ht tp://a",
        ] {
            assert!(AllowedHosts::parse([rule], &[]).is_err(), "{rule}");
        }
    }

    #[test]
    fn finds_the_component_behind_a_host() {
        assert_eq!(chaining_target("one.spin.internal"), Some("one"));
        assert_eq!(chaining_target("one.spin.internal:80"), Some("one"));
        assert_eq!(chaining_target("a.one.spin.internal"), None);
        assert_eq!(chaining_target("spin.internal"), None);
    }
}
