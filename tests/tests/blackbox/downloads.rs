//! Downloads from servers that misbehave in every way there is.

use std::io::Write;
use std::time::Duration;

use blackbox::source::{Offer, Peer};
use blackbox::{App, Source, fixtures};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

fn picture() -> Vec<u8> {
    fixtures::jpeg(&fixtures::photo(64, 48))
}

/// Downloads all of `cases` at once from an app with little patience; each has to fail with its code.
fn check(cases: Vec<(&str, Offer, &str)>) {
    let app = App::small();
    let ids: Vec<String> = cases.iter().map(|(_, offer, _)| app.ingest(&offer.url)).collect();
    for ((name, offer, code), id) in cases.iter().zip(&ids) {
        let found = app.failure(id);
        assert_eq!(found, *code, "{name}");
        app.shows_nothing_of(id);
        let asset = app.asset(id);
        assert!(asset["attempts"].as_u64().is_some_and(|attempts| attempts >= 1), "{name}: {asset:#}");
        assert!(offer.n_hits() >= 1, "{name} was never asked");
    }
}

#[test]
fn a_source_is_downloaded() {
    let app = App::shared();
    let bytes = picture();
    let offer = Source::here().serve(bytes.clone());
    let asset = app.ready(&app.ingest(&offer.url));
    assert_eq!(asset["bytes"], bytes.len(), "{asset:#}");
    assert_eq!(asset["attempts"], 1, "{asset:#}");
    assert_eq!(asset["source_url"], offer.url, "{asset:#}");
    assert_eq!(offer.n_hits(), 1);
}

#[test]
fn a_source_in_chunks_or_until_the_end_is_downloaded() {
    let app = App::shared();
    let source = Source::here();
    let chunked = source.offer(|peer, _| {
        peer.head_only("200 OK", &[("transfer-encoding", "chunked")])?;
        for chunk in picture().chunks(100) {
            peer.send(format!("{:x}\r\n", chunk.len()).as_bytes())?;
            peer.send(chunk)?;
            peer.send(b"\r\n")?;
        }
        peer.send(b"0\r\n\r\n")
    });
    let until_close = source.offer(|peer, _| {
        peer.head_only("200 OK", &[])?;
        peer.send(&picture())
    });
    for offer in [chunked, until_close] {
        app.ready(&app.ingest(&offer.url));
    }
}

#[test]
fn what_a_source_says_of_its_type_does_not_count() {
    let app = App::shared();
    let offer = Source::here().offer(|peer, _| peer.respond("200 OK", &[("content-type", "text/html")], &picture()));
    app.ready(&app.ingest(&offer.url));
}

#[test]
fn the_app_asks_plainly() {
    let app = App::shared();
    let (sender, receiver) = std::sync::mpsc::channel();
    let offer = Source::here().offer(move |peer: &mut Peer, _| {
        let _ = sender.send(peer.head().to_lowercase());
        peer.respond("200 OK", &[], &picture())
    });
    app.ready(&app.ingest(&format!("{}?a=b%20c&d", offer.url)));
    let head = receiver.recv().expect("the source was asked");
    assert!(head.starts_with("get "), "{head}");
    assert!(head.contains("?a=b%20c&d http/1.1"), "{head}");
    for secret in ["cookie:", "authorization:", "referer:"] {
        assert!(!head.contains(secret), "{head}");
    }
}

#[test]
fn answers_that_are_no_picture_fail_at_once() {
    let source = Source::here();
    check(vec![
        ("404", source.status("404 Not Found"), "source-status"),
        ("403", source.status("403 Forbidden"), "source-status"),
        ("410", source.status("410 Gone"), "source-status"),
        ("304", source.status("304 Not Modified"), "source-status"),
        ("html", source.serve(&b"<!doctype html><p>please log in"[..]), "image-format-unsupported"),
        ("empty", source.serve(&b""[..]), "source-empty"),
    ]);
}

#[test]
fn a_permanent_failure_is_not_tried_again() {
    let app = App::small();
    for offer in [Source::here().status("404 Not Found"), Source::here().serve(&b"no picture"[..])] {
        let id = app.ingest(&offer.url);
        app.failure(&id);
        assert_eq!((app.asset(&id)["attempts"].as_u64(), offer.n_hits()), (Some(1), 1));
    }
}

#[test]
fn servers_that_break_are_tried_again_and_then_given_up() {
    let source = Source::here();
    check(vec![
        ("500", source.status("500 Internal Server Error"), "source-status"),
        ("503", source.status("503 Service Unavailable"), "source-status"),
        ("nothing", source.offer(|_, _| Ok(())), "source-unreachable"),
        ("garbage", source.offer(|peer, _| peer.send(b"SSH-2.0-OpenSSH_9\r\n\r\n")), "source-unreachable"),
    ]);
    let app = App::small();
    let offer = source.status("500 Internal Server Error");
    let id = app.ingest(&offer.url);
    app.failure(&id);
    assert_eq!((app.asset(&id)["attempts"].as_u64(), offer.n_hits()), (Some(2), 2));
}

