//! Presets: transforms with a name.

use blackbox::{Answer, App, fixtures, fresh, poll};
use serde_json::{Value, json};

fn put(name: &str, body: &Value) -> Answer {
    App::shared().call("PUT", &format!("/v1/presets/{name}")).json(body).send()
}

/// The presets by name, whatever else a list of them holds.
fn listed() -> Vec<(String, String)> {
    let list = App::shared().get("/v1/presets?limit=100").expect(200).json();
    let items = list["items"].as_array().unwrap_or_else(|| panic!("no items in {list:#}"));
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{list:#}")).to_owned();
    items.iter().map(|item| (text(&item["name"]), text(&item["transform"]))).collect()
}

#[test]
fn four_exist_from_the_start() {
    let names: Vec<String> = listed().into_iter().map(|(name, _)| name).collect();
    for name in ["thumb", "small", "medium", "large"] {
        assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
    }
    let app = App::shared();
    let id = app.image(&fixtures::jpeg(&fixtures::photo(2000, 1500)));
    for (preset, longest) in [("thumb", 160), ("small", 320), ("medium", 800), ("large", 1600)] {
        let (width, height) = app.delivered(&id, preset).picture().size();
        assert_eq!(width.max(height), longest, "{preset}");
    }
}

#[test]
fn is_made_used_and_deleted() {
    let app = App::shared();
    let id = app.image(&fixtures::jpeg(&fixtures::photo(90, 60)));
    let name = fresh("square");
    app.delivered(&id, &name).problem(404, "preset-not-found");
    let answer = put(&name, &json!({"transform": "h=30,fit=cover,w=30"}));
    assert!([200, 201].contains(&answer.status), "{answer}");
    assert_eq!(answer.json()["name"], name.as_str(), "{answer}");
    assert_eq!(app.delivered(&id, &name).picture().size(), (30, 30));
    assert!(listed().iter().any(|(known, _)| *known == name));
    let image = app.get(&format!("/v1/images/{id}")).expect(200).json();
    let url = image["urls"][&name].as_str().unwrap_or_else(|| panic!("{name} in {image:#}")).to_owned();
    assert_eq!(app.get(path(&url)).picture().size(), (30, 30));

    put(&name, &json!({"transform": "w=20"})).expect(200);
    poll::until("the preset has changed", || (app.delivered(&id, &name).picture().size() == (20, 13)).then_some(()));
    let image = app.get(&format!("/v1/images/{id}")).expect(200).json();
    assert_ne!(image["urls"][&name], url.as_str(), "a changed preset is cached forever under its old URL");

    app.delete(&format!("/v1/presets/{name}")).expect(204);
    app.delivered(&id, &name).problem(404, "preset-not-found");
    app.delete(&format!("/v1/presets/{name}")).problem(404, "preset-not-found");
    assert!(listed().iter().all(|(known, _)| *known != name));
    let image = app.get(&format!("/v1/images/{id}")).expect(200).json();
    assert_eq!(image["urls"][&name], Value::Null, "{image:#}");
}

/// The path of a URL, whether it is whole or a path already.
fn path(url: &str) -> &str {
    url.find("/i/").map_or(url, |at| &url[at..])
}

#[test]
fn bad_ones_are_refused() {
    for (body, code) in [
        (json!({"transform": "w=0"}), "field-invalid"),
        (json!({"transform": "w=10,w=20"}), "field-invalid"),
        (json!({"transform": ""}), "field-invalid"),
        (json!({"transform": "original"}), "field-invalid"),
        (json!({"transform": "thumb"}), "field-invalid"),
        (json!({"transform": "w=10,f=avif,lossless=1"}), "field-invalid"),
        (json!({"transform": 5}), "field-invalid"),
        (json!({}), "field-invalid"),
        (json!({"transform": "w=10", "ttl": 1}), "field-unknown"),
        (json!([]), "field-invalid"),
    ] {
        let answer = put(&fresh("bad"), &body);
        assert!([400, 422].contains(&answer.status), "{body}: {answer}");
        answer.problem(answer.status, code);
    }
    let long_name = "n".repeat(65);
    for name in [
        "Upper",
        "with%20space",
        "w",
        "width",
        "original",
        "1st",
        "-x",
        "a_b",
        "a.b",
        "a=b",
        "a,b",
        "%C3%A4",
        &long_name,
    ] {
        put(name, &json!({"transform": "w=10"})).problem(422, "preset-name-invalid");
    }
    let app = App::shared();
    let call = app.call("PUT", &format!("/v1/presets/{}", fresh("bad"))).header("content-type", "application/json");
    call.clone().body("{").send().problem(400, "json-invalid");
    let text = app.call("PUT", &format!("/v1/presets/{}", fresh("bad"))).header("content-type", "text/plain");
    text.body("w=10").send().problem(415, "content-type-unsupported");
}
