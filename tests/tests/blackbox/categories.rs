//! Categories: making, reading, listing, and every way to get that wrong.

use blackbox::{Answer, App, api, fresh};
use serde_json::{Value, json};

fn create(body: &Value) -> Answer {
    App::shared().post("/v1/categories", body)
}

#[test]
fn is_created_and_read_back() {
    let app = App::shared();
    let name = fresh("Blue Birds");
    let answer = create(&json!({"name": name, "description": "all of them"})).expect(201);
    let made = answer.json();
    assert_eq!(made["name"], name);
    assert_eq!(made["description"], "all of them");
    assert_eq!(made["slug"], name.to_lowercase().replace(' ', "-"));
    assert_eq!(made["parent"], Value::Null);
    let id = made["id"].as_str().expect("an id");
    assert_eq!(id, id.to_lowercase());
    assert_eq!(id.len(), 26, "a ULID");
    assert!(answer.must_have("location").ends_with(&format!("/v1/categories/{id}")), "{answer}");

    let read = app.get(&format!("/v1/categories/{id}")).expect(200);
    assert_eq!(read.json()["id"], made["id"]);
    assert_eq!(read.header("etag"), answer.header("etag"));
    assert!(read.must_have("etag").starts_with('"'), "{read}");
    let created_at = made["created_at"].as_str().expect("a time");
    assert!(created_at.ends_with('Z') && created_at.contains('T'), "{created_at}");
}

#[test]
fn knows_its_path() {
    let app = App::shared();
    let (a, b, c) = (fresh("Alpha"), fresh("Beta"), fresh("Gamma"));
    let root = app.category(&a, None);
    let middle = app.category(&b, Some(&root));
    let leaf = app.category(&c, Some(&middle));
    let path = app.get(&format!("/v1/categories/{leaf}")).expect(200).json()["path"].clone();
    let text = path.to_string();
    let places: Vec<_> = [&a, &b, &c]
        .iter()
        .map(|name| text.to_lowercase().find(&name.to_lowercase()).unwrap_or_else(|| panic!("{name} in {text}")))
        .collect();
    assert!(places.is_sorted(), "from the root down: {text}");
}

#[test]
fn bad_bodies_are_refused_with_a_code_and_a_pointer() {
    let ten_kilobytes = "n".repeat(10 * 1024);
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"name": ""}), "/name"),
        (json!({"name": "   "}), "/name"),
        (json!({"name": ten_kilobytes}), "/name"),
        (json!({"name": "a\u{0}b"}), "/name"),
        (json!({"name": "a\nb"}), "/name"),
        (json!({"name": "a\u{7f}b"}), "/name"),
        (json!({"name": "a\u{85}b"}), "/name"),
        (json!({"name": 7}), "/name"),
        (json!({"name": null}), "/name"),
        (json!({"name": ["x"]}), "/name"),
        (json!({"name": "x", "description": 1}), "/description"),
        (json!({"name": "x", "description": "d".repeat(100_000)}), "/description"),
        (json!({"name": "x", "parent": 5}), "/parent"),
        (json!([]), ""),
        (json!("name"), ""),
    ] {
        let answer = create(&body);
        let problem = answer.problem(422, "field-invalid");
        let found = problem["errors"][0]["pointer"].as_str().expect("checked above");
        // A missing field may be pointed at itself or at the object that lacks it.
        let is_right = found == pointer || pointer.is_empty() && found == "/name";
        assert!(is_right, "{found:?} is blamed instead of {pointer:?}: {answer}");
    }
}

#[test]
fn unknown_fields_are_refused_by_name() {
    create(&json!({"name": "x", "colour": "red"})).field("field-unknown", "/colour");
    create(&json!({"name": "x", "slug": "y"})).field("field-unknown", "/slug");
    create(&json!({"Name": "x"})).field("field-unknown", "/Name");
    create(&json!({"name": "x", "a/b~c": 1})).field("field-unknown", "/a~1b~0c");
}

