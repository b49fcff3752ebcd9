//! What is told on the bus: the whole life of an image, in CloudEvents, to whoever listens.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use blackbox::app::Options;
use blackbox::{App, Source, fixtures};
use serde_json::{Value, json};

/// Every message on the channels of events, as it comes.
pub fn listen(app: &App) -> Receiver<Value> {
    let (sender, receiver) = channel();
    let mut connection = app.redis().connection();
    let (ready, is_ready) = channel();
    std::thread::spawn(move || {
        let mut messages = connection.as_pubsub();
        for channel in ["scalehoster.asset", "scalehoster.category", "scalehoster.variant"] {
            messages.subscribe(channel).expect("the server listens");
        }
        ready.send(()).expect("the test waits");
        while let Ok(message) = messages.get_message() {
            let payload: Vec<u8> = message.get_payload().expect("bytes");
            let event = serde_json::from_slice(&payload).expect("an event is JSON");
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    is_ready.recv().expect("it subscribes");
    receiver
}

/// Waits for the next event of a type.
#[track_caller]
fn next(events: &Receiver<Value>, seen: &mut Vec<Value>, name: &str) -> Value {
    let wanted = format!("scalehoster.{name}.v1");
    loop {
        let event =
            events.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| panic!("{name} never came: {seen:#?}"));
        seen.push(event.clone());
        if event["type"] == json!(wanted) {
            return event;
        }
    }
}

#[test]
fn the_life_of_an_image_is_told() {
    let app = App::start(Options::for_tests().on_redis(1, 1));
    let (events, mut seen) = (listen(&app), Vec::new());

    let category = app.category("shoes", None);
    assert_eq!(next(&events, &mut seen, "category.created")["subject"], json!(category));
    let target = format!("/v1/categories/{category}");
    app.call("PATCH", &target).json(&json!({"name": "boots"})).send().expect(200);
    assert_eq!(next(&events, &mut seen, "category.renamed")["data"]["slug"], "boots");

    let trace = "0af7651916cd43dd8448eb211c80319c";
    let body = json!({"source_url": Source::here().serve(fixtures::png(&fixtures::photo(30, 20))).url});
    let header = format!("00-{trace}-b7ad6b7169203331-01");
    let id = app.call("POST", "/v1/assets").header("traceparent", &header).json(&body).send().expect(202).id();
    for name in ["asset.accepted", "asset.stored", "variant.ready", "asset.ready"] {
        let event = next(&events, &mut seen, name);
        assert!(event["traceparent"].as_str().is_some_and(|parent| parent.contains(trace)), "{event:#}");
    }
    app.ready(&id);
    app.call("PATCH", &format!("/v1/assets/{id}")).json(&json!({"title": "new"})).send().expect(200);
    next(&events, &mut seen, "asset.updated");
    app.delivered(&id, "w=13").expect(200);
    assert_eq!(next(&events, &mut seen, "variant.ready")["data"]["occasion"], "request");
    app.delete(&format!("/v1/assets/{id}")).expect(204);
    next(&events, &mut seen, "asset.deleted");

    let failed = app.ingest(&Source::here().status("404 Not Found").url);
    let event = next(&events, &mut seen, "asset.failed");
    assert_eq!((&event["subject"], &event["data"]["failure"]["code"]), (&json!(failed), &json!("source-status")));

    let other = app.category("other", None);
    app.call("PATCH", &target).json(&json!({"parent": other})).send().expect(200);
    next(&events, &mut seen, "category.moved");
    app.delete(&target).expect(204);
    next(&events, &mut seen, "category.deleted");

    // What holds for each of them.
    let mut by_id = BTreeMap::new();
    for event in &seen {
        for field in ["specversion", "id", "source", "type", "subject", "time", "sequence", "traceparent"] {
            assert!(event[field].as_str().is_some_and(|text| !text.is_empty()), "no {field} in {event:#}");
        }
        assert!(event["data"].is_object(), "{event:#}");
        by_id.insert(event["id"].to_string(), event.clone());
    }
    assert_eq!(by_id.len(), seen.len(), "two events have one id: {seen:#?}");
    let of_asset =
        seen.iter().filter(|event| event["subject"] == json!(id) && event["type"] != "scalehoster.asset.accepted.v1");
    let sequences: Vec<&str> = of_asset.filter_map(|event| event["sequence"].as_str()).collect();
    assert!(sequences.is_sorted(), "{sequences:?}");
}
