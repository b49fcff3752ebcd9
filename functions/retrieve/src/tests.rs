//! The context as a whole, over its routes, on a store in memory.

use futures::executor::block_on;
use futures::future::join_all;
use http::{HeaderMap, Method};
use kv_schema::asset::{self, Asset, Content, Details, Source, State};
use kv_schema::category::{self, Category};
use kv_schema::content::{self, BlobId, Derived};
use kv_schema::image::{self, Image, Listed, Listing, Place};
use kv_schema::shape::{Entry, Versioned};
use kv_schema::{Id, Millis, job};
use serde_json::Value;
use std::rc::Rc;
use store::memory::TestPlatform;
use store::{Clock, Store, StoreError, document, pair, write};
use web::body::Incoming;
use web::{Problem, Request};

use crate::project::{Projected, project};

fn blob() -> BlobId {
    BlobId { sha256: "a".repeat(64), generation: 0 }
}

fn derived() -> Derived {
    Derived {
        mime: "image/jpeg".to_owned(),
        width: 1200,
        height: 800,
        has_alpha: false,
        frames: 1,
        thumbhash: "1QcSHQRnh493V4dIh4eXh1h4kJUI".to_owned(),
        dominant_color: "#336699".to_owned(),
        rungs: vec![(1024, 683)],
        variants: Vec::new(),
    }
}

/// An asset that is processed but not projected, created at `created_at`.
async fn processed(platform: &TestPlatform, details: Details, created_at: Millis) -> Id {
    let id = store::new_id(platform);
    let asset = Asset {
        id: id.clone(),
        source: Source::Upload,
        state: State::Processing,
        history: Vec::new(),
        attempts: 0,
        error: None,
        details,
        content: Some(Content {
            blob: blob(),
            reference: 1,
            bytes: 5,
            mime: "image/jpeg".to_owned(),
            width: 1200,
            height: 800,
        }),
        created_at,
        updated_at: created_at,
        deleted_at: None,
    };
    write(platform, &content::derived(&blob()), &derived()).await.unwrap();
    write(platform, &asset::document(&id).current(), &Versioned { version: 1, value: asset }).await.unwrap();
    id
}

async fn change(platform: &TestPlatform, id: &Id, mut change: impl FnMut(&mut Asset)) {
    document::update(platform, platform, &asset::document(id), |current| {
        let mut asset = current.unwrap().value.clone();
        change(&mut asset);
        Ok::<_, StoreError>(Some(asset))
    })
    .await
    .unwrap();
}

async fn get(platform: &Rc<Shared>, path: &str) -> Result<Value, Problem> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = Request {
        method: Method::GET,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: HeaderMap::new(),
        id: "test".to_owned(),
        body: Incoming::full(""),
    };
    let response = crate::list::list(&platform.0, &request).await?;
    Ok(serde_json::from_slice(response.full_body().unwrap()).unwrap())
}

/// A platform that several hold.
struct Shared(TestPlatform);

