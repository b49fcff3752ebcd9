//! Addresses that a stranger must not make the app ask, in every spelling, on an app as it is installed.

use blackbox::app::Options;
use blackbox::{App, Source, fixtures};
use serde_json::json;

#[test]
fn private_addresses_are_refused_in_every_spelling() {
    let app = App::strict();
    for host in [
        // Loopback.
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "127.255.255.254",
        "%31%32%37.0.0.1",
        "１２７.０.０.１",
        "①②⑦.0.0.1",
        "127。0。0。1",
        // Nowhere and everywhere.
        "0.0.0.0",
        "0",
        "0x0",
        "255.255.255.255",
        "224.0.0.1",
        // Private, shared, link-local, of which one is where clouds keep their credentials.
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "192.0.0.1",
        "198.18.0.1",
        "240.0.0.1",
        // IPv6, and IPv4 hidden in it.
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[ff02::1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]",
        "[::ffff:0:127.0.0.1]",
    ] {
        for url in [format!("http://{host}/a.jpg"), format!("http://{host}:8080/a.jpg"), format!("https://{host}/")] {
            let answer = app.post("/v1/assets", &json!({"source_url": url}));
            let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
            // A spelling that the URL parser itself refuses is refused well enough.
            let may_be_invalid = host.starts_with("[::ffff:0:") || host.contains('①');
            assert!(code == "source-forbidden" || may_be_invalid && code == "source-url-invalid", "{url}: {answer}");
            answer.problem(422, &code);
        }
    }
}

#[test]
fn names_of_this_machine_are_refused_or_fail() {
    let app = App::strict();
    let offer = Source::here().serve(fixtures::jpeg(&fixtures::photo(20, 20)));
    let path = offer.url.rsplit('/').next().expect("a path").to_owned();
    let port = Source::here().port();
    for host in ["localhost", "LOCALHOST", "localhost.", "ｌｏｃａｌｈｏｓｔ", "a.localhost", "ingest.spin.internal"]
    {
        let answer = app.post("/v1/assets", &json!({"source_url": format!("http://{host}:{port}/{path}")}));
        if answer.status == 202 {
            assert_eq!(app.failure(&answer.id()), "source-forbidden", "{host}");
        } else {
            answer.problem(422, "source-forbidden");
        }
    }
    assert_eq!(offer.n_hits(), 0, "the app went there");
}

/// The host takes these names for the app itself, whatever a resolver would say.
#[test]
fn the_app_is_no_source_of_its_own() {
    for app in [App::strict(), App::shared()] {
        for host in ["self.alt", "SELF.ALT", "self.alt.", "retrieve.spin.internal", "RETRIEVE.spin.internal."] {
            let answer = app.post("/v1/assets", &json!({"source_url": format!("http://{host}/healthz")}));
            if answer.status == 202 {
                assert_eq!(app.failure(&answer.id()), "source-forbidden", "{host}");
            } else {
                answer.problem(422, "source-forbidden");
            }
        }
    }
}

#[test]
fn users_and_other_schemes_are_refused() {
    let app = App::strict();
    for url in [
        "http://user:pass@example.org/a.jpg",
        "http://user@example.org/a.jpg",
        "http://:pass@example.org/a.jpg",
        "https://example.org@127.0.0.1/a.jpg",
        "http://example.org\\@127.0.0.1/a.jpg",
    ] {
        let answer = app.post("/v1/assets", &json!({"source_url": url}));
        // The last one is a path on example.org for a browser; what counts is that it is not asked of 127.0.0.1.
        if !url.contains('\\') {
            answer.problem(422, "source-forbidden");
        }
    }
    for url in ["file:///etc/passwd", "ftp://example.org/a.jpg", "gopher://example.org/", "data:image/png,x"] {
        app.post("/v1/assets", &json!({"source_url": url})).problem(422, "source-forbidden");
    }
}

#[test]
fn a_refused_source_is_never_asked() {
    let app = App::strict();
    let offer = Source::here().serve(fixtures::jpeg(&fixtures::photo(20, 20)));
    app.post("/v1/assets", &json!({"source_url": offer.url})).problem(422, "source-forbidden");
    assert_eq!(offer.n_hits(), 0);
}

#[test]
fn a_redirect_to_a_blocked_network_is_not_followed() {
    let options = Options::for_tests().runtime_config("[outbound_networking]\nblock_networks = [\"127.0.0.2/32\"]\n");
    let app = App::start(options.variable("download_attempts", 1));
    let target = Source::elsewhere().serve(fixtures::jpeg(&fixtures::photo(20, 20)));
    let redirect = Source::here().redirect(target.url.clone());
    let id = app.ingest(&redirect.url);
    assert_eq!(app.failure(&id), "source-forbidden");
    assert_eq!((redirect.n_hits(), target.n_hits()), (1, 0));
    app.shows_nothing_of(&id);
    assert_eq!(app.failure(&app.ingest(&target.url)), "source-forbidden");
    let allowed = Source::here().serve(fixtures::jpeg(&fixtures::photo(20, 20)));
    app.ready(&app.ingest(&allowed.url));
}
