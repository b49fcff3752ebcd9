//! Downloading a source: limits while it streams, redirects followed here and checked again, nothing believed.

use std::future::Future;

use futures::future::{Either, select};
use http::{StatusCode, header};
use kv_schema::asset::Failure;
use probe::{Probe, ProbeError};
use store::Clock;
use url::Url;
use web::body::Incoming;
use web::dial::{Answer, DialError};

use crate::config::Config;
use crate::source_url::{self, Refusal};
use crate::upload::{check, failure, not_an_image};

/// The header is looked at when this many bytes are there, and again at each doubling: before the rest is fetched.
const FIRST_LOOK: usize = 4 * 1024;

/// Why a download came to nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// What to say of it.
    pub failure: Failure,
    /// Whether it may go better later.
    pub is_passing: bool,
}

/// Asks another server.
pub trait Dialer {
    /// Sends `GET url`.
    async fn get(&self, url: &Url) -> Result<Answer, DialError>;
}

/// Downloads a source and looks at its header.
///
/// # Errors
/// [`Failed`].
pub async fn download(
    dialer: &impl Dialer,
    clock: &impl Clock,
    config: &Config,
    url: &str,
) -> Result<(Vec<u8>, Probe), Failed> {
    let url = source_url::parse(url, config.allow_private_sources).map_err(not_allowed)?;
    let all = async {
        let answer = follow(dialer, clock, config, url).await?;
        let bytes = receive(answer, config).await?;
        let probe = look(&bytes, true, config)?.ok_or_else(|| for_good(not_an_image(&ProbeError::Truncated)))?;
        Ok((bytes, probe))
    };
    within(clock, config.total_ms, "the download took", all).await?
}

/// Follows redirects to the answer that has the bytes.
async fn follow(dialer: &impl Dialer, clock: &impl Clock, config: &Config, mut url: Url) -> Result<Answer, Failed> {
    for _ in 0..=config.max_redirects {
        let answer = within(clock, config.first_byte_ms, "the source said nothing for", dialer.get(&url)).await?;
        let answer = answer.map_err(not_reached)?;
        let Some(target) = redirect_target(&answer) else { return check_status(answer) };
        url = url.join(&target).map_err(|_| {
            for_good(failure("source-status", format!("the source redirects to {:?}, which is no URL", shown(&target))))
        })?;
        source_url::check(&url, config.allow_private_sources).map_err(not_allowed)?;
    }
    let detail = format!("the source redirects more than {} times", config.max_redirects);
    let limit = Some(u64::from(config.max_redirects));
    Err(for_good(Failure { limit, ..failure("source-too-many-redirects", detail) }))
}

fn redirect_target(answer: &Answer) -> Option<String> {
    const REDIRECTS: [StatusCode; 5] = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !REDIRECTS.contains(&answer.status) {
        return None;
    }
    answer.headers.get(header::LOCATION)?.to_str().ok().map(str::to_owned)
}

fn check_status(answer: Answer) -> Result<Answer, Failed> {
    if answer.status == StatusCode::OK {
        return Ok(answer);
    }
    let failure = failure("source-status", format!("the source answered {}", answer.status.as_u16()));
    let is_passing = answer.status.is_server_error()
        || matches!(answer.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::TOO_EARLY);
    Err(Failed { failure, is_passing })
}

/// Reads the body, at most as much as is allowed, and no further than its header proves it unfit.
async fn receive(answer: Answer, config: &Config) -> Result<Vec<u8>, Failed> {
    let Answer { headers, mut body, .. } = answer;
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(encoding) = encoding.filter(|encoding| !encoding.trim().eq_ignore_ascii_case("identity")) {
        let detail = format!("the source sent its bytes as {:?}, though plain ones were asked for", shown(encoding));
        return Err(for_good(failure("source-encoding-unsupported", detail)));
    }
    let announced = web::body::announced_length(&headers);
    if let Some(actual) = announced.filter(|&length| length > config.max_source_bytes) {
        return Err(too_large(config, Some(actual)));
    }
    let bytes = collect(&mut body, config).await?;
    if bytes.is_empty() {
        return Err(for_good(failure("source-empty", "the source answered without a single byte")));
    }
    if announced.is_some_and(|length| length > bytes.len() as u64) {
        return Err(cut_off());
    }
    Ok(bytes)
}

async fn collect(body: &mut Incoming, config: &Config) -> Result<Vec<u8>, Failed> {
    let mut bytes = Vec::new();
    let mut next_look = FIRST_LOOK;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| cut_off())?;
        if (bytes.len() + piece.len()) as u64 > config.max_source_bytes {
            return Err(too_large(config, None));
        }
        bytes.extend_from_slice(&piece);
        if bytes.len() >= next_look {
            next_look = bytes.len() * 2;
            look(&bytes, false, config)?;
        }
    }
    Ok(bytes)
}

/// Reads the header: none where more bytes may tell.
fn look(bytes: &[u8], is_all: bool, config: &Config) -> Result<Option<Probe>, Failed> {
    match probe::probe(bytes) {
        Err(ProbeError::Truncated) if !is_all => Ok(None),
        Err(error) => Err(for_good(not_an_image(&error))),
        Ok(probe) => match check(&probe, &config.image) {
            Ok(()) => Ok(Some(probe)),
            Err(failure) => Err(for_good(failure)),
        },
    }
}

fn too_large(config: &Config, actual: Option<u64>) -> Failed {
    let limit = config.max_source_bytes;
    let detail = format!("the source is larger than {limit} bytes");
    for_good(Failure { limit: Some(limit), actual, ..failure("source-too-large", detail) })
}

