//! What `resize` does when a bell rings: derive, forget. The decoding itself runs in a request of its own.

use kv_schema::Id;
use kv_schema::asset::Failure;
use kv_schema::content::BlobId;
use kv_schema::job::{self, IngestJob, ResizeJob, RetrieveJob};
use store::StoreError;
use work::driver::{Limits, Napping, Outcome, Worker, drive as drive_queue};
use work::{Context, Platform, backoff, queue};

use crate::forget::forget;

/// Two pictures are decoded at once: one for each core of a small machine, 400 MB each at the most.
const LIMITS: Limits = Limits { drivers: 2, jobs: 1 };

/// A picture that so many decoders did not survive is taken for the cause.
const MOST_DEATHS: u32 = 3;

/// Attempts after which an original that can't be found is given up.
const MOST_MISSES: u32 = 3;

thread_local! {
    static NAPPING: Napping = const { Napping::new() };
}

/// Empties the queue of `resize`.
pub async fn drive(platform: &impl Platform) {
    let worker = Resize { platform };
    if let Err(error) = drive_queue(&worker, platform, platform, &job::resize(), LIMITS, &NAPPING).await {
        platform.log(&format!("the driver of resize stopped: {error}"));
    }
}

struct Resize<'a, P> {
    platform: &'a P,
}

impl<P: Platform> Worker for Resize<'_, P> {
    type Task = ResizeJob;

    async fn run(&self, task: &ResizeJob, attempt: u32) -> Result<Outcome, StoreError> {
        match task {
            ResizeJob::Derive { asset, blob } => self.derive(asset, blob, attempt).await,
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
            ResizeJob::Forget { .. } => Ok(()),
        }
    }

    fn log(&self, line: &str) {
        self.platform.log(line);
    }
}

impl<P: Platform> Resize<'_, P> {
    async fn derive(&self, asset: &Id, blob: &BlobId, attempt: u32) -> Result<Outcome, StoreError> {
        let path = format!("/internal/derive/{}", blob.text());
        match self.platform.ask(Context::Resize, &path).await {
            Ok((200, _)) => {
                let task = RetrieveJob::Project { asset: asset.clone() };
                queue::push(self.platform, self.platform, &job::retrieve(), task, Vec::new()).await?;
                self.platform.ring(Context::Retrieve).await;
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
