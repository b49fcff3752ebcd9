//! The context as a whole, over its routes, on a store in memory.

use futures::executor::block_on;
use futures::future::{join, join_all};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use store::memory::TestPlatform;
use web::body::Incoming;
use web::{Problem, Request};

async fn send(
    platform: &TestPlatform,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<(StatusCode, Value), Problem> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: HeaderMap::new(),
        id: "test".to_owned(),
        body: Incoming::full(body.map(|body| body.to_string()).unwrap_or_default()),
    };
    let response = super::route(platform, request).await?;
    let body = response.full_body().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or(Value::Null);
    Ok((response.status, body))
}

async fn create(platform: &TestPlatform, name: &str, parent: Option<&str>) -> Result<String, Problem> {
    let body = json!({ "name": name, "parent": parent });
    let (status, body) = send(platform, Method::POST, "/v1/categories", Some(body)).await?;
    assert_eq!(status, StatusCode::CREATED);
    Ok(body["id"].as_str().unwrap().to_owned())
}

async fn edit(platform: &TestPlatform, id: &str, body: Value) -> Result<Value, Problem> {
    Ok(send(platform, Method::PATCH, &format!("/v1/categories/{id}"), Some(body)).await?.1)
}

async fn get(platform: &TestPlatform, path: &str) -> Result<Value, Problem> {
    Ok(send(platform, Method::GET, path, None).await?.1)
}

fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> &'static str {
    result.unwrap_err().code
}

#[test]
fn one_of_many_simultaneous_creations_of_a_name_wins() {
    let platform = TestPlatform::default();
    let results = block_on(join_all((0..16).map(|_| create(&platform, "Shoes", None))));
    let codes: Vec<_> = results.into_iter().filter_map(|result| result.err().map(|problem| problem.code)).collect();
    assert_eq!(codes, ["category-duplicate"; 15]);
}

#[test]
fn a_deleted_or_renamed_categorys_name_is_free_again() {
    block_on(async {
        let platform = TestPlatform::default();
        let first = create(&platform, "Shoes", None).await.unwrap();
        edit(&platform, &first, json!({ "name": "Boots" })).await.unwrap();
        let second = create(&platform, "shoes!", None).await.unwrap();
        assert_eq!(code(edit(&platform, &second, json!({ "name": "boots" })).await), "category-duplicate");
        send(&platform, Method::DELETE, &format!("/v1/categories/{second}"), None).await.unwrap();
        assert_eq!(code(get(&platform, &format!("/v1/categories/{second}")).await), "category-not-found");
        create(&platform, "Shoes", None).await.unwrap();
    });
}

#[test]
fn moves_change_paths_and_never_make_circles() {
    block_on(async {
        let platform = TestPlatform::default();
        let top = create(&platform, "Top", None).await.unwrap();
        let middle = create(&platform, "Middle", Some(&top)).await.unwrap();
        let low = create(&platform, "Low", Some(&middle)).await.unwrap();
        assert_eq!(code(edit(&platform, &top, json!({ "parent": low })).await), "category-cycle");
        assert_eq!(code(edit(&platform, &top, json!({ "parent": top })).await), "category-cycle");
        let moved = edit(&platform, &middle, json!({ "parent": null })).await.unwrap();
        assert_eq!(moved["path"].as_array().unwrap().len(), 1);
        let low = get(&platform, &format!("/v1/categories/{low}")).await.unwrap();
        assert_eq!(low["path"].as_array().unwrap().len(), 2);
        let top = get(&platform, &format!("/v1/categories/{top}")).await.unwrap();
        assert_eq!(top["counts"]["children"], 0);
    });
}

#[test]
fn two_opposite_moves_at_once_make_no_circle() {
    for _ in 0..4 {
        block_on(async {
            let platform = TestPlatform::default();
            let one = create(&platform, "One", None).await.unwrap();
            let two = create(&platform, "Two", None).await.unwrap();
            let both =
                join(edit(&platform, &one, json!({ "parent": two })), edit(&platform, &two, json!({ "parent": one })));
            let _ = both.await;
            let one = get(&platform, &format!("/v1/categories/{one}")).await.unwrap();
            let two = get(&platform, &format!("/v1/categories/{two}")).await.unwrap();
            assert!(one["parent"].is_null() || two["parent"].is_null(), "{one} {two}");
        });
    }
}

