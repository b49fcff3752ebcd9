//! What `resize` does when a bell rings: derive, refine, forget.
//!
//! Behind HTTP, the decoding runs in a request of its own, in an instance that may die of it. A worker can't ask for that:
//! it decodes here, one picture after the other, and dies of it itself.

use kv_schema::asset::Failure;
use kv_schema::content::{self, BlobId};
use kv_schema::job::{self, IngestJob, ResizeJob, RetrieveJob};
use kv_schema::{Id, Millis};
use store::StoreError;
use work::driver::{Limits, Napping, Outcome, Worker, drive as drive_queue, work_off as work_off_queue};
use work::{Context, Platform, backoff, queue};

use crate::derive;
use crate::forget::forget;
use crate::render;
use crate::tell::{tell_of_derived, tell_of_refined};

/// Two pictures are decoded at once: one for each core of a small machine, less than 512 MB each.
const LIMITS: Limits = Limits { drivers: 2, jobs: 1 };

/// A picture that so many decoders did not survive is taken for the cause.
const MOST_DEATHS: u32 = 3;

/// The same in a worker, which dies with its decoder and can't tell deaths from other ends: they all count.
const MOST_ENDS: u32 = 6;

/// Attempts after which an original that can't be found is given up.
const MOST_MISSES: u32 = 3;

thread_local! {
    static NAPPING: Napping = const { Napping::new() };
}

/// Empties the queue of `resize`.
pub async fn drive(platform: &impl Platform) {
    let worker = Resize { platform, decodes: Decodes::Elsewhere };
    if let Err(error) = drive_queue(&worker, platform, platform, &job::resize(), LIMITS, &NAPPING).await {
        platform.log(&format!("the driver of resize stopped: {error}"));
    }
}

/// Empties the queue of `resize` in a process of its own, and stays for `stay` milliseconds for what is due soon.
pub async fn work_off(platform: &impl Platform, stay: Millis) {
    let worker = Resize { platform, decodes: Decodes::Here };
    if let Err(error) = work_off_queue(&worker, platform, platform, &job::resize(), LIMITS.jobs, stay).await {
        platform.log(&format!("the worker of resize stopped: {error}"));
    }
}

/// Where pictures are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decodes {
    /// In another instance, which is asked for it.
    Elsewhere,
    /// In this one.
    Here,
}

struct Resize<'a, P> {
    platform: &'a P,
    decodes: Decodes,
}

impl<P: Platform> Worker for Resize<'_, P> {
    type Task = ResizeJob;

    async fn run(&self, task: &ResizeJob, attempt: u32) -> Result<Outcome, StoreError> {
        match task {
            ResizeJob::Derive { asset, blob } => self.derive(asset, blob, attempt).await,
            ResizeJob::Refine { blob, plan, window } => self.refine(blob, plan, *window, attempt).await,
            ResizeJob::Forget { blob } => {
                forget(self.platform, blob).await?;
                Ok(Outcome::Done)
            }
        }
    }

    async fn give_up(&self, task: &ResizeJob) -> Result<(), StoreError> {
        match task {
            ResizeJob::Derive { asset, blob } => {
                self.settle(asset, blob, failed("internal", "the picture could not be worked on, for a reason of ours"))
                    .await
            }
            ResizeJob::Forget { .. } | ResizeJob::Refine { .. } => Ok(()),
        }
    }

    fn log(&self, line: &str) {
        self.platform.log(line);
    }
}

