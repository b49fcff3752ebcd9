//! Which component answers which path.
//!
//! Segment by segment from the left, an exact one wins over a `:parameter`, and that over the rest of a wildcard: so an
//! exact route wins over all, and the longer wildcard over the shorter. Slashes at the end do not count.

use std::net::SocketAddr;

use anyhow::{Result, anyhow};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::manifest::{HttpTrigger, Route};

/// The routes of the application, without the private ones.
pub struct Router {
    /// By rank: the first that matches a path is the best.
    routes: Vec<(Pattern, Target)>,
    /// As written, in the manifest's order.
    listing: Vec<Target>,
    /// Components that are reached by service chaining only.
    private: Vec<String>,
}

/// A route and its component.
#[derive(Clone, Debug)]
pub struct Target {
    /// The route as the manifest has it.
    pub route: String,
    /// The component's id.
    pub component: String,
}

impl Router {
    /// The router of `triggers`. Of two triggers with one route the later counts, and the earlier is named on standard
    /// error.
    ///
    /// # Errors
    /// A route that cannot be parsed.
    pub fn new(triggers: &[HttpTrigger]) -> Result<Self> {
        let mut listing: Vec<Target> = Vec::new();
        let mut private = Vec::new();
        for trigger in triggers {
            let component = trigger.component.as_str().to_owned();
            let target = match &trigger.route {
                Route::Pattern(route) => Target { route: route.clone(), component },
                Route::Private(_) => {
                    private.push(component);
                    continue;
                }
            };
            if let Some(earlier) = listing.iter_mut().find(|earlier| earlier.route == target.route) {
                eprintln!(
                    "warning: route {} is defined twice: component {} gets it, component {} does not",
                    target.route, target.component, earlier.component
                );
                *earlier = target;
            } else {
                listing.push(target);
            }
        }
        let mut routes = Vec::with_capacity(listing.len());
        for target in &listing {
            let pattern = Pattern::parse(&target.route)
                .map_err(|error| anyhow!("route {} of component {}: {error}", target.route, target.component))?;
            routes.push((pattern, target.clone()));
        }
        routes.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.ranks()));
        Ok(Self { routes, listing, private })
    }

    /// A line for each route, for people to read.
    pub fn listing(&self) -> impl Iterator<Item = String> {
        let public = self.listing.iter().map(|target| format!("{} -> {}", target.route, target.component));
        public.chain(self.private.iter().map(|component| format!("(private) -> {component}")))
    }

    /// The best match for `path`.
    pub fn find(&self, path: &str) -> Option<Match> {
        self.routes.iter().find_map(|(pattern, target)| pattern.capture(path, target))
    }
}

/// A route in its parts.
struct Pattern {
    segments: Vec<Segment>,
}

/// A part of a route.
#[derive(Debug, PartialEq, Eq)]
enum Segment {
    /// `...`: everything from here on, also nothing.
    Rest,
    /// The end of the path.
    End,
    /// `:name`: any one segment.
    Parameter(String),
    /// This very segment.
    Exact(String),
}

impl Pattern {
    /// Reads the manifest's spelling of a route.
    fn parse(route: &str) -> Result<Self> {
        let mut segments: Vec<Segment> = Vec::new();
        for part in parts(route) {
            match (part.strip_prefix(':'), segments.last()) {
                (_, Some(Segment::Rest)) => return Err(anyhow!("nothing can follow ...")),
                (Some(""), _) => return Err(anyhow!("a parameter has no name")),
                (Some(name), _) => segments.push(Segment::Parameter(name.to_owned())),
                (None, _) if part == "..." => segments.push(Segment::Rest),
                (None, _) => segments.push(Segment::Exact(part.to_owned())),
            }
        }
        if segments.last() != Some(&Segment::Rest) {
            segments.push(Segment::End);
        }
        Ok(Self { segments })
    }

    /// How narrow each part is, from the left.
    fn ranks(&self) -> Vec<u8> {
        let rank = |segment: &Segment| match segment {
            Segment::Rest => 0,
            Segment::End => 1,
            Segment::Parameter(_) => 2,
            Segment::Exact(_) => 3,
        };
        self.segments.iter().map(rank).collect()
    }

    /// What the route's parameters and wildcard stand for in `path`, if it matches.
    fn capture(&self, path: &str, target: &Target) -> Option<Match> {
        let mut left = parts(path);
        let mut parameters = Vec::new();
        for segment in &self.segments {
            match segment {
                Segment::Exact(exact) => {
                    left.next().filter(|part| part == exact)?;
                }
                Segment::Parameter(name) => parameters.push((name.clone(), left.next()?.to_owned())),
                Segment::Rest => {
                    let rest: Vec<&str> = left.collect();
                    let rest = with_slashes(&rest.join("/"), path);
                    return Some(Match { target: target.clone(), rest, parameters });
                }
                Segment::End => {}
            }
        }
        left.next().is_none().then(|| Match { target: target.clone(), rest: String::new(), parameters })
    }
}

/// What stands between the slashes of a path, slashes at both ends aside.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    let path = path.trim_matches('/');
    path.split('/').filter(move |_| !path.is_empty())
}

/// What a wildcard stood for, as Spin passes it on: with a slash in front, and at the end where the path has one.
fn with_slashes(rest: &str, path: &str) -> String {
    match (rest.is_empty(), path.ends_with('/')) {
        (true, false) => String::new(),
        (true, true) => "/".to_owned(),
        (false, false) => format!("/{rest}"),
        (false, true) => format!("/{rest}/"),
    }
}

