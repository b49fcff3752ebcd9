//! Routes, requests, responses, and how components call each other.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Setup, one_component};

/// Four routes to one file, and a component without one.
const SEVERAL: &str = r#"
    spin_manifest_version = 2
    [application]
    name = "app"
    [[trigger.http]]
    route = "/..."
    component = "all"
    [[trigger.http]]
    route = "/exact/environment"
    component = "exact"
    [[trigger.http]]
    route = "/exact/..."
    component = "below"
    [[trigger.http]]
    route = "/parameter/:id/environment"
    component = "parameter"
    [[trigger.http]]
    route = { private = true }
    component = "hidden"
    [component.all]
    source = "guest.wasm"
    environment = { NAME = "all" }
    [component.exact]
    source = "guest.wasm"
    environment = { NAME = "exact" }
    [component.below]
    source = "guest.wasm"
    environment = { NAME = "below" }
    allowed_outbound_hosts = ["http://*.spin.internal"]
    [component.parameter]
    source = "guest.wasm"
    environment = { NAME = "parameter" }
    allowed_outbound_hosts = ["http://hidden.spin.internal", "http://self"]
    [component.hidden]
    source = "guest.wasm"
    environment = { NAME = "hidden" }
"#;

#[test]
fn routes_lead_to_their_components() {
    let app = Setup::new(SEVERAL).start();
    for (path, component) in [
        ("/environment?name=NAME", "all"),
        ("/other/environment?name=NAME", "all"),
        ("/exact/environment?name=NAME", "exact"),
        ("/exact/x/environment?name=NAME", "below"),
        ("/parameter/7/environment?name=NAME", "parameter"),
        ("/hidden/environment?name=NAME", "all"),
    ] {
        assert_eq!(app.get(path).ok(), component, "{path}");
    }
}

#[test]
fn the_start_lists_every_route() {
    let app = Setup::new(SEVERAL).start();
    assert_eq!(
        app.greeting.lines().collect::<Vec<_>>(),
        [
            "/... -> all",
            "/exact/environment -> exact",
            "/exact/... -> below",
            "/parameter/:id/environment -> parameter",
            "(private) -> hidden",
        ]
    );
}

#[test]
fn components_call_each_other_where_they_may() {
    let app = Setup::new(SEVERAL).start();
    let hidden = "fetch?url=http://hidden.spin.internal/environment%3Fname=NAME";
    assert_eq!(app.get(&format!("/exact/{hidden}")).ok(), "hidden");
    assert_eq!(app.get(&format!("/{hidden}")).error(), "ErrorCode::HttpRequestDenied");
    app.wait_for_log("component all may not connect to http://hidden.spin.internal/environment?name=NAME");
}

#[test]
fn a_called_component_sees_a_request_like_any_other() {
    let app = Setup::new(SEVERAL).start();
    let seen = app.get("/exact/fetch?url=http://hidden.spin.internal/a/headers&header=yes");
    let seen = seen.ok();
    for line in
        ["x-header: yes", "spin-path-info: /a/headers", "spin-raw-component-route: /...", "spin-client-addr: 0.0.0.0:0"]
    {
        assert!(seen.contains(line), "{line} is not in {seen}");
    }
    let uri = app.get("/exact/fetch?url=http://hidden.spin.internal/a/uri%3Fb=c");
    assert_eq!(uri.ok(), "http://hidden.spin.internal/a/uri?b=c");
}

#[test]
fn a_component_that_nobody_defined_cannot_be_called() {
    let app = Setup::new(&one_component("allowed_outbound_hosts = [\"http://*:*\"]")).start();
    assert_eq!(app.get("/fetch?url=http://nobody.spin.internal/").error(), "ErrorCode::DestinationNotFound");
}

#[test]
fn a_failure_of_a_called_component_is_an_answer_to_the_caller() {
    let app = Setup::new(SEVERAL).start();
    assert_eq!(app.get("/exact/fetch?url=http://hidden.spin.internal/trap").status, 500);
    app.wait_for_log("component hidden failed");
}

#[test]
fn own_requests_go_through_the_network() {
    let app = Setup::new(SEVERAL).start();
    let own = app.get("/exact/fetch?url=http://hidden.spin.internal/uri");
    assert_eq!(own.ok(), "http://hidden.spin.internal/uri");
    let manifest = one_component("allowed_outbound_hosts = [\"http://self\"]");
    let app = Setup::new(&manifest).start();
    let seen = app.get("/fetch?url=http://self.alt/headers");
    assert!(seen.ok().contains(&format!("host: {}", app.address())), "{}", seen.text());
    let app = Setup::new(&one_component("")).start();
    assert_eq!(app.get("/fetch?url=http://self.alt/headers").error(), "ErrorCode::HttpRequestDenied");
}

