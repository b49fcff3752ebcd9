//! What all lists refuse alike.

use blackbox::{App, fresh};

/// A list with something in it, and what is needed to name it.
fn lists(app: &App) -> Vec<String> {
    let parent = app.category(&fresh("list"), None);
    app.category("a", Some(&parent));
    app.category("b", Some(&parent));
    vec![
        "/v1/categories?".to_owned(),
        format!("/v1/categories?parent={parent}&"),
        "/v1/images?".to_owned(),
        format!("/v1/images?category={parent}&"),
        "/v1/images?tag=x&".to_owned(),
    ]
}

#[test]
fn limits_out_of_range_are_refused() {
    let app = App::shared();
    for list in lists(app) {
        for limit in ["0", "101", "-1", "abc", "", "1.5", "+5", "99999999999999999999", "0x10", "%31%30%31", "1%00"] {
            let answer = app.get(&format!("{list}limit={limit}"));
            answer.problem(400, "parameter-invalid");
        }
        for limit in ["1", "100", "20"] {
            app.get(&format!("{list}limit={limit}")).expect(200);
        }
        app.get(&format!("{list}limit=1&limit=2")).problem(400, "parameter-invalid");
    }
}

#[test]
fn cursors_that_are_none_are_refused() {
    let app = App::shared();
    let long = "A".repeat(5000);
    for list in lists(app) {
        for cursor in ["x", "", "0", "-1", "AAAA", "%00", "..%2f..", "null", "eyJhIjoxfQ", "%F0%9F%A6%9C", &long] {
            app.get(&format!("{list}cursor={cursor}")).problem(400, "cursor-invalid");
        }
    }
}

#[test]
fn a_cursor_of_one_list_is_none_of_another() {
    let app = App::shared();
    let parent = app.category(&fresh("cursor"), None);
    let other = app.category(&fresh("cursor"), None);
    for name in ["a", "b"] {
        app.category(name, Some(&parent));
        app.category(name, Some(&other));
    }
    let page = app.get(&format!("/v1/categories?parent={parent}&limit=1")).expect(200).json();
    let cursor = page["next_cursor"].as_str().expect("there is more");
    for list in [format!("/v1/categories?parent={other}&"), "/v1/images?".to_owned(), "/v1/images?tag=x&".to_owned()] {
        app.get(&format!("{list}cursor={cursor}")).problem(400, "cursor-invalid");
    }
    let mut changed = cursor.to_owned();
    changed.push('x');
    app.get(&format!("/v1/categories?parent={parent}&cursor={changed}")).problem(400, "cursor-invalid");
}

#[test]
fn dates_and_flags_that_are_none_are_refused() {
    let app = App::shared();
    for query in [
        "created_after=yesterday",
        "created_after=",
        "created_after=2026-13-01T00:00:00Z",
        "created_after=2026-01-01",
        "created_before=1700000000",
        "created_before=2026-01-01T00:00:00",
        "created_before=2026-02-30T00:00:00Z",
        "descendants=yes",
        "descendants=2",
        "tag=",
        "tag=a&tag=b",
        "descendants=true",
    ] {
        app.get(&format!("/v1/images?{query}")).problem(400, "parameter-invalid");
    }
    app.get("/v1/images?category=01h00000000000000000000000").problem(404, "category-not-found");
    app.get("/v1/images?category=nope").problem(404, "category-not-found");
}
