//! Assets: what may be said of one, changing, deleting, trying again.

use blackbox::source::Gate;
use blackbox::{Answer, App, Source, fixtures, fresh, poll};
use serde_json::{Value, json};

fn photo() -> Vec<u8> {
    fixtures::jpeg(&fixtures::photo(40, 30))
}

fn patch(id: &str, body: &Value) -> Answer {
    App::shared().call("PATCH", &format!("/v1/assets/{id}")).json(body).send()
}

#[test]
fn is_accepted_at_once_and_read_back() {
    let app = App::shared();
    let category = app.category(&fresh("asset"), None);
    let gate = Gate::closed();
    let offer = Source::here().offer({
        let gate = gate.clone();
        move |peer, _| {
            gate.pass();
            peer.respond("200 OK", &[], &photo())
        }
    });
    let tag = fresh("tag");
    let answer = app
        .post(
            "/v1/assets",
            &json!({
                "source_url": offer.url, "category": category, "title": "A title", "alt": "What it shows",
                "tags": [tag, "b", "a"], "visibility": "public", "metadata": {"from": "here"},
            }),
        )
        .expect(202);
    let asset = answer.json();
    let id = answer.id();
    assert!(["accepted", "downloading"].contains(&asset["state"].as_str().unwrap_or_default()), "{answer}");
    assert!(answer.must_have("location").ends_with(&format!("/v1/assets/{id}")), "{answer}");
    app.shows_nothing_of(&id);
    gate.open();
    let asset = app.ready(&id);
    for (field, expected) in [
        ("title", json!("A title")),
        ("alt", json!("What it shows")),
        ("category", json!(category)),
        ("visibility", json!("public")),
        ("metadata", json!({"from": "here"})),
        ("source_url", json!(offer.url)),
        ("state", json!("ready")),
        ("format", json!("jpeg")),
    ] {
        assert_eq!(asset[field], expected, "{field} of {asset:#}");
    }
    let tags: Vec<_> = asset["tags"].as_array().expect("tags").iter().filter_map(Value::as_str).collect();
    assert_eq!(tags.len(), 3, "{asset:#}");
    assert!(["a", "b", tag.as_str()].iter().all(|tag| tags.contains(tag)), "{asset:#}");
}

#[test]
fn bad_bodies_are_refused_with_a_code_and_a_pointer() {
    let app = App::shared();
    let url = Source::here().serve(photo()).url;
    let long = "x".repeat(10 * 1024);
    let with = |field: &str, value: Value| {
        let mut body = json!({"source_url": url});
        body[field] = value;
        app.post("/v1/assets", &body)
    };
    app.post("/v1/assets", &json!({})).problem(422, "field-invalid");
    app.post("/v1/assets", &json!({"title": "no source"})).problem(422, "field-invalid");
    app.post("/v1/assets", &json!({"source_url": 5})).field("field-invalid", "/source_url");
    app.post("/v1/assets", &json!({"source_url": null})).problem(422, "field-invalid");
    app.post("/v1/assets", &json!({"source_url": url, "url": url})).field("field-unknown", "/url");
    app.post("/v1/assets", &json!([url])).problem(422, "field-invalid");
    with("title", json!(1)).field("field-invalid", "/title");
    with("title", json!(long)).field("field-invalid", "/title");
    with("title", json!("a\u{0}b")).field("field-invalid", "/title");
    with("alt", json!({})).field("field-invalid", "/alt");
    with("alt", json!(long)).field("field-invalid", "/alt");
    with("alt", json!("\u{1b}[31m")).field("field-invalid", "/alt");
    with("tags", json!("a,b")).field("field-invalid", "/tags");
    with("tags", json!([1])).problem(422, "field-invalid");
    with("tags", json!([""])).problem(422, "field-invalid");
    with("tags", json!([long])).problem(422, "field-invalid");
    with("tags", json!(["a\u{7}b"])).problem(422, "field-invalid");
    let many: Vec<String> = (0..2000).map(|n| format!("tag{n}")).collect();
    with("tags", json!(many)).field("field-invalid", "/tags");
    with("metadata", json!([])).field("field-invalid", "/metadata");
    with("metadata", json!({"a": {"b": 1}})).problem(422, "field-invalid");
    with("metadata", json!({"a": long})).problem(422, "field-invalid");
    with("metadata", json!({long.as_str(): "a"})).problem(422, "field-invalid");
    with("visibility", json!("secret")).field("field-invalid", "/visibility");
    with("visibility", json!("private")).problem(501, "visibility-unsupported");
    with("category", json!(3)).field("field-invalid", "/category");
    with("category", json!("01h00000000000000000000000")).problem(422, "category-unknown");
    with("state", json!("ready")).field("field-unknown", "/state");
    let call = app.direct("POST", "/v1/assets").header("content-type", "application/json");
    call.clone().body("{\"source_url\":").send().problem(400, "json-invalid");
    call.clone().body(json!({"source_url": "x".repeat(2_000_000)}).to_string()).send().problem(413, "body-too-large");
    call.chunked(json!({"source_url": "x".repeat(2_000_000)}).to_string()).send().problem(413, "body-too-large");
}