#[test]
fn what_is_not_json_is_refused() {
    let app = App::shared();
    let post = |body: &[u8]| app.direct("POST", "/v1/categories").header("content-type", "application/json").body(body);
    for body in [
        &b""[..],
        b"{",
        b"{\"name\":}",
        b"{\"name\": \"x\"} trailing",
        b"{'name': 'x'}",
        b"name=x",
        b"\xFF\xFE",
        b"{\"name\": \"\xC3\x28\"}",
        b"{\"name\": \"\\ud800\"}",
    ] {
        post(body).send().problem(400, "json-invalid");
    }
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let answer = post(&deep).send();
    assert!([400, 413, 422].contains(&answer.status), "{answer}");
}

#[test]
fn other_types_of_body_are_refused() {
    let app = App::shared();
    for media_type in ["text/plain", "application/xml", "image/png", "application/jsonx"] {
        let call = app.call("POST", "/v1/categories").header("content-type", media_type).body("{\"name\": \"x\"}");
        call.send().problem(415, "content-type-unsupported");
    }
    let name = fresh("charset");
    let call = app.call("POST", "/v1/categories").header("content-type", "application/json; charset=utf-8");
    call.body(json!({"name": name}).to_string()).send().expect(201);
}

#[test]
fn a_body_over_the_limit_is_refused_with_and_without_its_length() {
    let app = App::shared();
    let body = json!({"name": "x".repeat(3_000_000)}).to_string();
    let call = app.direct("POST", "/v1/categories").header("content-type", "application/json");
    let told = call.clone().body(body.clone()).send();
    let problem = told.problem(413, "body-too-large");
    assert!(problem["limit"].is_u64() && problem["actual"] == body.len(), "{told}");
    let untold = call.clone().chunked(body).send();
    assert!(untold.problem(413, "body-too-large")["limit"].is_u64(), "{untold}");
    // Only announced, never sent: the announcement is enough.
    call.declared(50_000_000_000, "{").send().problem(413, "body-too-large");
}

#[test]
fn a_parent_has_to_exist() {
    for parent in ["01h00000000000000000000000", "nope", "", "../x", "01H00000000000000000000000"] {
        let answer = create(&json!({"name": fresh("orphan"), "parent": parent}));
        let problem = answer.problem(422, answer.json()["code"].as_str().unwrap_or_default());
        let code = problem["code"].as_str().unwrap_or_default();
        assert!(matches!(code, "category-parent-unknown" | "field-invalid"), "{answer}");
    }
    let unknown = json!({"name": fresh("orphan"), "parent": "01h00000000000000000000000"});
    create(&unknown).problem(422, "category-parent-unknown");
}

#[test]
fn a_name_is_taken_once_below_a_parent() {
    let app = App::shared();
    let name = fresh("Twice");
    let first = app.category(&name, None);
    create(&json!({"name": name})).problem(409, "category-duplicate");
    create(&json!({"name": name.to_uppercase()})).problem(409, "category-duplicate");
    create(&json!({"name": format!("  {name} ")})).problem(409, "category-duplicate");
    let below = app.category(&name, Some(&first));
    create(&json!({"name": name, "parent": first})).problem(409, "category-duplicate");
    app.delete(&format!("/v1/categories/{below}")).expect(204);
    app.category(&name, Some(&first));
}

