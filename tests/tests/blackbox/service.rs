//! What belongs to no context: health, statistics, routes, methods.

use blackbox::App;
use serde_json::json;

#[test]
fn is_healthy_and_counts() {
    let app = App::shared();
    app.get("/healthz").expect(200);
    let before = app.stat("/renders");
    app.image(&blackbox::fixtures::jpeg(&blackbox::fixtures::photo(50, 40)));
    assert!(app.stat("/renders") >= before);
    let stats = app.get("/v1/stats").expect(200);
    assert!(stats.must_have("content-type").starts_with("application/json"), "{stats}");
}

#[test]
fn paths_that_lead_nowhere_are_named() {
    let app = App::shared();
    for path in [
        "/v1/categories/a/b/c",
        "/v1/assets/a/b",
        "/v1/images/a/b",
        "/v1/presets/a/b",
        "/i/a",
        "/i/a/b/c",
        "/v1/assets/batch/x",
    ] {
        app.get(path).problem(404, "not-found");
    }
    // These belong to no component at all, so it is the host that answers.
    for path in ["/", "/nothing", "/v2/assets"] {
        assert_eq!(app.get(path).status, 404, "{path}");
    }
}

#[test]
fn methods_that_a_path_does_not_take_are_refused_with_those_that_it_does() {
    let app = App::shared();
    let id = app.image(&blackbox::fixtures::jpeg(&blackbox::fixtures::photo(30, 20)));
    for (method, path, allowed) in [
        ("PUT", "/v1/categories", &["GET", "POST"][..]),
        ("POST", "/v1/categories/01h00000000000000000000000", &["GET", "PATCH", "DELETE"]),
        ("DELETE", "/v1/assets", &["POST"]),
        ("PUT", &format!("/v1/assets/{id}"), &["GET", "PATCH", "DELETE"]),
        ("POST", &format!("/v1/assets/{id}/events"), &["GET"]),
        ("GET", &format!("/v1/assets/{id}/retry"), &["POST"]),
        ("POST", "/v1/images", &["GET"]),
        ("DELETE", &format!("/v1/images/{id}"), &["GET"]),
        ("POST", "/v1/presets", &["GET"]),
        ("POST", &format!("/i/{id}/original"), &["GET", "HEAD"]),
        ("DELETE", "/healthz", &["GET"]),
        ("POST", "/v1/stats", &["GET"]),
        ("PURGE", "/v1/categories", &["GET", "POST"]),
    ] {
        let answer = app.call(method, path).send();
        answer.problem(405, "method-not-allowed");
        let named: Vec<&str> = answer.must_have("allow").split(',').map(str::trim).collect();
        for method in allowed {
            assert!(named.contains(method), "{method} is missing in {answer}");
        }
    }
}

#[test]
fn a_batch_is_no_asset() {
    let answer = App::shared().get("/v1/assets/batch");
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.must_have("allow"), "POST");
}

#[test]
fn parameters_that_a_path_does_not_know_are_refused_by_name() {
    let app = App::shared();
    let category = app.category(&blackbox::fresh("params"), None);
    for path in [
        "/v1/categories?page=2",
        "/v1/images?Limit=2",
        "/v1/images?category_id=x",
        &format!("/v1/categories/{category}/tree?levels=2"),
        &format!("/v1/categories/{category}?x=1"),
        "/v1/presets?limitt=1",
    ] {
        let problem = app.get(path).problem(400, "parameter-unknown");
        let name = path.split(['?', '=']).nth(1).expect("a parameter");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(name)), "{name} in {problem}");
    }
}

#[test]
fn each_problem_has_a_request_id_of_its_own_and_its_path() {
    let app = App::shared();
    let ask = || app.get("/v1/assets/nope").problem(404, "asset-not-found");
    let (first, second) = (ask(), ask());
    assert_ne!(first["request_id"], second["request_id"]);
    assert_eq!(first["instance"], "/v1/assets/nope");
    assert!(first["type"].is_string(), "{first}");
}

#[test]
fn no_answer_shows_what_is_inside() {
    let app = App::shared();
    for body in [json!({"name": 1}), json!(null), json!({"name": "x".repeat(200_000)})] {
        let answer = app.post("/v1/categories", &body);
        let text = String::from_utf8_lossy(&answer.body).to_lowercase();
        for inside in ["panicked", "src/", ".rs:", "sqlite", "spin_sdk", "wasi:", "unwrap"] {
            assert!(!text.contains(inside), "{inside:?} in {answer}");
        }
        assert!((400..500).contains(&answer.status), "{answer}");
    }
}
