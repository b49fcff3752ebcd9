//! Requests that components make: allowed, blocked, too slow.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::mpsc;

use crate::support::{App, Setup, one_component, read_head, serve, serve_always};

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

/// An application that may connect to `rule`.
fn allowing(rule: &str) -> App {
    Setup::new(&one_component(&format!("allowed_outbound_hosts = [\"{rule}\"]"))).start()
}

fn fetch(app: &App, address: SocketAddr) -> crate::support::Response {
    app.get(&format!("/fetch?url=http://{address}/"))
}

#[test]
fn nothing_is_allowed_by_default() {
    let app = Setup::new(&one_component("")).start();
    assert_eq!(fetch(&app, serve_always(ANSWER)).error(), "ErrorCode::HttpRequestDenied");
    app.wait_for_log("component guest may not connect to http://127.0.0.1:");
}

#[test]
fn rules_decide_by_host_and_port() {
    let address = serve_always(ANSWER);
    let port = address.port();
    for (rule, allowed) in [
        (format!("http://{address}"), true),
        ("http://127.0.0.1:*".to_owned(), true),
        ("http://*:*".to_owned(), true),
        ("*://*:*".to_owned(), true),
        (format!("http://127.0.0.0/8:{port}"), true),
        ("http://127.0.0.1".to_owned(), false),
        ("http://*".to_owned(), false),
        (format!("https://127.0.0.1:{port}"), false),
        (format!("http://localhost:{port}"), false),
        ("http://*.test:*".to_owned(), false),
    ] {
        let response = fetch(&allowing(&rule), address);
        if allowed {
            assert_eq!(response.ok(), "hi", "{rule}");
        } else {
            assert_eq!(response.error(), "ErrorCode::HttpRequestDenied", "{rule}");
        }
    }
}

#[test]
fn rules_may_use_variables() {
    let address = serve_always(ANSWER);
    let manifest = one_component(
        "allowed_outbound_hosts = [\"http://{{ peer }}\", \"{{ nothing }}\"]
        [variables]\npeer = { required = true }\nnothing = { default = \"\" }",
    );
    let app = Setup::new(&manifest).argument(format!("--variable=peer={address}")).start();
    assert_eq!(fetch(&app, address).ok(), "hi");
}

#[test]
fn a_request_says_whom_it_is_for() {
    let (heads, seen) = mpsc::channel();
    let address = serve(move |mut stream| {
        heads.send(read_head(&mut stream)).expect("the test waits");
        stream.write_all(ANSWER.as_bytes()).expect("sent");
    });
    let app = allowing("http://*:*");
    app.get(&format!("/fetch?url=http://localhost:{}/a/b%3Fc=d", address.port())).ok();
    let head = seen.recv().expect("a request");
    assert!(head.starts_with("GET /a/b?c=d HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: localhost:{}\r\n", address.port())), "{head}");
}

#[test]
fn redirects_are_the_guests_affair() {
    let app = allowing("http://*:*");
    let address = serve_always("HTTP/1.1 302 Found\r\nlocation: http://example.com/\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(fetch(&app, address).status, 302);
}

#[test]
fn blocked_networks_count_for_what_a_name_resolves_to() {
    let address = serve_always(ANSWER);
    let manifest = one_component("allowed_outbound_hosts = [\"http://*:*\"]");
    for blocked in ["private", "127.0.0.0/8\", \"::1/128"] {
        let config = format!("[outbound_networking]\nblock_networks = [\"{blocked}\"]");
        let app = Setup::new(&manifest).runtime_config(&config).start();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let response = app.get(&format!("/fetch?url=http://{host}:{}/", address.port()));
            assert_eq!(response.error(), "ErrorCode::DestinationIpProhibited", "{host} {blocked}");
        }
        app.wait_for_log("component guest may not connect to localhost: all of its addresses are blocked");
    }
    let app = Setup::new(&manifest).runtime_config("[outbound_networking]\nblock_networks = [\"10.0.0.0/8\"]").start();
    assert_eq!(fetch(&app, address).ok(), "hi");
}

#[test]
fn blocked_networks_do_not_keep_components_from_each_other() {
    let manifest = one_component("allowed_outbound_hosts = [\"http://guest.spin.internal\"]");
    let app = Setup::new(&manifest).runtime_config("[outbound_networking]\nblock_networks = [\"private\"]").start();
    assert_eq!(app.get("/fetch?url=http://guest.spin.internal/hello").ok(), "hello");
}

#[test]
fn failures_have_their_names() {
    let app = allowing("*://*:*");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    assert_eq!(fetch(&app, closed).error(), "ErrorCode::ConnectionRefused");
    // A name too long to be asked for, so that nobody outside is.
    let unknown = app.get(&format!("/fetch?url=http://{}.test/", "a".repeat(64)));
    assert!(unknown.error().starts_with("ErrorCode::DnsError"), "{}", unknown.text());
    let plain = serve(|mut stream| {
        stream.write_all(ANSWER.as_bytes()).expect("sent");
        read_head(&mut stream);
    });
    let plain = app.get(&format!("/fetch?url=https://{plain}/"));
    assert_eq!(plain.error(), "ErrorCode::TlsProtocolError");
}

#[test]
fn a_silent_server_runs_into_the_timeout_for_the_first_byte() {
    let app = allowing("http://*:*");
    let address = serve(|mut stream| {
        read_head(&mut stream);
        // Until the other side gives up.
        read_head(&mut stream);
    });
    let response = app.get(&format!("/fetch?url=http://{address}/&first=100"));
    assert_eq!(response.error(), "ErrorCode::ConnectionReadTimeout");
}

#[test]
fn a_server_that_falls_silent_runs_into_the_timeout_between_bytes() {
    let app = allowing("http://*:*");
    let address = serve(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhi").expect("sent");
        read_head(&mut stream);
    });
    let response = app.get(&format!("/fetch?url=http://{address}/&between=100"));
    assert_eq!(response.error(), "in the body: ErrorCode::ConnectionReadTimeout");
}

#[test]
fn a_server_that_does_not_shake_hands_runs_into_the_timeout_for_connecting() {
    let app = allowing("https://*:*");
    let address = serve(|mut stream| drop(read_head(&mut stream)));
    let response = app.get(&format!("/fetch?url=https://{address}/&connect=100"));
    assert_eq!(response.error(), "ErrorCode::ConnectionTimeout");
}

#[test]
fn a_body_that_ends_early_is_an_error() {
    let app = allowing("http://*:*");
    let response = fetch(&app, serve_always("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhi"));
    assert!(response.error().starts_with("in the body: "), "{}", response.text());
}