#[test]
fn a_tree_has_its_levels_and_no_more() {
    block_on(async {
        let platform = TestPlatform::default();
        let root = create(&platform, "1", None).await.unwrap();
        let mut last = root.clone();
        for level in 2..=32 {
            last = create(&platform, &level.to_string(), Some(&last)).await.unwrap();
        }
        let refused = create(&platform, "33", Some(&last)).await.unwrap_err();
        assert_eq!((refused.code, refused.limit, refused.actual), ("category-too-deep", Some(32), Some(33)));
        let other = create(&platform, "other", None).await.unwrap();
        assert_eq!(code(edit(&platform, &root, json!({ "parent": other })).await), "category-too-deep");
        let tree = get(&platform, &format!("/v1/categories/{root}/tree?depth=2")).await.unwrap();
        assert_eq!(tree["children"][0]["children"][0]["name"], "3");
        assert_eq!(tree["children"][0]["children"][0]["has_more"], true);
    });
}

#[test]
fn a_category_with_children_is_not_deleted_however_close_they_come() {
    block_on(async {
        for head_start in 0..12 {
            let platform = TestPlatform::default();
            let parent = create(&platform, "Parent", None).await.unwrap();
            let path = format!("/v1/categories/{parent}");
            let late = async {
                for _ in 0..head_start {
                    store::Store::get(&platform, "nothing").await.unwrap();
                }
                create(&platform, "Child", Some(&parent)).await
            };
            let (deleted, child) = join(send(&platform, Method::DELETE, &path, None), late).await;
            let outcome = (deleted.map_err(|problem| problem.code).err(), child.map_err(|problem| problem.code).err());
            let allowed = [
                (None, Some("category-parent-unknown")),
                (Some("category-not-empty"), None),
                (Some("category-not-empty"), Some("category-parent-unknown")),
            ];
            assert!(allowed.contains(&outcome), "{outcome:?}");
        }
    });
}

#[test]
fn lists_children_page_by_page() {
    block_on(async {
        let platform = TestPlatform::default();
        for number in 0..7 {
            create(&platform, &format!("c{number}"), None).await.unwrap();
        }
        let mut names = Vec::new();
        let mut path = "/v1/categories?limit=3".to_owned();
        loop {
            let page = get(&platform, &path).await.unwrap();
            names.extend(page["items"].as_array().unwrap().iter().map(|item| item["name"].clone()));
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/v1/categories?limit=3&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(names, ["c6", "c5", "c4", "c3", "c2", "c1", "c0"]);
    });
}

#[test]
fn what_happens_to_a_category_is_told_and_what_is_refused_is_not() {
    block_on(async {
        let platform = TestPlatform::default();
        let told = || -> Vec<String> {
            platform.heard.take().into_iter().filter(|line| line.starts_with("category.")).collect()
        };
        let parent = create(&platform, "Clothes", None).await.unwrap();
        let child = create(&platform, "Shoes", None).await.unwrap();
        assert_eq!(told(), ["category.created", "category.created"]);
        edit(&platform, &child, json!({ "description": "For feet" })).await.unwrap();
        edit(&platform, &child, json!({ "name": "Shoes" })).await.unwrap();
        assert_eq!(code(create(&platform, "Shoes", None).await), "category-duplicate");
        assert_eq!(code(edit(&platform, &child, json!({ "parent": child })).await), "category-cycle");
        assert_eq!(told(), Vec::<String>::new());
        edit(&platform, &child, json!({ "name": "Boots" })).await.unwrap();
        assert_eq!(told(), ["category.renamed"]);
        edit(&platform, &child, json!({ "name": "Hats", "parent": parent })).await.unwrap();
        assert_eq!(told(), ["category.moved", "category.renamed"]);
        send(&platform, Method::DELETE, &format!("/v1/categories/{child}"), None).await.unwrap();
        assert_eq!(told(), ["category.deleted"]);
    });
}
