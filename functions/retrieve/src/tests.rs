//! The context as a whole, over its routes, on a store in memory.

use futures::executor::block_on;
use futures::future::{join, join_all};
use http::{HeaderMap, Method};
use kv_schema::asset::{self, Asset, Content, Details, Source, State};
use kv_schema::category::{self, Category};
use kv_schema::content::{self, BlobId, Derived};
use kv_schema::image::{self, Image, Listing, Projection};
use kv_schema::job::{self, RetrieveJob};
use kv_schema::shape::{IndexChild, IndexEntry, IndexNode, IndexRoot, Versioned};
use kv_schema::{Id, Millis};
use serde_json::Value;
use std::rc::Rc;
use std::task::Poll;
use store::memory::TestPlatform;
use store::{Clock, Store, StoreError, document, index, pair, write};
use web::body::Incoming;
use web::{Problem, Request};

use crate::project::{Projected, Trust, project};

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
    let id = Id::from_parts(created_at.unsigned_abs(), platform.random());
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
        trace: None,
        created_at,
        updated_at: created_at,
        edited_at: created_at,
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
        let results = join_all((0..8).map(|_| project(&platform.0, &id, Trust::Usual))).await;
        assert!(results.into_iter().all(|result| result == Ok(Projected::UpToDate)));
        project(&platform.0, &id, Trust::Usual).await.unwrap();
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
            let _ = project(&platform.0, &id, Trust::Usual).await;
            platform.0.store.fail_after(None);
            assert_eq!(project(&platform.0, &id, Trust::Usual).await, Ok(Projected::UpToDate));
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
        project(&platform.0, &id, Trust::Usual).await.unwrap();
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
        project(&platform.0, &id, Trust::Usual).await.unwrap();
        assert_eq!(ids(&platform, &below_path).await.len(), 0);
        assert_eq!(ids(&platform, &top_path).await.len(), 1);
        assert_eq!(ids(&platform, "/v1/images?tag=red").await.len(), 0);
        assert_eq!(ids(&platform, "/v1/images?tag=blue").await.len(), 1);

        change(&platform.0, &id, |asset| asset.deleted_at = Some(9)).await;
        project(&platform.0, &id, Trust::Usual).await.unwrap();
        assert_eq!(ids(&platform, "/v1/images").await.len(), 0);
        let image = document::get(&platform.0, &image::document(&id)).await.unwrap().unwrap();
        assert_eq!(image.value, Projection::Deleted { at: 9 });
    });
}

/// Runs a projection call by call of the store: after `calls` of them it rests for `rest` turns of the others, and dies
/// then if it is to. None: it died.
async fn rested<F: Future>(projection: F, calls: u32, rest: u32, dies: bool) -> Option<F::Output> {
    let mut projection = std::pin::pin!(projection);
    let mut turn = 0;
    std::future::poll_fn(|context| {
        turn += 1;
        let is_resting = turn > calls && turn <= calls + rest;
        if dies && turn > calls + rest {
            return Poll::Ready(None);
        }
        if is_resting {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        projection.as_mut().poll(context).map(Some)
    })
    .await
}

/// How an image comes back to where an edit has just taken it out.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Back {
    /// By another edit.
    Edited,
    /// Because its new category moves.
    Moved,
}

/// An image that an edit takes out of the tree of `right`, and that comes back there: both are projected at the same
/// time, each resting at one of its calls.
fn check_overlapping(back: Back, pace: [u32; 5], dies: bool) {
    block_on(async {
        let [edit_calls, edit_rest, head_start, move_calls, move_rest] = pace;
        let platform = Rc::new(Shared(TestPlatform::default()));
        let (left, right) = (make_category(&platform.0, None).await, make_category(&platform.0, None).await);
        let details = Details { category: Some(right.clone()), ..Details::default() };
        let id = processed(&platform.0, details, 5).await;
        project(&platform.0, &id, Trust::Usual).await.unwrap();
        change(&platform.0, &id, |asset| asset.details.category = Some(left.clone())).await;

        let edit = rested(project(&platform.0, &id, Trust::Usual), edit_calls, edit_rest, dies);
        let moved = async {
            for _ in 0..head_start {
                platform.0.get("nothing").await.unwrap();
            }
            if back == Back::Edited {
                change(&platform.0, &id, |asset| asset.details.category = Some(right.clone())).await;
            } else {
                document::update(&platform.0, &platform.0, &category::document(&left), |current| {
                    let parent = Some(right.clone());
                    Ok::<_, StoreError>(Some(Category { parent, ..current.unwrap().value.clone() }))
                })
                .await
                .unwrap();
            }
            let projection = project(&platform.0, &id, Trust::Usual);
            rested(projection, move_calls, move_rest, false).await.unwrap().unwrap();
        };
        join(edit, moved).await;
        if dies {
            // Its job is done again by another.
            let task = RetrieveJob::Project { asset: id.clone() };
            work::queue::push(&platform.0, &platform.0, &job::retrieve(), task, Vec::new()).await.unwrap();
            crate::worker::drive(&platform.0).await;
        }
        let (below, count) = if back == Back::Moved { (&left, [0, 1, 1]) } else { (&right, [1, 1, 0]) };
        let found = [
            ids(&platform, &format!("/v1/images?category={below}")).await,
            ids(&platform, &format!("/v1/images?category={right}&descendants=true")).await,
            ids(&platform, "/v1/images").await,
        ];
        assert_eq!(found, [[id.to_string()], [id.to_string()], [id.to_string()]], "{back:?}, {pace:?}");
        let listings = [Listing::Category(right.clone()), Listing::Tree(right), Listing::Tree(left)];
        let totals = index::totals_many(&platform.0, &listings.map(|listing| listing.index())).await.unwrap();
        assert_eq!(totals.iter().map(|totals| totals.count).collect::<Vec<_>>(), count, "{back:?}, {pace:?}");
    });
}

