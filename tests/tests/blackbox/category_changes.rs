//! Categories: renaming, moving, deleting, and what that does to images and to others who look.

use blackbox::{Answer, App, fixtures, fresh, poll};
use serde_json::{Value, json};

fn patch(id: &str, body: &Value) -> Answer {
    App::shared().call("PATCH", &format!("/v1/categories/{id}")).json(body).send()
}

fn read(id: &str) -> Value {
    App::shared().get(&format!("/v1/categories/{id}")).expect(200).json()
}

#[test]
fn is_renamed_and_described() {
    let app = App::shared();
    let (old, new) = (fresh("Old"), fresh("New Name"));
    let id = app.category(&old, None);
    let etag = app.get(&format!("/v1/categories/{id}")).must_have("etag").to_owned();
    let answer = patch(&id, &json!({"name": new, "description": "words"})).expect(200);
    assert_eq!(answer.json()["name"], new);
    assert_eq!(answer.json()["slug"], new.to_lowercase().replace(' ', "-"));
    assert_ne!(answer.must_have("etag"), etag);
    assert_eq!(read(&id)["description"], "words");
    assert_eq!(patch(&id, &json!({"description": null})).expect(200).json()["description"], Value::Null);
    // The old name is free again, the new one is taken.
    app.category(&old, None);
    app.post("/v1/categories", &json!({"name": new})).problem(409, "category-duplicate");
}

#[test]
fn a_rename_shows_in_the_paths_below() {
    let app = App::shared();
    let root = app.category(&fresh("before"), None);
    let leaf = app.category("leaf", Some(&root));
    let after = fresh("after");
    patch(&root, &json!({"name": after})).expect(200);
    assert!(read(&leaf)["path"].to_string().contains(&after), "{}", read(&leaf));
}

#[test]
fn moves_below_another_and_back_to_the_roots() {
    let app = App::shared();
    let (a, b) = (app.category(&fresh("from"), None), app.category(&fresh("to"), None));
    let child = app.category("child", Some(&a));
    assert_eq!(patch(&child, &json!({"parent": b})).expect(200).json()["parent"], b.as_str());
    assert_eq!(app.pages(&format!("/v1/categories?parent={a}")).concat(), Vec::<String>::new());
    assert_eq!(app.pages(&format!("/v1/categories?parent={b}")).concat(), std::slice::from_ref(&child));
    patch(&child, &json!({"parent": null, "name": fresh("root now")})).expect(200);
    assert_eq!(read(&child)["parent"], Value::Null);
    assert!(app.pages("/v1/categories?limit=100").concat().contains(&child));
}

#[test]
fn never_comes_below_itself() {
    let app = App::shared();
    let root = app.category(&fresh("cycle"), None);
    let child = app.category("child", Some(&root));
    let grandchild = app.category("grandchild", Some(&child));
    for below in [&root, &child, &grandchild] {
        patch(&root, &json!({"parent": below})).problem(409, "category-cycle");
    }
    assert_eq!(read(&root)["parent"], Value::Null);
}

#[test]
fn two_moves_at_once_never_make_a_ring() {
    let app = App::shared();
    for _ in 0..5 {
        let (a, b) = (app.category(&fresh("ring a"), None), app.category(&fresh("ring b"), None));
        std::thread::scope(|scope| {
            scope.spawn(|| patch(&a, &json!({"parent": b})));
            scope.spawn(|| patch(&b, &json!({"parent": a})));
        });
        let parents = [read(&a)["parent"].clone(), read(&b)["parent"].clone()];
        assert!(parents.contains(&Value::Null), "each is below the other: {parents:?}");
    }
}

