//! Changes that are cut short at every write: what was begun is finished by a job, or was never begun.

use std::cell::RefCell;

use futures::executor::block_on;
use http::{HeaderMap, Method};
use kv_schema::Millis;
use kv_schema::asset::{self, Asset, Content, Details, Source, State};
use kv_schema::content::{self, BlobId};
use kv_schema::job;
use kv_schema::shape::Versioned;
use store::memory::TestPlatform;
use store::{Clock, document, index};
use url::Url;
use web::Request;
use web::body::Incoming;
use web::dial::{Answer, DialError};
use work::queue;

use crate::create::{new_asset, write_new};
use crate::download::Dialer;

fn request(method: Method, path: &str) -> Request {
    Request {
        method,
        path: path.to_owned(),
        query: String::new(),
        headers: HeaderMap::new(),
        id: "test".to_owned(),
        body: Incoming::full(""),
    }
}

/// An asset in `state`, all its jobs done.
async fn settled(platform: &TestPlatform, state: State) -> Versioned<Asset> {
    let id = store::new_id(platform);
    let source = Source::Url { url: "http://example.com/".to_owned() };
    let mut asset = new_asset(id, source, Details::default());
    asset.state = state;
    asset.content = Some(Content {
        blob: BlobId { sha256: "a".repeat(64), generation: 0 },
        reference: 1,
        bytes: 1,
        mime: "image/gif".to_owned(),
        width: 1,
        height: 1,
    });
    let asset = write_new(platform, asset).await.unwrap();
    let queue::Next::Taken(taken) = queue::take(platform, platform, &job::ingest()).await.unwrap() else {
        panic!("the job of a new asset is not there");
    };
    queue::finish(platform, &job::ingest(), &taken).await.unwrap();
    asset
}

async fn open_jobs(platform: &TestPlatform) -> (u64, u64) {
    let ingest = queue::depth(platform, platform, &job::ingest()).await.unwrap().open;
    let retrieve = queue::depth(platform, platform, &job::retrieve()).await.unwrap().open;
    (ingest, retrieve)
}

async fn read(platform: &TestPlatform, asset: &Versioned<Asset>) -> Asset {
    document::get(platform, &asset::document(&asset.value.id)).await.unwrap().unwrap().value
}

#[test]
fn a_deletion_that_was_cut_short_leaves_its_jobs_or_nothing() {
    block_on(async {
        for writes in 0..12 {
            let platform = TestPlatform::default();
            let asset = settled(&platform, State::Ready).await;
            platform.store.fail_after(Some(writes));
            let id = asset.value.id.as_str();
            let _ = crate::changes::delete(&platform, &request(Method::DELETE, "/"), id).await;
            platform.store.fail_after(None);
            let is_deleted = read(&platform, &asset).await.deleted_at.is_some();
            let expected = if is_deleted { (1, 1) } else { (0, 0) };
            assert_eq!(open_jobs(&platform).await, expected, "cut after {writes}");
        }
    });
}

#[test]
fn a_retry_that_was_cut_short_leaves_its_job_or_nothing() {
    block_on(async {
        for writes in 0..12 {
            let platform = TestPlatform::default();
            let asset = settled(&platform, State::Failed).await;
            platform.store.fail_after(Some(writes));
            let id = asset.value.id.as_str();
            let _ = crate::changes::retry(&platform, &request(Method::POST, "/"), id).await;
            platform.store.fail_after(None);
            let is_open = read(&platform, &asset).await.state == State::Accepted;
            assert_eq!(open_jobs(&platform).await, (u64::from(is_open), 0), "cut after {writes}");
        }
    });
}

#[test]
fn bytes_that_a_dead_process_linked_go_with_the_asset() {
    block_on(async {
        for writes in 0..9 {
            let platform = TestPlatform::default();
            let asset = settled(&platform, State::Downloading).await;
            let id = &asset.value.id;
            let bytes = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
            let probe = probe::probe(bytes).unwrap();
            platform.store.fail_after(Some(writes));
            let _ = crate::originals::adopt(&platform, id, &probe, &"b".repeat(64), bytes).await;
            platform.store.fail_after(None);
            crate::changes::delete(&platform, &request(Method::DELETE, "/"), id.as_str()).await.unwrap();
            crate::originals::release_linked(&platform, id).await.unwrap();
            let left = platform.store.keys("blob:");
            // A position given out and never written is all that may be left, and that is a counter.
            let is_counter = |key: &String| *key == *content::references(&blob()).length().name();
            assert!(left.iter().all(is_counter), "cut after {writes}: {left:?}");
        }
    });
}

/// A source that is never there, and when it was asked for.
struct Away<'a> {
    platform: &'a TestPlatform,
    asked: &'a RefCell<Vec<Millis>>,
}

impl Dialer for Away<'_> {
    async fn get(&self, _url: &url::Url) -> Result<Answer, DialError> {
        self.asked.borrow_mut().push(self.platform.now());
        Err(DialError::Unreachable("it is away".to_owned()))
    }
}