fn cut_off() -> Failed {
    let failure = failure("source-truncated", "the source broke off before the end it had announced");
    Failed { failure, is_passing: true }
}

fn not_reached(error: DialError) -> Failed {
    match error {
        DialError::Forbidden => {
            let detail = "the source is at an address where this service does not go";
            for_good(failure("source-forbidden", detail))
        }
        DialError::Unreachable(_) => {
            Failed { failure: failure("source-unreachable", "the source could not be reached"), is_passing: true }
        }
    }
}

fn not_allowed(refusal: Refusal) -> Failed {
    let (Refusal::Invalid(detail) | Refusal::Forbidden(detail)) = refusal;
    for_good(failure("source-forbidden", detail))
}

fn for_good(failure: Failure) -> Failed {
    Failed { failure, is_passing: false }
}

/// Text of the source's, fit for an error.
fn shown(text: &str) -> String {
    web::json::shortened(text)
}

/// Waits for `work`, at most `millis` milliseconds.
async fn within<T>(clock: &impl Clock, millis: u64, what: &str, work: impl Future<Output = T>) -> Result<T, Failed> {
    let work = std::pin::pin!(work);
    let alarm = std::pin::pin!(clock.sleep(millis));
    match select(work, alarm).await {
        Either::Left((done, _)) => Ok(done),
        Either::Right(_) => {
            let detail = format!("{what} longer than {millis} ms");
            let failure = Failure { limit: Some(millis), ..failure("source-timeout", detail) };
            Err(Failed { failure, is_passing: true })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use futures::executor::block_on;
    use store::memory::TestClock;

    use super::*;

    /// Answers by URL: status, headers, body.
    type Page = (u16, Vec<(&'static str, String)>, Vec<u8>);

    #[derive(Default)]
    struct Script(HashMap<String, Page>);

    impl Dialer for Script {
        async fn get(&self, url: &Url) -> Result<Answer, DialError> {
            let Some((status, headers, body)) = self.0.get(url.as_str()) else {
                return Err(DialError::Unreachable("no such host".to_owned()));
            };
            let mut map = http::HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().unwrap());
            }
            let status = StatusCode::from_u16(*status).unwrap();
            Ok(Answer { status, headers: map, body: Incoming::full(body.clone()) })
        }
    }

    fn gif() -> Vec<u8> {
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;".to_vec()
    }

    fn check(pages: &[(&str, Page)], expected: Result<(), (&str, bool)>) {
        let script = Script(pages.iter().map(|(url, page)| ((*url).to_owned(), page.clone())).collect());
        let config = Config { max_source_bytes: 1_000, ..Config::default() };
        let found = block_on(download(&script, &TestClock::default(), &config, "http://a.example/"));
        let found = found.map(|_| ()).map_err(|failed| (failed.failure.code, failed.is_passing));
        let expected = expected.map_err(|(code, is_passing)| (code.to_owned(), is_passing));
        assert_eq!(found, expected, "{pages:?}");
    }

    fn redirect(to: &str) -> Page {
        (302, vec![("location", to.to_owned())], Vec::new())
    }

    #[test]
    fn follows_redirects_and_checks_each() {
        check(&[("http://a.example/", (200, vec![], gif()))], Ok(()));
        check(&[("http://a.example/", redirect("/b")), ("http://a.example/b", (200, vec![], gif()))], Ok(()));
        check(&[("http://a.example/", redirect("http://a.example/"))], Err(("source-too-many-redirects", false)));
        for target in [
            "file:///etc/passwd",
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://u:p@b.example/",
            "http://resize.spin.internal/internal/bell",
        ] {
            check(&[("http://a.example/", redirect(target))], Err(("source-forbidden", false)));
        }
    }

    #[test]
    fn tells_what_will_pass_from_what_will_not() {
        check(&[], Err(("source-unreachable", true)));
        check(&[("http://a.example/", (404, vec![], gif()))], Err(("source-status", false)));
        check(&[("http://a.example/", (503, vec![], gif()))], Err(("source-status", true)));
        check(&[("http://a.example/", (200, vec![], Vec::new()))], Err(("source-empty", false)));
        check(
            &[("http://a.example/", (200, vec![], b"<!doctype html><html></html>".to_vec()))],
            Err(("image-format-unsupported", false)),
        );
        check(&[("http://a.example/", (200, vec![], gif()[..8].to_vec()))], Err(("image-corrupt", false)));
        check(
            &[("http://a.example/", (200, vec![("content-encoding", "gzip".to_owned())], gif()))],
            Err(("source-encoding-unsupported", false)),
        );
        check(
            &[("http://a.example/", (200, vec![("content-length", "1001".to_owned())], gif()))],
            Err(("source-too-large", false)),
        );
        check(
            &[("http://a.example/", (200, vec![("content-length", "900".to_owned())], gif()))],
            Err(("source-truncated", true)),
        );
        check(
            &[("http://a.example/", (200, vec![], [gif(), vec![0; 2_000]].concat()))],
            Err(("source-too-large", false)),
        );
    }

    #[test]
    fn gives_a_silent_source_so_long_and_no_longer() {
        struct Silent;
        impl Dialer for Silent {
            async fn get(&self, _url: &Url) -> Result<Answer, DialError> {
                std::future::pending().await
            }
        }
        let clock = TestClock::default();
        let before = clock.now();
        let failed = block_on(download(&Silent, &clock, &Config::default(), "http://a.example/")).unwrap_err();
        assert_eq!((failed.failure.code.as_str(), failed.is_passing), ("source-timeout", true));
        assert!(clock.now() - before <= 30_000);
    }
}