#[test]
fn of_many_at_once_with_one_name_one_is_made() {
    let app = App::shared();
    let name = fresh("Race");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let post = || app.post("/v1/categories", &json!({"name": name})).status;
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(post)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(statuses.iter().filter(|&&status| status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
}

#[test]
fn names_in_any_script_get_a_slug() {
    let app = App::shared();
    for name in ["Größe & Maß", "日本語", "Ünïcödé", "a/b", "100%", "..", "🦜"] {
        let answer = app.post("/v1/categories", &json!({"name": format!("{name} {}", fresh("script"))})).expect(201);
        let made = answer.json();
        let slug = made["slug"].as_str().expect("a slug");
        assert!(!slug.is_empty() && !slug.contains(['/', ' ', '%', '?', '#']), "{slug:?} of {name:?}");
        app.get(answer.must_have("location")).expect(200);
    }
}

#[test]
fn unknown_ids_are_not_found() {
    let app = App::shared();
    let overlong = "x".repeat(2000);
    for id in ["nope", "01h00000000000000000000000", "01H00000000000000000000000", "%2e%2e", "a%00b", &overlong] {
        let path = format!("/v1/categories/{id}");
        for method in ["GET", "DELETE"] {
            app.direct(method, &path).send().problem(404, "category-not-found");
        }
        app.direct("PATCH", &path).json(&json!({"name": "x"})).send().problem(404, "category-not-found");
    }
}

#[test]
fn children_come_in_pages() {
    let app = App::shared();
    let parent = app.category(&fresh("pages"), None);
    let made: Vec<String> = (0..7).map(|n| app.category(&format!("child {n}"), Some(&parent))).collect();
    let target = format!("/v1/categories?parent={parent}&limit=3");
    let pages = app.pages(&target);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let mut listed = pages.concat();
    listed.sort();
    let mut expected = made.clone();
    expected.sort();
    assert_eq!(listed, expected);

    let first = app.get(&target).expect(200);
    let link = first.must_have("link");
    assert!(link.contains("rel=\"next\""), "{first}");
    let next = link.split(['<', '>']).nth(1).expect("a link has a target");
    let path = next.find("/v1/").map(|at| &next[at..]).expect("a path of ours");
    assert_eq!(api::ids(&app.get(path).expect(200).json()), pages[1]);

    let last = app.get(&format!("/v1/categories?parent={parent}&limit=100")).expect(200);
    assert_eq!(last.json()["next_cursor"], Value::Null);
    assert!(last.header("link").is_none_or(|link| !link.contains("next")), "{last}");
    assert!(app.pages("/v1/categories?limit=100").concat().contains(&parent), "the roots are listed without a parent");
}

#[test]
fn children_of_nobody_are_not_found() {
    let app = App::shared();
    app.get("/v1/categories?parent=01h00000000000000000000000").problem(404, "category-not-found");
}

#[test]
fn a_tree_is_as_deep_as_asked() {
    let app = App::shared();
    let root = app.category(&fresh("tree"), None);
    let left = app.category("left", Some(&root));
    let right = app.category("right", Some(&root));
    let below = app.category("below", Some(&left));
    let tree = |depth: &str| app.get(&format!("/v1/categories/{root}/tree{depth}")).expect(200).json();
    let whole = tree("").to_string();
    assert!([&root, &left, &right, &below].iter().all(|id| whole.contains(id.as_str())), "{whole}");
    let shallow = tree("?depth=1").to_string();
    assert!([&left, &right].iter().all(|id| shallow.contains(id.as_str())), "{shallow}");
    assert!(!shallow.contains(&below), "{shallow}");
    for depth in ["-1", "abc", "", "1.5", "99999999999999999999"] {
        app.get(&format!("/v1/categories/{root}/tree?depth={depth}")).problem(400, "parameter-invalid");
    }
    app.get("/v1/categories/01h00000000000000000000000/tree").problem(404, "category-not-found");
}

#[test]
fn a_tree_of_a_hundred_levels_is_refused_at_the_limit() {
    let app = App::shared();
    let mut parent = app.category(&fresh("deep"), None);
    let mut n_levels = 1_u64;
    let refusal = loop {
        let answer = create(&json!({"name": "deeper", "parent": parent}));
        if answer.status != 201 {
            break answer;
        }
        parent = answer.id();
        n_levels += 1;
        assert!(n_levels <= 100, "nothing stops it");
    };
    refusal.over_limit(422, "category-too-deep", 32, Some(33));
    assert_eq!(n_levels, 32);
    let leaf = app.get(&format!("/v1/categories/{parent}")).expect(200).json();
    assert!(leaf["path"].is_array() || leaf["path"].is_string(), "{leaf}");
}

#[test]
fn counts_what_it_holds() {
    let app = App::shared();
    let root = app.category(&fresh("counted"), None);
    app.category("one", Some(&root));
    app.category("two", Some(&root));
    let document = app.get(&format!("/v1/categories/{root}")).expect(200).json();
    let counts = &document["counts"];
    assert_eq!(counts["children"], 2, "{document:#}");
    assert_eq!(counts["images"], 0, "{document:#}");
}