#[test]
fn a_server_that_recovers_is_given_the_chance() {
    let app = App::shared();
    let offer = Source::here().offer(|peer, number| {
        if number <= 3 { peer.respond("503 Busy", &[], b"later") } else { peer.respond("200 OK", &[], &picture()) }
    });
    let asset = app.ready(&app.ingest(&offer.url));
    assert_eq!((asset["attempts"].as_u64(), offer.n_hits()), (Some(4), 4), "{asset:#}");
    assert_eq!(asset["error"], serde_json::Value::Null, "{asset:#}");
}

#[test]
fn a_port_where_nobody_listens_is_unreachable() {
    let app = App::small();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let address = listener.local_addr().expect("a bound socket has an address");
    drop(listener);
    assert_eq!(app.failure(&app.ingest(&format!("http://{address}/a.jpg"))), "source-unreachable");
}

#[test]
fn slow_servers_run_out_of_time() {
    let source = Source::here();
    check(vec![
        ("never a byte", source.offer(|peer, _| peer.fall_silent()), "source-timeout"),
        (
            "late first byte",
            source.offer(|peer, _| {
                std::thread::sleep(Duration::from_secs(3));
                peer.respond("200 OK", &[], &picture())
            }),
            "source-timeout",
        ),
        (
            "one byte at a time",
            source.offer(|peer, _| {
                peer.head_only("200 OK", &[("content-length", "5000")])?;
                peer.trickle(&picture(), Duration::from_millis(400))
            }),
            "source-timeout",
        ),
        (
            "head, then nothing",
            source.offer(|peer, _| {
                peer.head_only("200 OK", &[("content-length", "5000")])?;
                peer.fall_silent()
            }),
            "source-timeout",
        ),
        (
            "a head one byte at a time",
            source
                .offer(|peer, _| peer.trickle(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", Duration::from_millis(300))),
            "source-timeout",
        ),
    ]);
}

#[test]
fn lengths_that_lie_are_found_out() {
    let source = Source::here();
    let bytes = picture();
    // Half a JPEG would be a picture.
    let short = fixtures::png(&fixtures::photo(64, 48));
    let (more, fewer) = ((bytes.len() + 1000).to_string(), (short.len() / 2).to_string());
    check(vec![
        (
            "more announced than sent",
            source.offer(move |peer, _| {
                peer.head_only("200 OK", &[("content-length", &more)])?;
                peer.send(&bytes)
            }),
            "source-truncated",
        ),
        (
            "fewer announced than sent",
            source.offer(move |peer, _| {
                peer.head_only("200 OK", &[("content-length", &fewer)])?;
                peer.send(&short)
            }),
            "image-corrupt",
        ),
        (
            "chunks that end early",
            source.offer(|peer, _| {
                peer.head_only("200 OK", &[("transfer-encoding", "chunked")])?;
                peer.send(b"1000\r\n")?;
                peer.send(&picture()[..200])
            }),
            "source-truncated",
        ),
    ]);
}

#[test]
fn too_much_is_refused_before_it_has_come() {
    let source = Source::here();
    check(vec![
        (
            "announced",
            source.offer(|peer, _| {
                peer.head_only("200 OK", &[("content-length", "200001")])?;
                peer.fall_silent()
            }),
            "source-too-large",
        ),
        (
            "endless",
            source.offer(|peer, _| {
                peer.head_only("200 OK", &[])?;
                peer.send(&picture())?;
                loop {
                    peer.send(&[0; 10_000])?;
                }
            }),
            "source-too-large",
        ),
        (
            "endless chunks",
            source.offer(|peer, _| {
                peer.head_only("200 OK", &[("transfer-encoding", "chunked")])?;
                let picture = picture();
                peer.send(format!("{:x}\r\n", picture.len()).as_bytes())?;
                peer.send(&picture)?;
                peer.send(b"\r\n")?;
                loop {
                    peer.send(b"2710\r\n")?;
                    peer.send(&[0; 10_000])?;
                    peer.send(b"\r\n")?;
                }
            }),
            "source-too-large",
        ),
    ]);
    let app = App::small();
    let id = app.ingest(&source.serve([picture(), vec![0; 200_000]].concat()).url);
    let error = app.settled(&id)["error"].clone();
    assert_eq!(error["limit"], 200_000, "{error}");
}

#[test]
fn compressed_answers_are_refused() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&picture()).expect("memory takes everything");
    let gzip = gzip.finish().expect("memory takes everything");
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![0; 10_000_000]).expect("memory takes everything");
    let bomb = bomb.finish().expect("memory takes everything");
    let source = Source::here();
    let encoded = |encoding: &'static str, bytes: Vec<u8>| {
        source.offer(move |peer, _| peer.respond("200 OK", &[("content-encoding", encoding)], &bytes))
    };
    check(vec![
        ("gzip", encoded("gzip", gzip.clone()), "source-encoding-unsupported"),
        ("gzip bomb", encoded("gzip", bomb), "source-encoding-unsupported"),
        ("brotli", encoded("br", picture()), "source-encoding-unsupported"),
        ("gzip without saying so", source.serve(gzip), "image-format-unsupported"),
    ]);
    let app = App::shared();
    app.ready(&app.ingest(&encoded("identity", picture()).url));
}