/// Many ways for two to overlap, the same in every run.
fn paces() -> impl Iterator<Item = [u32; 5]> {
    let chance = store::memory::TestClock::default();
    let below = move |end: u32| (chance.random() >> 40) as u32 % end;
    (0..4_000).map(move |_| [below(90), below(160), below(90), below(90), below(160)])
}

#[test]
fn what_one_projection_takes_out_another_puts_back() {
    paces().for_each(|pace| check_overlapping(Back::Moved, pace, false));
    paces().for_each(|pace| check_overlapping(Back::Edited, pace, false));
}

#[test]
fn what_a_projection_took_out_before_it_died_is_put_back() {
    paces().for_each(|pace| check_overlapping(Back::Moved, pace, true));
    paces().for_each(|pace| check_overlapping(Back::Edited, pace, true));
}

#[test]
fn an_image_of_a_deleted_category_is_where_it_was_reassigned_to() {
    block_on(async {
        let platform = Rc::new(Shared(TestPlatform::default()));
        let (old, new) = (make_category(&platform.0, None).await, make_category(&platform.0, None).await);
        let id = processed(&platform.0, Details { category: Some(old.clone()), ..Details::default() }, 5).await;
        project(&platform.0, &id, Trust::Usual).await.unwrap();
        document::update(&platform.0, &platform.0, &category::document(&old), |current| {
            let deleted = Some(category::Deleted { at: 1, reassigned_to: Some(new.clone()) });
            Ok::<_, StoreError>(Some(Category { deleted, ..current.unwrap().value.clone() }))
        })
        .await
        .unwrap();
        crate::worker::recategorise(&platform.0, &old, Trust::Usual).await.unwrap();
        assert_eq!(ids(&platform, &format!("/v1/images?category={new}")).await, [id.to_string()]);
    });
}

