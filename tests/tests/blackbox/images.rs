//! Images, the read model: the document, and the listings by category, tag and date.

use blackbox::{App, fixtures, fresh, poll};
use serde_json::json;

fn photo() -> Vec<u8> {
    fixtures::jpeg(&fixtures::photo(24, 16))
}

#[test]
fn the_document_says_all_that_a_page_needs() {
    let app = App::shared();
    let (above, below) = (fresh("Above"), fresh("Below"));
    let root = app.category(&above, None);
    let category = app.category(&below, Some(&root));
    let tag = fresh("tag");
    let fields = [("category", category.as_str()), ("title", "T"), ("alt", "A"), ("tags", &tag)];
    let id = app.image_with(&fields, &fixtures::jpeg(&fixtures::plain(1200, 800, [200, 40, 40])));
    let answer = app.get(&format!("/v1/images/{id}")).expect(200);
    let image = answer.json();
    assert_eq!((&image["id"], &image["title"], &image["alt"]), (&json!(id), &json!("T"), &json!("A")), "{image:#}");
    assert_eq!((&image["width"], &image["height"]), (&json!(1200), &json!(800)), "{image:#}");
    assert_eq!(image["tags"], json!([tag]), "{image:#}");
    assert_eq!(image["category"], category.as_str(), "{image:#}");
    let path: Vec<_> = image["category_path"].as_array().expect("a path").iter().map(|step| &step["name"]).collect();
    assert_eq!(path, [above.as_str(), below.as_str()], "{image:#}");
    assert!(answer.must_have("etag").starts_with('"'), "{answer}");

    let color = image["dominant_color"].as_str().unwrap_or_else(|| panic!("{image:#}")).trim_start_matches('#');
    let channels: Vec<u8> = (0..3).map(|n| u8::from_str_radix(&color[2 * n..2 * n + 2], 16).expect("hex")).collect();
    assert!(channels[0] > 170 && channels[1] < 80 && channels[2] < 80, "{color}");
    let hash = image["thumbhash"].as_str().unwrap_or_else(|| panic!("{image:#}"));
    assert!((8..64).contains(&hash.len()), "{hash}");

    let path_of = |url: &str| url.find("/i/").map(|at| url[at..].to_owned()).unwrap_or_else(|| panic!("{url}"));
    for preset in ["thumb", "small", "medium", "large"] {
        let url = image["urls"][preset].as_str().unwrap_or_else(|| panic!("{preset} in {image:#}"));
        let (width, _) = app.get(&path_of(url)).picture().size();
        assert!(width <= 1200, "{preset}");
    }
    let srcset = image["srcset"].as_str().unwrap_or_else(|| panic!("{image:#}"));
    let mut widths = Vec::new();
    for candidate in srcset.split(", ") {
        let (url, width) = candidate.trim().split_once(' ').unwrap_or_else(|| panic!("{srcset}"));
        let width: u32 = width.strip_suffix('w').expect("a width").parse().expect("a number");
        assert_eq!(app.get(&path_of(url)).picture().size().0, width, "{candidate}");
        widths.push(width);
    }
    assert!(widths.len() >= 2 && widths.is_sorted() && widths.iter().all(|&width| width <= 1200), "{srcset}");
}

#[test]
fn the_newest_comes_first() {
    let app = App::shared();
    let category = app.category(&fresh("order"), None);
    let made: Vec<String> = (0..5).map(|_| app.image_with(&[("category", &category)], &photo())).collect();
    let expected: Vec<&str> = made.iter().map(String::as_str).collect();
    app.until_listed(&format!("category={category}"), &expected);
    let newest_first: Vec<String> = made.iter().rev().cloned().collect();
    assert_eq!(app.listed(&format!("category={category}")), newest_first);
    assert_eq!(app.listed(&format!("category={category}&limit=2")), newest_first);
    let sizes: Vec<usize> =
        app.pages(&format!("/v1/images?category={category}&limit=2")).iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 2, 1]);
    // Among all images of this run these are somewhere, in this order.
    let all: Vec<String> = app.listed("limit=100").into_iter().filter(|id| made.contains(id)).collect();
    assert_eq!(all, newest_first);
}

#[test]
fn a_category_is_listed_with_or_without_what_lies_below() {
    let app = App::shared();
    let root = app.category(&fresh("outer"), None);
    let child = app.category("child", Some(&root));
    let grandchild = app.category("grandchild", Some(&child));
    let at = |category: &str| app.image_with(&[("category", category)], &photo());
    let (a, b, c) = (at(&root), at(&child), at(&grandchild));
    app.until_listed(&format!("category={root}"), &[&a]);
    app.until_listed(&format!("category={root}&descendants=false"), &[&a]);
    app.until_listed(&format!("category={root}&descendants=true"), &[&a, &b, &c]);
    app.until_listed(&format!("category={child}&descendants=true"), &[&b, &c]);
    app.until_listed(&format!("category={grandchild}&descendants=true"), &[&c]);
    app.until_listed(&format!("category={child}"), &[&b]);
    poll::until("the category counts its images", || {
        let counts = app.get(&format!("/v1/categories/{child}")).expect(200).json()["counts"].clone();
        (counts["images"] == 1).then_some(())
    });
}

