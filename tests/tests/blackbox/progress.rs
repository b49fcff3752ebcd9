//! The way of an asset, watched: the states as they happen, and waiting for the end of them.

use std::time::{Duration, Instant};

use blackbox::http::Stream;
use blackbox::source::{Gate, Offer};
use blackbox::{App, Source, fixtures};
use serde_json::{Value, json};

const ORDER: [&str; 4] = ["accepted", "downloading", "processing", "ready"];

fn photo() -> Vec<u8> {
    fixtures::jpeg(&fixtures::photo(40, 30))
}

/// A picture that comes when the gate opens.
fn gated(gate: &Gate) -> Offer {
    let gate = gate.clone();
    Source::here().offer(move |peer, _| {
        gate.pass();
        peer.respond("200 OK", &[], &photo())
    })
}

#[track_caller]
fn watch(app: &App, id: &str) -> Stream {
    let stream = app.call("GET", &format!("/v1/assets/{id}/events")).header("accept", "text/event-stream").open();
    assert_eq!(stream.status, 200);
    let media_type = stream.header("content-type").unwrap_or_default();
    assert!(media_type.starts_with("text/event-stream"), "{media_type}");
    stream
}

/// The state that the next event tells.
fn next_state(stream: &mut Stream) -> Option<String> {
    let (name, data) = stream.event()?;
    let data: Value = serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error} in event {name:?}: {data:?}"));
    Some(data["state"].as_str().unwrap_or_else(|| panic!("no state in event {name:?}: {data}")).to_owned())
}

fn rank(state: &str) -> usize {
    ORDER.iter().position(|known| *known == state).unwrap_or_else(|| panic!("state {state:?}"))
}

#[test]
fn states_are_told_as_they_happen() {
    let app = App::shared();
    let gate = Gate::closed();
    let id = app.ingest(&gated(&gate).url);
    let mut stream = watch(app, &id);
    let mut states = vec![next_state(&mut stream).expect("a first event")];
    while states.last().is_some_and(|state| state != "downloading") {
        states.push(next_state(&mut stream).expect("the source is still being asked"));
    }
    // So far nothing has been sent. The rest comes after the gate opens, on the same connection.
    gate.open();
    while let Some(state) = next_state(&mut stream) {
        states.push(state);
    }
    assert_eq!(states.last().map(String::as_str), Some("ready"), "{states:?}");
    assert!(states.iter().map(|state| rank(state)).is_sorted(), "{states:?}");
    assert!(states.contains(&"processing".to_owned()), "{states:?}");
}

#[test]
fn a_failure_is_told_with_its_code() {
    let app = App::shared();
    let id = app.ingest(&Source::here().status("404 Not Found").url);
    let mut stream = watch(app, &id);
    let mut last = (String::new(), String::new());
    while let Some(event) = stream.event() {
        last = event;
    }
    let data: Value = serde_json::from_str(&last.1).expect("JSON");
    assert_eq!(data["state"], "failed", "{last:?}");
    assert_eq!(data["error"]["code"], "source-status", "{last:?}");
}

#[test]
fn who_comes_late_is_told_the_end() {
    let app = App::shared();
    let id = app.image(&photo());
    let mut stream = watch(app, &id);
    let mut states = Vec::new();
    while let Some(state) = next_state(&mut stream) {
        states.push(state);
    }
    assert_eq!(states.last().map(String::as_str), Some("ready"), "{states:?}");
}

#[test]
fn who_comes_back_is_told_the_rest() {
    let app = App::shared();
    let id = app.image(&photo());
    let call = app.call("GET", &format!("/v1/assets/{id}/events")).header("last-event-id", "1");
    let mut stream = call.open();
    let mut states = Vec::new();
    while let Some(state) = next_state(&mut stream) {
        states.push(state);
    }
    assert!(!states.contains(&"accepted".to_owned()), "{states:?}");
    assert_eq!(states.last().map(String::as_str), Some("ready"), "{states:?}");
}

#[test]
fn many_may_watch_and_some_may_leave() {
    let app = App::shared();
    let gate = Gate::closed();
    let id = app.ingest(&gated(&gate).url);
    let mut streams: Vec<_> = (0..6).map(|_| watch(app, &id)).collect();
    streams.iter_mut().for_each(|stream| assert!(next_state(stream).is_some()));
    streams.drain(..3).for_each(|stream| stream.hang_up());
    gate.open();
    for mut stream in streams {
        let mut last = None;
        while let Some(state) = next_state(&mut stream) {
            last = Some(state);
        }
        assert_eq!(last.as_deref(), Some("ready"));
    }
    app.get("/healthz").expect(200);
}

#[test]
fn an_answer_is_held_until_the_end() {
    let app = App::shared();
    let prefer = |value: &str, url: &str| {
        app.call("POST", "/v1/assets").header("prefer", value).json(&json!({"source_url": url})).send()
    };
    let url = || Source::here().serve(photo()).url;
    let answer = prefer("wait=30", &url());
    assert!([200, 201, 202].contains(&answer.status), "{answer}");
    assert_eq!(answer.json()["state"], "ready", "{answer}");
    app.get(&format!("/v1/images/{}", answer.id())).expect(200);
    let answer = prefer("respond-async, wait=30", &url());
    assert_eq!(answer.json()["state"], "ready", "{answer}");
    let answer = prefer("wait=30", &Source::here().status("404 Not Found").url);
    assert_eq!(answer.json()["state"], "failed", "{answer}");
    assert_eq!(answer.json()["error"]["code"], "source-status", "{answer}");
    // Other preferences are none of ours (RFC 7240); a wait that is no number is refused.
    for value in ["wait", "wait=0", "x", "return=minimal"] {
        let answer = prefer(value, &url()).expect(202);
        app.ready(&answer.id());
    }
    for value in ["wait=", "wait=abc", "wait=-1", "wait=1.5", "wait=99999999999999999999"] {
        prefer(value, &url()).problem(400, "parameter-invalid");
    }
}

#[test]
fn an_upload_is_held_until_the_end() {
    let app = App::shared();
    let call = app.call("POST", "/v1/assets").header("prefer", "wait=30").header("content-type", "image/jpeg");
    let answer = call.body(photo()).send();
    assert_eq!(answer.json()["state"], "ready", "{answer}");
    app.delivered(&answer.id(), "thumb").expect(200);
}

#[test]
fn an_answer_is_not_held_longer_than_asked() {
    let app = App::shared();
    let gate = Gate::closed();
    let started = Instant::now();
    let body = json!({"source_url": gated(&gate).url});
    let answer = app.call("POST", "/v1/assets").header("prefer", "wait=1").json(&body).send().expect(202);
    let held = started.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(8)).contains(&held), "{held:?}");
    assert!(["accepted", "downloading"].contains(&answer.json()["state"].as_str().unwrap_or_default()), "{answer}");
    gate.open();
    app.ready(&answer.id());
}