#[test]
fn redirects_are_followed_as_far_as_allowed() {
    let app = App::small();
    let source = Source::here();
    let target = source.serve(picture());
    let relative = target.url.strip_prefix(&source.origin()).expect("an offer of this server").to_owned();
    for (name, offer) in [
        ("absolute", source.redirect(target.url.clone())),
        ("relative", source.redirect(relative.clone())),
        ("without a scheme", source.redirect(format!("//127.0.0.1:{}{relative}", source.port()))),
        (
            "permanent",
            source.offer({
                let to = relative.clone();
                move |peer, _| peer.respond("308 Permanent Redirect", &[("location", &to)], b"")
            }),
        ),
        ("two", source.redirect(source.redirect(relative.clone()).url)),
        ("to another host", source.redirect(Source::elsewhere().serve(picture()).url)),
    ] {
        let asset = app.settled(&app.ingest(&offer.url));
        assert_eq!(asset["state"], "ready", "{name}: {asset:#}");
        assert_eq!(asset["source_url"], offer.url, "{name}");
    }
}

#[test]
fn redirects_that_lead_nowhere_fail() {
    let source = Source::here();
    let own = source.offer(|peer, _| {
        let path = peer.head().split(' ').nth(1).unwrap_or_default().to_owned();
        peer.respond("302 Found", &[("location", &path)], b"")
    });
    let three = source.redirect(source.redirect(source.redirect(source.serve(picture()).url).url).url);
    let without = source.offer(|peer, _| peer.respond("302 Found", &[], b""));
    check(vec![
        ("to itself", own, "source-too-many-redirects"),
        ("three where two are allowed", three, "source-too-many-redirects"),
        ("without a target", without, "source-status"),
        ("to a file", source.redirect("file:///etc/passwd"), "source-forbidden"),
        ("to ftp", source.redirect("ftp://127.0.0.1/a.jpg"), "source-forbidden"),
        ("to data", source.redirect("data:image/png;base64,iVBORw0KGgo="), "source-forbidden"),
        ("to a user", source.redirect(format!("http://user:pass@127.0.0.1:{}/x", source.port())), "source-forbidden"),
        ("to an app of ours", source.redirect("http://retrieve.spin.internal/v1/images"), "source-forbidden"),
    ]);
}

#[test]
fn source_urls_that_are_none_are_refused_at_once() {
    let app = App::shared();
    for url in [
        "",
        " ",
        "nonsense",
        "/relative.jpg",
        "//host/relative.jpg",
        "http://",
        "https://",
        "http://[::1",
        "http://a b/x",
        "http://host:99999/x",
        "http://host:port/x",
        "http://xn--/x",
        "http://%zz/x",
        "http://exa\u{0}mple/",
    ] {
        let answer = app.post("/v1/assets", &json!({"source_url": url}));
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        assert!(matches!(code.as_str(), "source-url-invalid" | "field-invalid"), "{url:?}: {answer}");
        answer.problem(422, &code);
    }
    for url in [
        "file:///etc/passwd",
        "ftp://example.org/a.jpg",
        "data:image/png;base64,iVBORw0KGgo=",
        "gopher://x/",
        "javascript:1",
    ] {
        let answer = app.post("/v1/assets", &json!({"source_url": url}));
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        assert!(matches!(code.as_str(), "source-forbidden" | "source-url-invalid"), "{url:?}: {answer}");
        answer.problem(422, &code);
    }
    let user = format!("http://user:pass@127.0.0.1:{}/x.jpg", Source::here().port());
    app.post("/v1/assets", &json!({"source_url": user})).problem(422, "source-forbidden");
    let long = format!("http://127.0.0.1/{}", "x".repeat(100_000));
    let answer = app.post("/v1/assets", &json!({"source_url": long}));
    assert_eq!(answer.status, 422, "{answer}");
}