/// A path that has a component.
#[derive(Debug)]
pub struct Match {
    /// Route and component.
    pub target: Target,
    /// What the route's `/...` stood for.
    rest: String,
    /// What its `:parameters` stood for.
    parameters: Vec<(String, String)>,
}

impl Match {
    /// The match of a request that another component makes: the whole path is the wildcard's.
    pub fn chained(component: &str, path: &str) -> Self {
        let target = Target { route: "/...".to_owned(), component: component.to_owned() };
        Self { target, rest: path.to_owned(), parameters: Vec::new() }
    }

    /// Adds the headers by which Spin tells a component how it was reached.
    pub fn add_headers(&self, headers: &mut HeaderMap, uri: &Uri, client: SocketAddr) {
        let host = headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let path_and_query = uri.path_and_query().map_or("/", |path_and_query| path_and_query.as_str());
        let full_url = format!("{}://{host}{path_and_query}", uri.scheme_str().unwrap_or("http"));
        let prefix = self.target.route.strip_suffix("/...").unwrap_or(&self.target.route);
        // The matched route is the manifest's, with the (empty) base in front and no slash at the end.
        let matched = self.target.route.strip_suffix('/').unwrap_or(&self.target.route);
        let client = client.to_string();
        let parameters =
            self.parameters.iter().map(|(name, value)| (format!("spin-path-match-{name}"), value.as_str()));
        let fixed = [
            ("spin-path-info", self.rest.as_str()),
            ("spin-full-url", &full_url),
            ("spin-matched-route", matched),
            ("spin-base-path", "/"),
            ("spin-raw-component-route", &self.target.route),
            ("spin-component-route", prefix),
            ("spin-client-addr", &client),
        ];
        for (name, value) in fixed.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(parameters) {
            // A name or value that cannot be a header is left out.
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.append(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[(&str, &str)]) -> Router {
        let triggers: Vec<HttpTrigger> = routes
            .iter()
            .map(|(route, component)| {
                toml::from_str(&format!("route = {route}\ncomponent = \"{component}\"")).expect("a trigger")
            })
            .collect();
        Router::new(&triggers).expect("valid routes")
    }

    /// The component that answers `path`, or nothing.
    fn find(router: &Router, path: &str) -> String {
        router.find(path).map(|found| found.target.component).unwrap_or_default()
    }

    #[test]
    fn matches_exact_routes() {
        let router = router(&[("\"/a\"", "a"), ("\"/a/b\"", "b"), ("\"/\"", "root")]);
        for (path, component) in
            [("/a", "a"), ("/a/", "a"), ("/a/b", "b"), ("/a/b/c", ""), ("/", "root"), ("/c", ""), ("/A", "")]
        {
            assert_eq!(find(&router, path), component, "{path}");
        }
    }

    #[test]
    fn the_longest_wildcard_wins_and_an_exact_route_over_all() {
        let router = router(&[("\"/...\"", "all"), ("\"/a/...\"", "a"), ("\"/a/b/...\"", "b"), ("\"/a/b/c\"", "c")]);
        for (path, component) in [
            ("/", "all"),
            ("/x/y", "all"),
            ("/a", "a"),
            ("/a/x", "a"),
            ("/ab", "all"),
            ("/a/b", "b"),
            ("/a/b/x/y", "b"),
            ("/a/b/c", "c"),
            ("/a/b/c/d", "b"),
        ] {
            assert_eq!(find(&router, path), component, "{path}");
        }
    }

    #[test]
    fn parameters_match_one_segment() {
        let router =
            router(&[("\"/i/:id/:size\"", "image"), ("\"/i/:id/original\"", "original"), ("\"/i/...\"", "rest")]);
        assert_eq!(find(&router, "/i/7/small"), "image");
        assert_eq!(find(&router, "/i/7/original"), "original");
        assert_eq!(find(&router, "/i/7"), "rest");
        assert_eq!(find(&router, "/i/7/small/more"), "rest");
    }

    #[test]
    fn private_routes_have_no_path() {
        let router = router(&[("{ private = true }", "hidden"), ("\"/a\"", "a")]);
        assert_eq!(router.listing().collect::<Vec<_>>(), ["/a -> a", "(private) -> hidden"]);
        for path in ["/", "/hidden", ""] {
            assert_eq!(find(&router, path), "", "{path}");
        }
    }

    #[test]
    fn the_later_of_two_equal_routes_counts() {
        assert_eq!(find(&router(&[("\"/a\"", "first"), ("\"/a\"", "second")]), "/a"), "second");
    }

    #[test]
    fn refuses_a_route_that_makes_no_sense() {
        let trigger = toml::from_str("route = \"/a/:/b\"\ncomponent = \"a\"").expect("a trigger");
        assert!(Router::new(&[trigger]).is_err());
    }

    #[test]
    fn tells_the_component_how_it_was_reached() {
        let router = router(&[("\"/i/:id/...\"", "image")]);
        let uri = Uri::from_static("http://example.com/i/7/a/b?x=1");
        let mut headers = HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("example.com"))]);
        let found = router.find(uri.path()).expect("a match");
        found.add_headers(&mut headers, &uri, SocketAddr::from(([127, 0, 0, 1], 9)));
        for (name, value) in [
            ("spin-path-info", "/a/b"),
            ("spin-full-url", "http://example.com/i/7/a/b?x=1"),
            ("spin-matched-route", "/i/:id/..."),
            ("spin-base-path", "/"),
            ("spin-raw-component-route", "/i/:id/..."),
            ("spin-component-route", "/i/:id"),
            ("spin-client-addr", "127.0.0.1:9"),
            ("spin-path-match-id", "7"),
        ] {
            assert_eq!(headers.get(name).and_then(|value| value.to_str().ok()), Some(value), "{name}");
        }
    }
}