#[test]
fn bad_changes_are_refused_and_change_nothing() {
    let app = App::shared();
    let taken = fresh("taken");
    app.category(&taken, None);
    let name = fresh("steady");
    let id = app.category(&name, None);
    let etag = app.get(&format!("/v1/categories/{id}")).must_have("etag").to_owned();
    patch(&id, &json!({"name": taken})).problem(409, "category-duplicate");
    patch(&id, &json!({"name": ""})).field("field-invalid", "/name");
    patch(&id, &json!({"color": 1})).field("field-unknown", "/color");
    patch(&id, &json!({"id": id})).field("field-unknown", "/id");
    patch(&id, &json!({"parent": "01h00000000000000000000000"})).problem(422, "category-parent-unknown");
    let unread = app.call("PATCH", &format!("/v1/categories/{id}")).header("content-type", "application/json");
    unread.body("{").send().problem(400, "json-invalid");
    assert_eq!(app.get(&format!("/v1/categories/{id}")).must_have("etag"), etag);
    assert_eq!(read(&id)["name"], name);
}

#[test]
fn a_name_can_be_changed_but_not_taken_away() {
    let app = App::shared();
    let id = app.category(&fresh("named"), None);
    patch(&id, &json!({"name": null})).field("field-invalid", "/name");
}

#[test]
fn a_change_of_nothing_changes_nothing() {
    let app = App::shared();
    let name = fresh("same");
    let id = app.category(&name, None);
    let etag = app.get(&format!("/v1/categories/{id}")).must_have("etag").to_owned();
    for same in [json!({}), json!({"name": name}), json!({"parent": null}), json!({"description": null})] {
        assert_eq!(patch(&id, &same).expect(200).must_have("etag"), etag, "{same}");
    }
}

#[test]
fn a_subtree_does_not_move_deeper_than_the_limit() {
    let app = App::shared();
    let chain = |n_levels: usize| {
        let mut ids = vec![app.category(&fresh("chain"), None)];
        for _ in 1..n_levels {
            ids.push(app.category("next", ids.last().map(String::as_str)));
        }
        ids
    };
    let (long, short) = (chain(31), chain(2));
    patch(&short[0], &json!({"parent": long[30]})).problem(422, "category-too-deep");
    patch(&short[0], &json!({"parent": long[29]})).expect(200);
}

#[test]
fn stale_conditions_are_refused() {
    let app = App::shared();
    let id = app.category(&fresh("condition"), None);
    let path = format!("/v1/categories/{id}");
    let etag = app.get(&path).must_have("etag").to_owned();
    let change =
        |etag: &str, name: &str| app.call("PATCH", &path).header("if-match", etag).json(&json!({"name": name})).send();
    let changed = change(&etag, &fresh("first")).expect(200).must_have("etag").to_owned();
    change(&etag, &fresh("second")).problem(412, "precondition-failed");
    change("\"nonsense\"", &fresh("third")).problem(412, "precondition-failed");
    app.call("DELETE", &path).header("if-match", &etag).send().problem(412, "precondition-failed");
    change(&format!("{etag}, {changed}"), &fresh("fourth")).expect(200);
    change("*", &fresh("fifth")).expect(200);
    let current = app.get(&path).must_have("etag").to_owned();
    app.call("DELETE", &path).header("if-match", &current).send().expect(204);
}

#[test]
fn of_two_changes_of_one_version_one_wins() {
    let app = App::shared();
    let id = app.category(&fresh("two writers"), None);
    let path = format!("/v1/categories/{id}");
    let etag = app.get(&path).must_have("etag").to_owned();
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let write = || {
            let body = json!({"description": fresh("by")});
            app.call("PATCH", &path).header("if-match", &etag).json(&body).send().status
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(write)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412]);
}