#[test]
fn a_component_sees_the_request_as_on_spin() {
    let app = Setup::new(&one_component("").replace("\"/...\"", "\"/at/:id/...\"")).start();
    let response = app.request("GET", "/at/7/x/headers?a=b", "X-Mine: 1\r\nx-mine: 2\r\n").send();
    let seen: Vec<&str> = response.ok().lines().collect();
    for line in [
        "host: app.test",
        "x-mine: 1",
        "x-mine: 2",
        "spin-path-info: /x/headers",
        "spin-full-url: http://app.test/at/7/x/headers?a=b",
        "spin-matched-route: /at/:id/...",
        "spin-raw-component-route: /at/:id/...",
        "spin-component-route: /at/:id",
        "spin-base-path: /",
        "spin-path-match-id: 7",
    ] {
        assert!(seen.contains(&line), "{line} is not in {seen:?}");
    }
    assert!(seen.iter().any(|line| line.starts_with("spin-client-addr: 127.0.0.1:")), "{seen:?}");
    assert!(!seen.iter().any(|line| line.starts_with("connection")), "{seen:?}");
    assert_eq!(app.get("/at/7/uri?a=b").ok(), "http://app.test/at/7/uri?a=b");
}

#[test]
fn paths_without_a_route_are_not_found() {
    let app = Setup::new(&one_component("").replace("\"/...\"", "\"/hello\"")).start();
    assert_eq!(app.get("/hello").ok(), "hello");
    assert_eq!(app.get("/hello/x").status, 404);
    assert_eq!(app.get("/").status, 404);
}

#[test]
fn a_component_without_a_trigger_need_not_be_there() {
    let app = Setup::new(&one_component("[component.other]\nsource = \"missing.wasm\"")).start();
    assert_eq!(app.get("/hello").ok(), "hello");
}

#[test]
fn the_well_known_paths_are_the_hosts() {
    let app = Setup::new(&one_component("")).start();
    assert_eq!(app.get("/.well-known/spin/health").ok(), "OK");
    let info = app.get("/.well-known/spin/info");
    assert_eq!(info.header("content-type"), Some("application/json"));
    let info: serde_json::Value = serde_json::from_str(info.ok()).expect("JSON");
    assert_eq!(info, serde_json::json!({ "name": "app", "version": "1.2.3" }));
    assert_eq!(app.get("/.well-known/spin/other").status, 404);
}

#[test]
fn refuses_hosts_that_make_no_sense_or_are_for_components_only() {
    let app = Setup::new(&one_component("")).start();
    for host in ["", "host: guest.spin.internal\r\n", "host: a b\r\n"] {
        let mut stream = TcpStream::connect(app.address()).expect("it listens");
        write!(stream, "GET /hello HTTP/1.1\r\n{host}connection: close\r\n\r\n").expect("sent");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("an answer");
        assert!(response.starts_with("HTTP/1.1 400"), "{host}: {response}");
    }
}

#[test]
fn bodies_come_and_go_whole() {
    let app = Setup::new(&one_component("")).start();
    let body: Vec<u8> = (0..3_000_000u32).map(|number| number as u8).collect();
    let response = app.post("/echo", &body);
    assert_eq!(response.status, 200);
    assert!(response.body == body);
}

#[test]
fn a_response_streams_while_it_is_made() {
    let app = Setup::new(&one_component("")).start();
    let mut response = app.request("GET", "/drip?key=on", "").open();
    response.read_until("first\n");
    app.post("/kv/set?key=on", "x");
    response.read_until("second\n");
}

#[test]
fn small_pieces_do_not_wait_for_acknowledgements() {
    let app = Setup::new(&one_component("")).start();
    app.post("/kv/set?key=on", "x").ok();
    let mut stream = TcpStream::connect(app.address()).expect("it listens");
    let start = Instant::now();
    // A delayed acknowledgement takes 40 ms: without TCP_NODELAY these would take four seconds.
    for _ in 0..100 {
        stream.write_all(b"GET /drip?key=on HTTP/1.1\r\nhost: a\r\n\r\n").expect("sent");
        let mut response = Vec::new();
        let mut bytes = [0; 1024];
        while !response.ends_with(b"0\r\n\r\n") {
            let read = stream.read(&mut bytes).expect("an answer");
            response.extend(&bytes[..read]);
        }
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn what_a_component_prints_is_logged_with_its_name() {
    let app = Setup::new(&one_component("")).start();
    app.get("/print?out=one%0Atwo&err=three").ok();
    for line in ["[guest] one\n", "[guest] two\n", "[guest] three\n"] {
        app.wait_for_log(line);
    }
}