#[test]
fn unknown_ids_are_not_found() {
    let app = App::shared();
    for id in ["nope", "01h00000000000000000000000", "01H00000000000000000000000", "%2e%2e", "a%2fb"] {
        app.get(&format!("/v1/assets/{id}")).problem(404, "asset-not-found");
        app.get(&format!("/v1/assets/{id}/events")).problem(404, "asset-not-found");
        app.delete(&format!("/v1/assets/{id}")).problem(404, "asset-not-found");
        app.call("POST", &format!("/v1/assets/{id}/retry")).send().problem(404, "asset-not-found");
        patch(id, &json!({"title": "x"})).problem(404, "asset-not-found");
    }
}

#[test]
fn is_changed_and_so_is_its_image() {
    let app = App::shared();
    let (old, new) = (app.category(&fresh("old"), None), app.category(&fresh("new"), None));
    let (tag_old, tag_new) = (fresh("before"), fresh("after"));
    let id = app.image_with(&[("title", "old"), ("category", &old), ("tags", &tag_old)], &photo());
    app.until_listed(&format!("tag={tag_old}"), &[&id]);
    let change = json!({"title": "new", "alt": "text", "tags": [tag_new], "category": new, "metadata": {"k": "v"}});
    let asset = patch(&id, &change).expect(200).json();
    for field in ["title", "alt", "tags", "category", "metadata"] {
        assert_eq!(asset[field], change[field], "{field} of {asset:#}");
    }
    app.until_listed(&format!("category={new}"), &[&id]);
    app.until_listed(&format!("category={old}"), &[]);
    app.until_listed(&format!("tag={tag_new}"), &[&id]);
    app.until_listed(&format!("tag={tag_old}"), &[]);
    let image = poll::until("the image follows", || {
        let image = app.get(&format!("/v1/images/{id}")).expect(200).json();
        (image["title"] == "new").then_some(image)
    });
    assert_eq!(image["alt"], "text", "{image:#}");
    // What is not named stays, what is null goes.
    let asset = patch(&id, &json!({"title": null})).expect(200).json();
    assert_eq!((&asset["title"], &asset["alt"]), (&Value::Null, &json!("text")), "{asset:#}");
    patch(&id, &json!({"category": null})).expect(200);
    app.until_listed(&format!("category={new}"), &[]);
    app.delivered(&id, "original").expect(200);
}

#[test]
fn bad_changes_are_refused_and_change_nothing() {
    let app = App::shared();
    let id = app.image_with(&[("title", "steady")], &photo());
    let path = format!("/v1/assets/{id}");
    let etag = app.get(&path).must_have("etag").to_owned();
    patch(&id, &json!({"title": 5})).field("field-invalid", "/title");
    patch(&id, &json!({"title": "t".repeat(10_240)})).field("field-invalid", "/title");
    patch(&id, &json!({"source_url": "http://example.org/"})).field("field-unknown", "/source_url");
    patch(&id, &json!({"state": "failed"})).field("field-unknown", "/state");
    patch(&id, &json!({"category": "01h00000000000000000000000"})).problem(422, "category-unknown");
    patch(&id, &json!({"visibility": "private"})).problem(501, "visibility-unsupported");
    patch(&id, &json!([])).problem(422, "field-invalid");
    let call = app.call("PATCH", &path).header("content-type", "application/json").body("nope");
    call.send().problem(400, "json-invalid");
    let asset = app.get(&path).expect(200);
    assert_eq!((asset.must_have("etag"), &asset.json()["title"]), (etag.as_str(), &json!("steady")));
}

#[test]
fn stale_conditions_are_refused() {
    let app = App::shared();
    let id = app.image(&photo());
    let path = format!("/v1/assets/{id}");
    let etag = app.get(&path).must_have("etag").to_owned();
    let change = |etag: &str, title: &str| {
        app.call("PATCH", &path).header("if-match", etag).json(&json!({"title": title})).send()
    };
    let changed = change(&etag, "first").expect(200).must_have("etag").to_owned();
    assert_ne!(etag, changed);
    change(&etag, "second").problem(412, "precondition-failed");
    app.call("DELETE", &path).header("if-match", &etag).send().problem(412, "precondition-failed");
    assert_eq!(app.asset(&id)["title"], "first");
    let current = app.get(&path).must_have("etag").to_owned();
    change(&current, "third").expect(200);
    let current = app.get(&path).must_have("etag").to_owned();
    app.call("DELETE", &path).header("if-match", &current).send().expect(204);
}

