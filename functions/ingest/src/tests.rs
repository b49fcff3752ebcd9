//! Changes that are cut short at every write: what was begun is finished by a job, or was never begun.

use futures::executor::block_on;
use http::{HeaderMap, Method};
use kv_schema::asset::{self, Asset, Content, Details, Source, State};
use kv_schema::content::{self, BlobId};
use kv_schema::job;
use kv_schema::shape::Versioned;
use store::document;
use store::memory::TestPlatform;
use web::Request;
use web::body::Incoming;
use work::queue;

use crate::create::{new_asset, write_new};

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
    let mut asset = new_asset(id, source, Details::default(), 0);
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

fn blob() -> BlobId {
    BlobId { sha256: "b".repeat(64), generation: 0 }
}