#[test]
fn a_source_that_stays_away_is_asked_five_times_with_growing_waits_and_then_given_up() {
    block_on(async {
        let (platform, asked) = (TestPlatform::default(), RefCell::new(Vec::new()));
        let id = store::new_id(&platform);
        let source = Source::Url { url: "http://example.com/".to_owned() };
        let asset = write_new(&platform, new_asset(id.clone(), source, Details::default())).await.unwrap();
        crate::worker::drive(&platform, Away { platform: &platform, asked: &asked }).await;

        let asked = asked.into_inner();
        let waits: Vec<Millis> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(waits.len(), 4, "{waits:?}");
        // Doubled each time, less up to a half by chance; and what the driver takes to look again.
        for (wait, whole) in waits.iter().zip([1_000, 2_000, 4_000, 8_000]) {
            assert!((whole / 2..=whole + 150).contains(wait), "{waits:?}");
        }
        let failed = read(&platform, &asset).await;
        assert_eq!((failed.state, failed.attempts), (State::Failed, 5));
        assert_eq!(failed.error.unwrap().code, "source-unreachable");
        let entries = index::page(&platform, &asset::failed(), None, 10).await.unwrap();
        assert_eq!(entries.into_iter().map(|entry| entry.0).collect::<Vec<_>>(), [id.to_string()]);
        assert_eq!(open_jobs(&platform).await, (0, 0));
    });
}

fn blob() -> BlobId {
    BlobId { sha256: "b".repeat(64), generation: 0 }
}

/// A server that has one picture.
struct OnePicture;

impl Dialer for OnePicture {
    async fn get(&self, _url: &Url) -> Result<Answer, DialError> {
        let picture: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
        Ok(Answer { status: http::StatusCode::OK, headers: HeaderMap::new(), body: Incoming::full(picture) })
    }
}

#[test]
fn what_happens_to_an_asset_is_told_in_its_order_and_in_its_trace() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    block_on(async {
        let platform = TestPlatform::default();
        let told =
            || -> Vec<String> { platform.heard.take().into_iter().filter(|line| line.starts_with("asset.")).collect() };
        let settle = async |asset: &Asset, failure| {
            let blob = asset.content.clone().unwrap().blob;
            let task = job::IngestJob::Settle { asset: asset.id.clone(), blob, failure };
            queue::push(&platform, &platform, &job::ingest(), task, Vec::new()).await.unwrap();
            crate::worker::work_off(&platform, OnePicture, 0).await;
        };

        let mut create = request(Method::POST, "/v1/assets");
        create.headers.insert("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01").parse().unwrap());
        create.body = Incoming::full(r#"{ "source_url": "http://example.com/one.gif" }"#);
        let response = crate::create::create(&platform, create).await.unwrap();
        assert_eq!(told(), ["asset.accepted"]);
        crate::worker::work_off(&platform, OnePicture, 0).await;
        assert_eq!(told(), ["asset.stored"]);

        let location = response.headers[http::header::LOCATION].to_str().unwrap().to_owned();
        let id = location.rsplit('/').next().unwrap();
        let asset = crate::read::find(&platform, id).await.unwrap();
        assert!(asset.value.trace.as_ref().unwrap().contains(TRACE), "{:?}", asset.value.trace);
        settle(&asset.value, Some(crate::upload::failure("image-corrupt", "no"))).await;
        assert_eq!(told(), ["asset.failed"]);

        crate::changes::retry(&platform, &request(Method::POST, "/"), id).await.unwrap();
        crate::worker::work_off(&platform, OnePicture, 0).await;
        settle(&asset.value, None).await;
        // Settled already: nothing happens, and nothing is told.
        settle(&asset.value, None).await;
        assert_eq!(told(), ["asset.accepted", "asset.stored", "asset.ready"]);

        let mut edit = request(Method::PATCH, "/");
        edit.body = Incoming::full(r#"{ "title": "One" }"#);
        edit.headers.insert("content-type", "application/json".parse().unwrap());
        crate::changes::edit(&platform, edit, id).await.unwrap();
        crate::changes::delete(&platform, &request(Method::DELETE, "/"), id).await.unwrap();
        assert_eq!(told(), ["asset.updated", "asset.deleted"]);
    });
}

#[test]
fn an_adoption_that_was_cut_short_leaves_the_state_and_its_job_or_neither() {
    block_on(async {
        let bytes = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
        let probe = probe::probe(bytes).unwrap();
        let mut n_processing = 0;
        for writes in 0..30 {
            let platform = TestPlatform::default();
            let asset = settled(&platform, State::Downloading).await;
            platform.store.fail_after(Some(writes));
            let _ = crate::originals::adopt(&platform, &asset.value.id, &probe, &"b".repeat(64), bytes).await;
            platform.store.fail_after(None);
            let is_processing = read(&platform, &asset).await.state == State::Processing;
            let open = queue::depth(&platform, &platform, &job::resize()).await.unwrap().open;
            assert_eq!(open, u64::from(is_processing), "cut after {writes}");
            n_processing += u64::from(is_processing);
        }
        assert!((1..30).contains(&n_processing));
    });
}
