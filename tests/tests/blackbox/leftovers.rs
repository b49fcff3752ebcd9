//! Nothing half-stored: after every refusal the statistics read as before.

use blackbox::app::Options;
use blackbox::multipart::Form;
use blackbox::{App, fixtures, poll};
use serde_json::{Value, json};

/// The statistics that only move when something is stored.
fn stored(app: &App) -> Value {
    let mut stats = app.get("/v1/stats").expect(200).json();
    let object = stats.as_object_mut().expect("an object");
    object.remove("renders");
    stats
}

#[test]
fn refusals_leave_nothing() {
    let app = App::start(Options::for_tests().variable("max_source_bytes", 100_000));
    let category = app.category("kept", None);
    let image = app.image(&fixtures::jpeg(&fixtures::photo(30, 20)));
    poll::until("the queues are empty", || (app.stat("/queue_depth") == 0).then_some(()));
    let before = stored(&app);

    let whole = fixtures::jpeg(&fixtures::photo(100, 80));
    app.upload(b"").problem(422, "image-empty");
    app.upload(b"<html>").problem(415, "image-format-unsupported");
    app.upload(&fixtures::claiming_png(100_000, 100_000)).problem(422, "image-too-many-pixels");
    app.upload(&fixtures::animated_gif(4, 4, 257)).problem(422, "image-too-many-frames");
    let post = || app.direct("POST", "/v1/assets").header("content-type", "image/jpeg");
    post().body(vec![0xFF; 200_000]).send().problem(413, "body-too-large");
    post().chunked(vec![0xFF; 300_000]).send().problem(413, "body-too-large");
    app.upload_with(&[("category", "01h00000000000000000000000")], &whole).problem(422, "category-unknown");
    app.upload_with(&[("colour", "red")], &whole).problem(422, "field-unknown");
    // The field to refuse comes after the file has been read.
    let late = Form::new().file("image/jpeg", &whole).field("title", &"t".repeat(20_000));
    late.into(app.call("POST", "/v1/assets")).send().problem(422, "field-invalid");
    let late = Form::new().file("image/jpeg", &whole).field("visibility", "private");
    late.into(app.call("POST", "/v1/assets")).send().problem(501, "visibility-unsupported");
    app.post("/v1/assets", &json!({"source_url": "file:///etc/passwd"}));
    app.post("/v1/assets", &json!({"source_url": "http://127.0.0.1/", "tags": 1})).problem(422, "field-invalid");
    app.post("/v1/categories", &json!({"name": ""})).problem(422, "field-invalid");
    app.post("/v1/categories", &json!({"name": "kept"})).problem(409, "category-duplicate");
    app.post("/v1/categories", &json!({"name": "x", "parent": image})).problem(422, "category-parent-unknown");
    app.call("PATCH", &format!("/v1/categories/{category}")).json(&json!({"parent": category})).send();
    app.call("PUT", "/v1/presets/bad").json(&json!({"transform": "w=0"})).send();
    app.delivered(&image, "w=0").problem(400, "transform-invalid");
    app.delivered(&image, "w=8192,h=8192,fit=contain").problem(422, "output-too-large");
    assert_eq!(stored(&app), before);
    app.delivered(&image, "original").expect(200);
}
