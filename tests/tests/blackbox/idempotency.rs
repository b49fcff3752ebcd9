//! `Idempotency-Key`: sent twice, done once.

use blackbox::{Answer, App, Source, fixtures, fresh};
use serde_json::{Value, json};

fn post(path: &str, key: &str, body: &Value) -> Answer {
    App::shared().call("POST", path).header("idempotency-key", key).json(body).send()
}

#[test]
fn the_same_request_gets_the_same_answer() {
    let app = App::shared();
    let key = fresh("key");
    let offer = Source::here().serve(fixtures::jpeg(&fixtures::photo(20, 20)));
    let body = json!({"source_url": offer.url});
    let first = post("/v1/assets", &key, &body).expect(202);
    app.ready(&first.id());
    let second = post("/v1/assets", &key, &body).expect(202);
    assert_eq!(first.json(), second.json());
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(first.header("content-type"), second.header("content-type"));
    assert_eq!(offer.n_hits(), 1);
    let other = post("/v1/assets", &fresh("key"), &body).expect(202);
    assert_ne!(first.id(), other.id());
}

#[test]
fn another_request_with_the_key_is_refused() {
    let key = fresh("key");
    let name = fresh("named once");
    let first = post("/v1/categories", &key, &json!({"name": name})).expect(201);
    let again = post("/v1/categories", &key, &json!({"name": name})).expect(201);
    assert_eq!(first.id(), again.id());
    let other = fresh("named otherwise");
    post("/v1/categories", &key, &json!({"name": other})).problem(422, "idempotency-key-reused");
    // Refused means not made: the name is free.
    App::shared().category(&other, None);
}

#[test]
fn an_upload_is_done_once() {
    let app = App::shared();
    let bytes = fixtures::jpeg(&fixtures::photo(20, 20));
    let key = fresh("key");
    let send = |bytes: &[u8]| {
        let call = app.call("POST", "/v1/assets").header("idempotency-key", &key).header("content-type", "image/jpeg");
        call.body(bytes).send()
    };
    let first = send(&bytes).expect(202);
    assert_eq!(send(&bytes).expect(202).id(), first.id());
    send(&fixtures::jpeg(&fixtures::photo(20, 20))).problem(422, "idempotency-key-reused");
    app.ready(&first.id());
}

#[test]
fn a_retry_is_done_once() {
    let app = App::shared();
    let offer = Source::here().status("404 Not Found");
    let id = app.ingest(&offer.url);
    app.failure(&id);
    let key = fresh("key");
    let retry = || app.call("POST", &format!("/v1/assets/{id}/retry")).header("idempotency-key", &key).send();
    retry().expect(202);
    app.failure(&id);
    // Without the memory of the key this would be another attempt.
    retry().expect(202);
    app.failure(&id);
    assert_eq!(offer.n_hits(), 2);
}

#[test]
fn of_many_at_once_one_is_done() {
    let app = App::shared();
    for _ in 0..3 {
        let key = fresh("key");
        let tag = fresh("once");
        let offer = Source::here().serve(fixtures::jpeg(&fixtures::photo(20, 20)));
        let body = json!({"source_url": offer.url, "tags": [tag]});
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| post("/v1/assets", &key, &body))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        let mut ids: Vec<String> = Vec::new();
        for answer in &answers {
            match answer.status {
                202 => ids.push(answer.id()),
                _ => drop(answer.problem(409, "idempotency-in-progress")),
            }
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        app.ready(&ids[0]);
        app.until_listed(&format!("tag={tag}"), &[&ids[0]]);
        assert_eq!(offer.n_hits(), 1);
        assert_eq!(post("/v1/assets", &key, &body).expect(202).id(), ids[0]);
    }
}

#[test]
fn a_refused_request_does_not_use_up_its_key() {
    let key = fresh("key");
    let name = fresh("second try");
    post("/v1/categories", &key, &json!({"name": ""})).problem(422, "field-invalid");
    post("/v1/categories", &key, &json!({"name": name})).expect(201);
}

#[test]
fn keys_that_are_none_are_refused() {
    let app = App::shared();
    let body = json!({"name": fresh("keyed")});
    for key in ["", " ", &"k".repeat(256), &"k".repeat(10_000), "ключ", "a\tb"] {
        post("/v1/categories", key, &body).problem(400, "idempotency-key-invalid");
    }
    let twice = app.call("POST", "/v1/categories").header("idempotency-key", "a").header("idempotency-key", "b");
    twice.json(&body).send().problem(400, "idempotency-key-invalid");
    let longest = fresh(&"k".repeat(200));
    post("/v1/categories", &longest, &body).expect(201);
}