#[test]
fn a_deleted_one_is_gone_everywhere() {
    let app = App::shared();
    let id = app.category(&fresh("gone"), None);
    let path = format!("/v1/categories/{id}");
    app.delete(&path).expect(204);
    app.get(&path).problem(404, "category-not-found");
    app.get(&format!("{path}/tree")).problem(404, "category-not-found");
    patch(&id, &json!({"name": "x"})).problem(404, "category-not-found");
    app.delete(&path).problem(404, "category-not-found");
    app.post("/v1/categories", &json!({"name": "x", "parent": id})).problem(422, "category-parent-unknown");
    app.get(&format!("/v1/categories?parent={id}")).problem(404, "category-not-found");
    app.get(&format!("/v1/images?category={id}")).problem(404, "category-not-found");
    let asset = json!({"source_url": "http://127.0.0.1:9/x.jpg", "category": id});
    app.post("/v1/assets", &asset).problem(422, "category-unknown");
    let upload = app.upload_with(&[("category", &id)], &fixtures::jpeg(&fixtures::photo(20, 20)));
    upload.problem(422, "category-unknown");
    assert!(!app.pages("/v1/categories?limit=100").concat().contains(&id));
}

#[test]
fn one_with_children_or_images_is_not_deleted() {
    let app = App::shared();
    let parent = app.category(&fresh("full"), None);
    let child = app.category("child", Some(&parent));
    app.delete(&format!("/v1/categories/{parent}")).problem(409, "category-not-empty");
    app.image_with(&[("category", &child)], &fixtures::jpeg(&fixtures::photo(20, 20)));
    app.delete(&format!("/v1/categories/{child}")).problem(409, "category-not-empty");
    app.get(&format!("/v1/categories/{child}")).expect(200);
}

#[test]
fn images_go_where_they_are_sent_when_theirs_is_deleted() {
    let app = App::shared();
    let (from, to) = (app.category(&fresh("from"), None), app.category(&fresh("to"), None));
    let images = [1, 2].map(|_| app.image_with(&[("category", &from)], &fixtures::jpeg(&fixtures::photo(20, 20))));
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    app.until_listed(&format!("category={from}"), &images);
    app.delete(&format!("/v1/categories/{from}?reassign_to={to}")).expect(204);
    app.until_listed(&format!("category={to}"), &images);
    poll::until("the image names its new category", || {
        let image = app.get(&format!("/v1/images/{}", images[0])).expect(200).json();
        image["category"].to_string().contains(&to).then_some(())
    });
    app.get(&format!("/v1/categories/{from}")).problem(404, "category-not-found");
}

#[test]
fn images_are_not_sent_astray() {
    let app = App::shared();
    let from = app.category(&fresh("astray"), None);
    let deleted = app.category(&fresh("deleted"), None);
    app.delete(&format!("/v1/categories/{deleted}")).expect(204);
    app.image_with(&[("category", &from)], &fixtures::jpeg(&fixtures::photo(20, 20)));
    for to in [from.as_str(), deleted.as_str(), "01h00000000000000000000000"] {
        let answer = app.delete(&format!("/v1/categories/{from}?reassign_to={to}"));
        answer.problem(422, "category-reassign-invalid");
    }
    app.delete(&format!("/v1/categories/{from}?reassign=x")).problem(400, "parameter-unknown");
    app.get(&format!("/v1/categories/{from}")).expect(200);
}

#[test]
fn of_two_deletes_at_once_both_are_answered_and_one_deletes() {
    let app = App::shared();
    let id = app.category(&fresh("deleted twice"), None);
    let path = format!("/v1/categories/{id}");
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| app.delete(&path).status)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    statuses.sort_unstable();
    assert!(statuses == [204, 404] || statuses == [204, 204], "{statuses:?}");
    app.get(&path).problem(404, "category-not-found");
}

#[test]
fn a_moved_category_takes_its_images_along() {
    let app = App::shared();
    let (old, new) = (app.category(&fresh("old home"), None), app.category(&fresh("new home"), None));
    let moved = app.category("moved", Some(&old));
    let image = app.image_with(&[("category", &moved)], &fixtures::jpeg(&fixtures::photo(20, 20)));
    app.until_listed(&format!("category={old}&descendants=true"), &[&image]);
    patch(&moved, &json!({"parent": new})).expect(200);
    app.until_listed(&format!("category={new}&descendants=true"), &[&image]);
    app.until_listed(&format!("category={old}&descendants=true"), &[]);
    app.until_listed(&format!("category={moved}"), &[&image]);
}