async fn ids(platform: &Rc<Shared>, path: &str) -> Vec<String> {
    let page = get(platform, path).await.unwrap();
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn make_category(platform: &TestPlatform, parent: Option<&Id>) -> Id {
    let id = store::new_id(platform);
    let category = Category {
        id: id.clone(),
        name: "c".to_owned(),
        slug: "c".to_owned(),
        description: None,
        parent: parent.cloned(),
        child_position: 1,
        created_at: 0,
        updated_at: 0,
        deleted: None,
    };
    write(platform, &category::document(&id).current(), &Versioned { version: 1, value: category }).await.unwrap();
    id
}

#[test]
fn projecting_twice_or_at_once_lists_an_image_once() {
    block_on(async {
        let platform = Rc::new(Shared(TestPlatform::default()));
        let details = Details { tags: vec!["red".to_owned()], ..Details::default() };
        let id = processed(&platform.0, details, 5).await;
        let results = join_all((0..8).map(|_| project(&platform.0, &id))).await;
        assert!(results.into_iter().all(|result| result == Ok(Projected::UpToDate)));
        project(&platform.0, &id).await.unwrap();
        for path in ["/v1/images", "/v1/images?tag=red"] {
            assert_eq!(ids(&platform, path).await, [id.to_string()], "{path}");
        }
    });
}

#[test]
fn a_projection_that_was_cut_short_is_finished_by_the_next() {
    block_on(async {
        for writes in 0..12 {
            let platform = Rc::new(Shared(TestPlatform::default()));
            let id = processed(&platform.0, Details { tags: vec!["red".to_owned()], ..Details::default() }, 5).await;
            platform.0.store.fail_after(Some(writes));
            let _ = project(&platform.0, &id).await;
            platform.0.store.fail_after(None);
            assert_eq!(project(&platform.0, &id).await, Ok(Projected::UpToDate));
            assert_eq!(ids(&platform, "/v1/images").await, [id.to_string()], "cut after {writes}");
            assert_eq!(ids(&platform, "/v1/images?tag=red").await, [id.to_string()], "cut after {writes}");
            let open = work::queue::depth(&platform.0, &platform.0, &job::ingest()).await.unwrap().open;
            assert!(open >= 1, "cut after {writes}: nobody will settle the asset");
        }
    });
}

#[test]
fn an_edit_moves_an_image_between_listings() {
    block_on(async {
        let platform = Rc::new(Shared(TestPlatform::default()));
        let top = make_category(&platform.0, None).await;
        let below = make_category(&platform.0, Some(&top)).await;
        let details = Details { category: Some(below.clone()), tags: vec!["red".to_owned()], ..Details::default() };
        let id = processed(&platform.0, details, 5).await;
        project(&platform.0, &id).await.unwrap();
        let below_path = format!("/v1/images?category={below}");
        let top_path = format!("/v1/images?category={top}");
        assert_eq!(ids(&platform, &below_path).await.len(), 1);
        assert_eq!(ids(&platform, &top_path).await.len(), 0);
        assert_eq!(ids(&platform, &format!("{top_path}&descendants=true")).await.len(), 1);

        change(&platform.0, &id, |asset| {
            asset.details.category = Some(top.clone());
            asset.details.tags = vec!["blue".to_owned()];
        })
        .await;
        project(&platform.0, &id).await.unwrap();
        assert_eq!(ids(&platform, &below_path).await.len(), 0);
        assert_eq!(ids(&platform, &top_path).await.len(), 1);
        assert_eq!(ids(&platform, "/v1/images?tag=red").await.len(), 0);
        assert_eq!(ids(&platform, "/v1/images?tag=blue").await.len(), 1);

        change(&platform.0, &id, |asset| asset.deleted_at = Some(9)).await;
        project(&platform.0, &id).await.unwrap();
        assert_eq!(ids(&platform, "/v1/images").await.len(), 0);
        let image = document::get(&platform.0, &image::document(&id)).await.unwrap().unwrap();
        assert_eq!(image.value.deleted_at, Some(9));
    });
}

#[test]
fn an_image_of_a_deleted_category_is_where_it_was_reassigned_to() {
    block_on(async {
        let platform = Rc::new(Shared(TestPlatform::default()));
        let (old, new) = (make_category(&platform.0, None).await, make_category(&platform.0, None).await);
        let id = processed(&platform.0, Details { category: Some(old.clone()), ..Details::default() }, 5).await;
        project(&platform.0, &id).await.unwrap();
        document::update(&platform.0, &platform.0, &category::document(&old), |current| {
            let deleted = Some(category::Deleted { at: 1, reassigned_to: Some(new.clone()) });
            Ok::<_, StoreError>(Some(Category { deleted, ..current.unwrap().value.clone() }))
        })
        .await
        .unwrap();
        crate::worker::recategorise(&platform.0, &old).await.unwrap();
        assert_eq!(ids(&platform, &format!("/v1/images?category={new}")).await, [id.to_string()]);
    });
}

#[test]
fn dates_filter_exactly_though_images_are_listed_late() {
    block_on(async {
        let platform = Rc::new(Shared(TestPlatform::default()));
        let start = platform.0.now();
        let mut created = Vec::new();
        for number in 0..60 {
            platform.0.clock.advance(60_000);
            // Every seventh was accepted long before it could be shown.
            let at = if number % 7 == 0 { start + number * 1_000 } else { platform.0.now() };
            let id = processed(&platform.0, Details::default(), at).await;
            project(&platform.0, &id).await.unwrap();
            created.push((at, id.to_string()));
        }
        for minute in [0, 1, 10, 30, 59, 61] {
            let limit = start + minute * 60_000;
            let time = web::time::format(limit);
            let mut expected: Vec<_> = created.iter().filter(|(at, _)| *at < limit).map(|(_, id)| id).collect();
            expected.reverse();
            let found = ids(&platform, &format!("/v1/images?limit=100&created_before={time}")).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "before minute {minute}");
            let mut expected: Vec<_> = created.iter().filter(|(at, _)| *at > limit).map(|(_, id)| id).collect();
            expected.reverse();
            let found = ids(&platform, &format!("/v1/images?limit=100&created_after={time}")).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "after minute {minute}");
        }
    });
}

/// Lists `total` images, the newest 200 of which can be shown, and counts what the newest 20 cost.
fn cost_of_a_page(total: u64) -> store::memory::Operations {
    block_on(async {
        let platform = Rc::new(Shared(TestPlatform::default()));
        let log = Listing::All.log();
        for position in 1..=total {
            let id = Id::from_parts(position, 0);
            let entry = Entry::Live(Listed { id: id.clone(), at: position as Millis });
            let mut entries = vec![pair(&log.entry(position), &entry).unwrap()];
            if position + 200 > total {
                let image = Image {
                    id: id.clone(),
                    asset_version: 1,
                    details: Details::default(),
                    blob: blob(),
                    bytes: 5,
                    derived: derived(),
                    created_at: position as Millis,
                    updated_at: position as Millis,
                    places: vec![Place { listing: Listing::All, position }],
                    deleted_at: None,
                };
                let document = Versioned { version: 1, value: image };
                entries.push(pair(&image::document(&id).current(), &document).unwrap());
            }
            platform.0.set_many(entries).await.unwrap();
        }
        platform.0.increment(log.length().name(), total as i64).await.unwrap();
        platform.0.store.take_operations();
        assert_eq!(ids(&platform, "/v1/images?limit=20").await.len(), 20);
        platform.0.store.take_operations()
    })
}

#[test]
fn a_page_costs_the_same_at_a_hundred_and_at_a_million_images() {
    let at_a_hundred = cost_of_a_page(100);
    let at_a_million = cost_of_a_page(1_000_000);
    assert_eq!(at_a_hundred, at_a_million);
    // The log's length, a batch of entries, the documents, the presets.
    assert_eq!((at_a_million.reads, at_a_million.writes), (4, 0));
}