#[test]
fn a_tag_is_listed() {
    let app = App::shared();
    let (common, rare) = (fresh("common"), fresh("räre tag/ü"));
    let a = app.image_with(&[("tags", &common)], &photo());
    let b = app.image_with(&[("tags", &format!("{common},{rare}"))], &photo());
    app.image(&photo());
    app.until_listed(&format!("tag={common}"), &[&a, &b]);
    let encoded: String = rare.bytes().map(|byte| format!("%{byte:02X}")).collect();
    app.until_listed(&format!("tag={encoded}"), &[&b]);
    app.until_listed(&format!("tag={}", fresh("unused")), &[]);
}

#[test]
fn dates_bound_a_listing() {
    let app = App::shared();
    let category = app.category(&fresh("dates"), None);
    let make = || {
        let id = app.image_with(&[("category", &category)], &photo());
        let created = app.asset(&id)["created_at"].as_str().expect("a time").to_owned();
        (id, created)
    };
    let ((a, at_a), (b, at_b), (c, at_c)) = (make(), make(), make());
    app.until_listed(&format!("category={category}"), &[&a, &b, &c]);
    let check = |query: &str, expected: &[&str]| app.until_listed(&format!("category={category}&{query}"), expected);
    check(&format!("created_after={at_a}"), &[&b, &c]);
    check(&format!("created_before={at_c}"), &[&a, &b]);
    check(&format!("created_after={at_a}&created_before={at_c}"), &[&b]);
    check(&format!("created_after={at_b}&created_before={at_b}"), &[]);
    check("created_after=2020-01-01T00:00:00Z", &[&a, &b, &c]);
    check("created_after=2020-01-01T02:00:00%2B02:00&limit=1", &[&a, &b, &c]);
    check("created_before=2020-01-01T00:00:00Z", &[]);
    check("created_after=2999-01-01T00:00:00Z", &[]);
}

#[test]
fn filters_combine() {
    let app = App::shared();
    let category = app.category(&fresh("both"), None);
    let tag = fresh("both");
    let both = app.image_with(&[("category", &category), ("tags", &tag)], &photo());
    let only_tag = app.image_with(&[("tags", &tag)], &photo());
    let only_category = app.image_with(&[("category", &category)], &photo());
    app.until_listed(&format!("tag={tag}"), &[&both, &only_tag]);
    app.until_listed(&format!("category={category}"), &[&both, &only_category]);
    let answer = app.get(&format!("/v1/images?category={category}&tag={tag}"));
    match answer.status {
        200 => app.until_listed(&format!("category={category}&tag={tag}"), &[&both]),
        _ => drop(answer.problem(400, "parameter-invalid")),
    }
}

#[test]
fn pages_hold_still_while_images_come_and_go() {
    let app = App::shared();
    let category = app.category(&fresh("still"), None);
    let add = || app.image_with(&[("category", &category)], &photo());
    let made: Vec<String> = (0..6).map(|_| add()).collect();
    let ids: Vec<&str> = made.iter().map(String::as_str).collect();
    app.until_listed(&format!("category={category}"), &ids);
    let target = format!("/v1/images?category={category}&limit=2");
    let first = app.get(&target).expect(200).json();
    // A new one in front and a deleted one behind: the second page neither repeats nor skips.
    let newest = add();
    app.delete(&format!("/v1/assets/{}", made[0])).expect(204);
    let expected: Vec<&str> = ids[1..].iter().copied().chain([newest.as_str()]).collect();
    app.until_listed(&format!("category={category}"), &expected);
    let mut seen = blackbox::api::ids(&first);
    let mut cursor = first["next_cursor"].as_str().map(str::to_owned);
    while let Some(at) = cursor {
        let page = app.get(&format!("{target}&cursor={at}")).expect(200).json();
        seen.extend(blackbox::api::ids(&page));
        cursor = page["next_cursor"].as_str().map(str::to_owned);
    }
    let newest_first: Vec<String> = made[1..].iter().rev().cloned().collect();
    assert_eq!(seen, newest_first);
}

#[test]
fn deleted_images_leave_no_holes_in_pages() {
    let app = App::shared();
    let category = app.category(&fresh("holes"), None);
    let made: Vec<String> = (0..9).map(|_| app.image_with(&[("category", &category)], &photo())).collect();
    let kept: Vec<&str> = made.iter().step_by(2).map(String::as_str).collect();
    for id in made.iter().skip(1).step_by(2) {
        app.delete(&format!("/v1/assets/{id}")).expect(204);
    }
    app.until_listed(&format!("category={category}"), &kept);
    let sizes: Vec<usize> =
        app.pages(&format!("/v1/images?category={category}&limit=2")).iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 2, 1]);
}

#[test]
fn nothing_is_hidden_but_what_failed() {
    let app = App::shared();
    let category = app.category(&fresh("shown"), None);
    let source = blackbox::Source::here().status("404 Not Found");
    let body = json!({"source_url": source.url, "category": category});
    let failed = app.post("/v1/assets", &body).expect(202).id();
    app.failure(&failed);
    let shown = app.image_with(&[("category", &category)], &photo());
    app.until_listed(&format!("category={category}"), &[&shown]);
    app.shows_nothing_of(&failed);
}