impl<P: Platform> Resize<'_, P> {
    async fn derive(&self, asset: &Id, blob: &BlobId, attempt: u32) -> Result<Outcome, StoreError> {
        if self.decodes == Decodes::Here && attempt > MOST_ENDS {
            self.settle(asset, blob, failed("image-corrupt", "no decoder survives this picture")).await?;
            return Ok(Outcome::Done);
        }
        match self.decode(blob).await {
            Ok((200, _)) => {
                let task = RetrieveJob::Project { asset: asset.clone() };
                queue::push(self.platform, self.platform, &job::retrieve(), task, Vec::new()).await?;
                tell_of_derived(self.platform, asset, blob).await?;
                Ok(Outcome::Done)
            }
            Ok((422, body)) => {
                let failure = serde_json::from_slice(&body)
                    .unwrap_or_else(|_| failed("image-corrupt", "the picture can't be decoded"));
                self.settle(asset, blob, failure).await?;
                Ok(Outcome::Done)
            }
            Ok((404, _)) if attempt >= MOST_MISSES => {
                self.settle(asset, blob, failed("original-missing", "the stored original is not there")).await?;
                Ok(Outcome::Done)
            }
            Ok((status, body)) => {
                let text = String::from_utf8_lossy(&body);
                self.platform.log(&format!("deriving {} answered {status}: {text}", blob.text()));
                Ok(self.later(attempt))
            }
            Err(cause) if attempt >= MOST_DEATHS => {
                self.platform.log(&format!("deriving {} failed for good: {cause}", blob.text()));
                self.settle(asset, blob, failed("image-corrupt", "no decoder survives this picture")).await?;
                Ok(Outcome::Done)
            }
            Err(cause) => {
                self.platform.log(&format!("deriving {}: {cause}", blob.text()));
                Ok(self.later(attempt))
            }
        }
    }

    /// Has a variant made. One that can't be made is left alone until the window of its order is over.
    async fn refine(&self, blob: &BlobId, plan: &str, window: u64, attempt: u32) -> Result<Outcome, StoreError> {
        let made = match self.decodes {
            Decodes::Elsewhere => {
                let path = format!("/internal/refine/{}/{plan}", blob.text());
                self.platform.ask(Context::Resize, &path).await.map(|(status, _)| status)
            }
            Decodes::Here if attempt > MOST_DEATHS => Err("no worker survives it".to_owned()),
            Decodes::Here => Ok(match render::refine(self.platform, &blob.text(), plan).await {
                Ok(true) => 200,
                Ok(false) => 202,
                Err(problem) => problem.status.as_u16(),
            }),
        };
        match made {
            Ok(200) => {
                store::delete(self.platform, content::variant(blob, plan).order(window).name()).await?;
                self.platform.increment(content::renders().name(), 1).await?;
                tell_of_refined(self.platform, blob, plan).await;
                Ok(Outcome::Done)
            }
            Ok(404 | 422) => Ok(Outcome::Done),
            Ok(_) => Ok(self.later(attempt)),
            Err(cause) => {
                self.platform.log(&format!("making {plan} of {}: {cause}", blob.text()));
                Ok(if attempt < MOST_DEATHS { self.later(attempt) } else { Outcome::Done })
            }
        }
    }

    /// Has an original decoded, and all made of it; the answer's status and body.
    async fn decode(&self, blob: &BlobId) -> Result<(u16, Vec<u8>), String> {
        match self.decodes {
            Decodes::Elsewhere => {
                self.platform.ask(Context::Resize, &format!("/internal/derive/{}", blob.text())).await
            }
            Decodes::Here => Ok(match derive::derive(self.platform, &blob.text()).await {
                Ok(response) => {
                    let body = response.full_body().map(|body| body.to_vec());
                    (response.status.as_u16(), body.unwrap_or_default())
                }
                Err(problem) => {
                    let cause = problem.cause.unwrap_or(problem.detail);
                    (problem.status.as_u16(), cause.into_bytes())
                }
            }),
        }
    }

    fn later(&self, attempt: u32) -> Outcome {
        Outcome::Again { wait: backoff(500, attempt, self.platform.random()) }
    }

    /// Has `ingest` say that an asset failed.
    async fn settle(&self, asset: &Id, blob: &BlobId, failure: Failure) -> Result<(), StoreError> {
        let task = IngestJob::Settle { asset: asset.clone(), blob: blob.clone(), failure: Some(failure) };
        queue::push(self.platform, self.platform, &job::ingest(), task, Vec::new()).await?;
        self.platform.ring(Context::Ingest).await;
        Ok(())
    }
}

fn failed(code: &str, detail: &str) -> Failure {
    Failure { code: code.to_owned(), detail: detail.to_owned(), limit: None, actual: None }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use kv_schema::content::{self, Blob};
    use store::memory::TestPlatform;
    use store::object::{self, Description};
    use store::{new_id, read, write};

    use super::*;

    const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

    /// A stored original, and the job to derive from it.
    async fn job_for(platform: &TestPlatform, bytes: &[u8]) -> BlobId {
        let blob = BlobId { sha256: "a".repeat(64), generation: 0 };
        let mime = "image/gif".to_owned();
        let description = Description { mime: mime.clone(), width: 1, height: 1 };
        object::put(platform, &content::original(&blob), description, bytes).await.unwrap();
        let stored = Blob { bytes: bytes.len() as u64, mime, stored_at: 0 };
        write(platform, &content::blob(&blob), &stored).await.unwrap();
        let task = ResizeJob::Derive { asset: new_id(platform), blob: blob.clone() };
        queue::push(platform, platform, &job::resize(), task, Vec::new()).await.unwrap();
        blob
    }

    /// How the next job of `ingest` says that an asset failed.
    async fn failure_code(platform: &TestPlatform) -> Option<String> {
        match queue::take(platform, platform, &job::ingest()).await.unwrap() {
            queue::Next::Taken(queue::Taken { task: IngestJob::Settle { failure, .. }, .. }) => {
                failure.map(|failure| failure.code)
            }
            _ => None,
        }
    }

    #[test]
    fn a_worker_decodes_by_itself_and_tells_of_it() {
        block_on(async {
            let platform = TestPlatform::default();
            let blob = job_for(&platform, GIF).await;
            work_off(&platform, 0).await;
            assert!(read(&platform, &content::derived(&blob)).await.unwrap().is_some());
            assert_eq!(platform.heard.take(), ["variant.ready"]);
            assert_eq!(queue::depth(&platform, &platform, &job::retrieve()).await.unwrap().open, 1);
        });
    }

    #[test]
    fn a_worker_says_that_a_picture_is_corrupt() {
        block_on(async {
            let platform = TestPlatform::default();
            job_for(&platform, &GIF[..20]).await;
            work_off(&platform, 0).await;
            assert_eq!(failure_code(&platform).await.as_deref(), Some("image-corrupt"));
        });
    }

    #[test]
    fn a_picture_that_many_workers_did_not_survive_is_given_up() {
        block_on(async {
            let platform = TestPlatform::default();
            let blob = job_for(&platform, GIF).await;
            for _ in 0..MOST_ENDS {
                let next = queue::take(&platform, &platform, &job::resize()).await.unwrap();
                assert!(matches!(next, queue::Next::Taken(_)));
                platform.clock.advance(queue::LEASE);
            }
            work_off(&platform, 0).await;
            assert_eq!(failure_code(&platform).await.as_deref(), Some("image-corrupt"));
            assert!(read(&platform, &content::derived(&blob)).await.unwrap().is_none());
        });
    }
}