#[test]
fn dates_filter_exactly_whatever_the_order_of_projection() {
    block_on(async {
        let platform = Rc::new(Shared(TestPlatform::default()));
        let start = platform.0.now();
        let mut created = Vec::new();
        for number in 0..60 {
            platform.0.clock.advance(60_000);
            // Every seventh was accepted long before it could be shown.
            let at = if number % 7 == 0 { start + number * 1_000 + 1 } else { platform.0.now() };
            let id = processed(&platform.0, Details::default(), at).await;
            project(&platform.0, &id, Trust::Usual).await.unwrap();
            created.push((at, id.to_string()));
        }
        created.sort();
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

#[test]
fn a_lost_read_model_is_made_again_as_it_was() {
    block_on(async {
        let platform = Rc::new(Shared(TestPlatform::default()));
        let (top, other) = (make_category(&platform.0, None).await, make_category(&platform.0, None).await);
        let below = make_category(&platform.0, Some(&top)).await;
        let mut ids = Vec::new();
        for number in 0..70 {
            let category = [None, Some(top.clone()), Some(below.clone())][number as usize % 3].clone();
            let tags = if number % 4 == 0 { vec!["red".to_owned()] } else { Vec::new() };
            let id = processed(&platform.0, Details { category, tags, ..Details::default() }, 1_000 + number).await;
            index::insert(&platform.0, &platform.0, &asset::all(), id.as_str(), 0).await.unwrap();
            project(&platform.0, &id, Trust::Usual).await.unwrap();
            ids.push(id);
        }
        for (number, id) in ids.iter().enumerate() {
            change(&platform.0, id, |asset| match number % 5 {
                0 => asset.details.category = Some(other.clone()),
                1 => asset.deleted_at = Some(2_000),
                _ => asset.state = State::Ready,
            })
            .await;
            if number % 5 == 1 {
                index::remove(&platform.0, &platform.0, &asset::all(), id.as_str()).await.unwrap();
                index::insert(&platform.0, &platform.0, &asset::deleted(), id.as_str(), 0).await.unwrap();
            }
            project(&platform.0, id, Trust::Usual).await.unwrap();
        }
        let before = everything(&platform, &ids, &[&top, &other, &below]).await;
        assert!(before.len() > 95 && before.iter().any(|text| text.contains("red")), "{}", before.len());

        // Whole, and in part.
        for step in [1, 2, 3] {
            let keys = [platform.0.store.keys("image:"), platform.0.store.keys("list:")].concat();
            for key in keys.iter().step_by(step) {
                store::delete(&platform.0, key).await.unwrap();
            }
            rebuild(&platform).await;
            assert_eq!(everything(&platform, &ids, &[&top, &other, &below]).await, before);
        }
    });
}

/// Every image's document and every page of every listing, as they are sent.
async fn everything(platform: &Rc<Shared>, ids: &[Id], categories: &[&Id]) -> Vec<String> {
    let mut all = Vec::new();
    for id in ids {
        let image = document::get(&platform.0, &image::document(id)).await.unwrap();
        all.push(format!("{:?}", image.map(|image| image.value)));
    }
    let listings =
        categories.iter().flat_map(|id| [format!("category={id}&"), format!("category={id}&descendants=true&")]);
    for listing in listings.chain([String::new(), "tag=red&".to_owned()]) {
        let mut cursor = String::new();
        loop {
            let page = get(platform, &format!("/v1/images?{listing}limit=7{cursor}")).await.unwrap();
            all.push(page.to_string());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
    }
    for category in categories {
        let listings = [Listing::Category((*category).clone()).index(), Listing::Tree((*category).clone()).index()];
        all.push(format!("{:?}", index::totals_many(&platform.0, &listings).await.unwrap()));
    }
    all
}

/// Runs a rebuild to its end.
async fn rebuild(platform: &Rc<Shared>) {
    let request = Request {
        method: Method::POST,
        path: "/v1/rebuild".to_owned(),
        query: String::new(),
        headers: HeaderMap::new(),
        id: "test".to_owned(),
        body: Incoming::full(""),
    };
    crate::rebuild::start(&platform.0, &request).await.unwrap();
    crate::worker::drive(&platform.0).await;
    let rebuild = document::get(&platform.0, &image::rebuild()).await.unwrap().unwrap().value;
    assert_eq!((rebuild.state, rebuild.done), (image::RebuildState::Done, rebuild.total));
}

/// An index of so many ids, and the nodes of the tree, written in one go.
fn index_of(total: u64) -> Vec<(String, Vec<u8>)> {
    let listing = Listing::All.index();
    let id = |number: u64| Id::from_parts(number, 0).to_string();
    let mut entries = Vec::new();
    let mut numbers = 0..;
    let mut next = || numbers.next().unwrap_or_default();
    let mut level: Vec<(IndexNode, String, u64)> = (0..total)
        .step_by(128)
        .map(|first| {
            let last = total.min(first + 128);
            (IndexNode::Leaf((first..last).map(|number| IndexEntry(id(number), 0)).collect()), id(first), last - first)
        })
        .collect();
    while level.len() > 1 {
        let mut children = Vec::new();
        for (node, first, count) in level {
            let number = next();
            entries.push(pair(&listing.node(number), &node).unwrap());
            children.push(IndexChild { first, node: number, count, weight: 0 });
        }
        let branch = |group: &[IndexChild]| {
            let count = group.iter().map(|child| child.count).sum();
            (IndexNode::Branch(group.to_vec()), group[0].first.clone(), count)
        };
        level = children.chunks(128).map(branch).collect();
    }
    let top = level.pop().map(|(node, ..)| node).unwrap_or_default();
    let root = Versioned { version: 1, value: IndexRoot { top, next: next(), stale: Vec::new() } };
    entries.push(pair(&listing.root().current(), &root).unwrap());
    entries
}

/// Lists `total` images, the newest 200 of which can be shown, and counts what the newest 20 cost.
fn cost_of_a_page(total: u64) -> store::memory::Operations {
    block_on(async {
        let platform = Rc::new(Shared(TestPlatform::default()));
        let mut entries = index_of(total);
        for number in total.saturating_sub(200)..total {
            let id = Id::from_parts(number, 0);
            let image = Image {
                id: id.clone(),
                details: Details::default(),
                blob: blob(),
                bytes: 5,
                derived: derived(),
                created_at: number as Millis,
                updated_at: number as Millis,
                listings: vec![Listing::All],
            };
            let document = Versioned { version: 1, value: Projection::Shown(Box::new(image)) };
            entries.push(pair(&image::document(&id).current(), &document).unwrap());
        }
        platform.0.set_many(entries).await.unwrap();
        platform.0.store.take_operations();
        assert_eq!(ids(&platform, "/v1/images?limit=20").await.len(), 20);
        platform.0.store.take_operations()
    })
}

#[test]
fn a_page_costs_a_few_reads_however_many_images_there_are() {
    // The root of the index, the documents, the presets.
    assert_eq!(cost_of_a_page(100).reads, 3);
    // A branch and a leaf more, for each 128 times as many; and a second leaf where the page spans two.
    for total in [1_000_000, 1_000_010, 2_000_000] {
        let cost = cost_of_a_page(total);
        assert!(cost.reads <= 6 && cost.writes == 0, "{total}: {cost:?}");
    }
}