#[test]
fn is_deleted_everywhere() {
    let app = App::shared();
    let category = app.category(&fresh("deleting"), None);
    let tag = fresh("deleting");
    let id = app.image_with(&[("category", &category), ("tags", &tag)], &photo());
    app.delivered(&id, "w=17").expect(200);
    app.until_listed(&format!("category={category}"), &[&id]);
    app.delete(&format!("/v1/assets/{id}")).expect(204);
    app.get(&format!("/v1/assets/{id}")).problem(410, "asset-deleted");
    app.delete(&format!("/v1/assets/{id}")).problem(410, "asset-deleted");
    patch(&id, &json!({"title": "x"})).problem(410, "asset-deleted");
    app.call("POST", &format!("/v1/assets/{id}/retry")).send().problem(410, "asset-deleted");
    app.until_listed(&format!("category={category}"), &[]);
    app.until_listed(&format!("tag={tag}"), &[]);
    poll::until("the image is gone", || (app.get(&format!("/v1/images/{id}")).status == 410).then_some(()));
    app.get(&format!("/v1/images/{id}")).problem(410, "image-deleted");
    for transform in ["original", "thumb", "w=17", "w=18"] {
        app.delivered(&id, transform).problem(410, "image-deleted");
    }
    app.delete(&format!("/v1/categories/{category}")).expect(204);
}

#[test]
fn of_two_deletes_at_once_both_are_answered() {
    let app = App::shared();
    let id = app.image(&photo());
    let path = format!("/v1/assets/{id}");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| app.delete(&path).status)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(statuses.contains(&204), "{statuses:?}");
    assert!(statuses.iter().all(|status| [204, 410].contains(status)), "{statuses:?}");
    app.get(&path).problem(410, "asset-deleted");
}

#[test]
fn is_deleted_before_it_is_ready() {
    let app = App::shared();
    let gate = Gate::closed();
    let offer = Source::here().offer({
        let gate = gate.clone();
        move |peer, _| {
            gate.pass();
            peer.respond("200 OK", &[], &photo())
        }
    });
    let id = app.ingest(&offer.url);
    poll::until("the source is asked", || (offer.n_hits() > 0).then_some(()));
    app.delete(&format!("/v1/assets/{id}")).expect(204);
    gate.open();
    // The next one goes the whole way after the deleted one could have.
    app.image(&photo());
    app.get(&format!("/v1/assets/{id}")).problem(410, "asset-deleted");
    assert!([404, 410].contains(&app.get(&format!("/v1/images/{id}")).status));
    assert!([404, 410].contains(&app.delivered(&id, "original").status));
}

#[test]
fn a_failed_one_is_tried_again_when_asked() {
    let app = App::shared();
    let offer = Source::here().offer(|peer, number| {
        if number == 1 { peer.respond("404 Not Found", &[], b"") } else { peer.respond("200 OK", &[], &photo()) }
    });
    let id = app.ingest(&offer.url);
    assert_eq!(app.failure(&id), "source-status");
    let answer = app.call("POST", &format!("/v1/assets/{id}/retry")).send().expect(202);
    assert_eq!(answer.id(), id);
    let asset = app.ready(&id);
    assert_eq!((&asset["error"], offer.n_hits()), (&Value::Null, 2), "{asset:#}");
    app.delivered(&id, "original").expect(200);
    app.call("POST", &format!("/v1/assets/{id}/retry")).send().problem(409, "asset-not-failed");
}

#[test]
fn a_retry_that_fails_again_says_why_again() {
    let app = App::shared();
    let offer = Source::here().offer(|peer, number| {
        if number == 1 {
            peer.respond("404 Not Found", &[], b"")
        } else {
            peer.respond("200 OK", &[], b"not a picture")
        }
    });
    let id = app.ingest(&offer.url);
    assert_eq!(app.failure(&id), "source-status");
    app.call("POST", &format!("/v1/assets/{id}/retry")).send().expect(202);
    poll::until("the second reason", || {
        (app.settled(&id)["error"]["code"] == "image-format-unsupported").then_some(())
    });
}

#[test]
fn one_that_is_under_way_is_not_tried_again() {
    let app = App::shared();
    let gate = Gate::closed();
    let offer = Source::here().offer({
        let gate = gate.clone();
        move |peer, _| {
            gate.pass();
            peer.respond("200 OK", &[], &photo())
        }
    });
    let id = app.ingest(&offer.url);
    app.call("POST", &format!("/v1/assets/{id}/retry")).send().problem(409, "asset-not-failed");
    gate.open();
    app.ready(&id);
}
