//! What `ingest` does after it has answered: download, settle, purge.

use events::Data;
use kv_schema::asset::{self, Asset, Failure, Source, State};
use kv_schema::content::{self, BlobId};
use kv_schema::job::{self, IngestJob};
use kv_schema::shape::Versioned;
use kv_schema::{Id, Millis};
use sha2::{Digest, Sha256};
use store::document::Updated;
use store::object::hex;
use store::{StoreError, document, read};
use web::Problem;
use work::driver::{Limits, Napping, Outcome, Worker, drive as drive_queue, work_off as work_off_queue};
use work::{Platform, backoff};

use crate::catalogue;
use crate::changes::retry_next;
use crate::config::{Config, config};
use crate::download::{Dialer, Failed, download};
use crate::originals::{self, adopt, enter, process};
use crate::tell::tell_on;
use crate::upload::failure;

/// Two drivers of six downloads each: enough to fill a line, and at the largest source 480 MB.
const LIMITS: Limits = Limits { drivers: 2, jobs: 6 };

/// An upload whose bytes are not stored after so long was cut off, in milliseconds: they were all here when the asset was
/// accepted.
const UPLOAD_LOST_AFTER: i64 = 30_000;

thread_local! {
    static NAPPING: Napping = const { Napping::new() };
}

/// Empties the queue of `ingest`.
pub async fn drive(platform: &impl Platform, dialer: impl Dialer) {
    let result = match config(platform).await {
        Err(problem) => Err(problem.cause.unwrap_or(problem.detail)),
        Ok(config) => {
            let worker = Ingest { platform, dialer, config };
            let driven = drive_queue(&worker, platform, platform, &job::ingest(), LIMITS, &NAPPING).await;
            driven.map_err(|error| error.to_string())
        }
    };
    if let Err(cause) = result {
        platform.log(&format!("the driver of ingest stopped: {cause}"));
    }
}

/// Empties the queue of `ingest` in a process of its own, and stays for `stay` milliseconds for what is due soon.
pub async fn work_off(platform: &impl Platform, dialer: impl Dialer, stay: Millis) {
    let result = match config(platform).await {
        Err(problem) => Err(problem.cause.unwrap_or(problem.detail)),
        Ok(config) => {
            let worker = Ingest { platform, dialer, config };
            let worked = work_off_queue(&worker, platform, platform, &job::ingest(), LIMITS.jobs, stay).await;
            worked.map_err(|error| error.to_string())
        }
    };
    if let Err(cause) = result {
        platform.log(&format!("the worker of ingest stopped: {cause}"));
    }
}

struct Ingest<'a, P, D> {
    platform: &'a P,
    dialer: D,
    config: Config,
}

impl<P: Platform, D: Dialer> Worker for Ingest<'_, P, D> {
    type Task = IngestJob;

    async fn run(&self, task: &IngestJob, attempt: u32) -> Result<Outcome, StoreError> {
        match task {
            IngestJob::Acquire { asset } => {
                catalogue::enter(self.platform, asset).await?;
                self.acquire(asset, attempt).await
            }
            IngestJob::Settle { asset, blob, failure } => {
                catalogue::enter(self.platform, asset).await?;
                self.settle(asset, blob, failure.as_ref()).await
            }
            IngestJob::Purge { asset } => {
                catalogue::enter(self.platform, asset).await?;
                self.purge(asset).await
            }
            IngestJob::RetryFailed { before } => {
                retry_next(self.platform, before.as_ref()).await?;
                Ok(Outcome::Done)
            }
        }
    }

    async fn give_up(&self, task: &IngestJob) -> Result<(), StoreError> {
        match task {
            IngestJob::Acquire { asset } | IngestJob::Settle { asset, .. } => {
                self.fail(asset, failure("internal", "the asset could not be worked on, for a reason of ours")).await
            }
            IngestJob::Purge { .. } | IngestJob::RetryFailed { .. } => Ok(()),
        }
    }

    fn log(&self, line: &str) {
        self.platform.log(line);
    }
}

impl<P: Platform, D: Dialer> Ingest<'_, P, D> {
    /// Brings an asset's bytes into the store.
    async fn acquire(&self, id: &Id, attempt: u32) -> Result<Outcome, StoreError> {
        let Some(asset) = self.open_asset(id).await? else { return Ok(Outcome::Done) };
        match &asset.source {
            Source::Url { url } => self.acquire_url(id, url, attempt).await,
            Source::Upload => self.acquire_upload(&asset).await,
        }
    }

    /// The asset, while its bytes are still wanted.
    async fn open_asset(&self, id: &Id) -> Result<Option<Asset>, StoreError> {
        let asset = document::get(self.platform, &asset::document(id)).await?.map(|asset| asset.value);
        Ok(asset
            .filter(|asset| asset.deleted_at.is_none() && matches!(asset.state, State::Accepted | State::Downloading)))
    }

    async fn acquire_url(&self, id: &Id, url: &str, attempt: u32) -> Result<Outcome, StoreError> {
        self.change(id, |asset| {
            enter(asset, State::Downloading, self.platform.now());
            asset.attempts += 1;
        })
        .await?;
        match download(&self.dialer, self.platform, &self.config, url).await {
            Ok((bytes, probe)) => {
                let sha256 = hex(&Sha256::digest(&bytes));
                self.done_unless_store_failed(adopt(self.platform, id, &probe, &sha256, &bytes).await.map(drop))
            }
            Err(Failed { is_passing: true, failure }) if attempt < self.config.attempts => {
                self.change(id, |asset| asset.error = Some(failure.clone())).await?;
                let wait = backoff(self.config.retry_base_ms, attempt, self.platform.random());
                Ok(Outcome::Again { wait })
            }
            Err(Failed { failure, .. }) => {
                self.fail(id, failure).await?;
                Ok(Outcome::Done)
            }
        }
    }

    /// An upload's request stores the bytes itself. This sees to one whose request died, or to a retry.
    async fn acquire_upload(&self, asset: &Asset) -> Result<Outcome, StoreError> {
        let blob = asset.content.as_ref().map(|content| &content.blob);
        let is_stored = match blob {
            None => false,
            Some(blob) => read(self.platform, &content::blob(blob)).await?.is_some(),
        };
        let is_retry = asset.history.iter().any(|step| step.state == State::Failed);
        let is_old = self.platform.now() - asset.created_at > UPLOAD_LOST_AFTER;
        match blob {
            Some(blob) if is_stored && (is_retry || is_old) => {
                self.done_unless_store_failed(process(self.platform, &asset.id, blob, |_| {}).await.map(drop))
            }
            _ if is_old => {
                self.fail(&asset.id, failure("upload-interrupted", "the upload ended before its bytes were stored"))
                    .await?;
                Ok(Outcome::Done)
            }
            _ => Ok(Outcome::Again { wait: 5_000 }),
        }
    }

    fn done_unless_store_failed(&self, result: Result<(), Problem>) -> Result<Outcome, StoreError> {
        match result {
            Err(problem) if problem.status.is_server_error() => {
                Err(StoreError::Unavailable(problem.cause.unwrap_or(problem.detail)))
            }
            // Done, or the asset was deleted meanwhile.
            _ => Ok(Outcome::Done),
        }
    }

    /// Says how it ended, if it is still about these bytes.
    async fn settle(&self, id: &Id, blob: &BlobId, failure: Option<&Failure>) -> Result<Outcome, StoreError> {
        let mut is_early = false;
        let settled = self.update(id, |asset| {
            let is_same = asset.content.as_ref().is_some_and(|content| content.blob == *blob);
            is_early = matches!(asset.state, State::Accepted | State::Downloading);
            if !is_same || asset.state != State::Processing {
                return false;
            }
            asset.error = failure.cloned();
            let state = if failure.is_some() { State::Failed } else { State::Ready };
            enter(asset, state, self.platform.now());
            true
        });
        let settled = settled.await?;
        if failure.is_some() {
            catalogue::enter(self.platform, id).await?;
        }
        if let Some(asset) = settled {
            let what = if failure.is_some() { Data::AssetFailed } else { Data::AssetReady };
            tell_on(self.platform, what, &asset).await;
        }
        Ok(if is_early { Outcome::Again { wait: 200 } } else { Outcome::Done })
    }

    async fn fail(&self, id: &Id, failure: Failure) -> Result<(), StoreError> {
        self.platform.log(&format!("asset {id} failed: {} {}", failure.code, failure.detail));
        let failed = self.change(id, |asset| {
            asset.error = Some(failure.clone());
            enter(asset, State::Failed, self.platform.now());
        });
        let failed = failed.await?;
        catalogue::enter(self.platform, id).await?;
        if let Some(asset) = failed {
            tell_on(self.platform, Data::AssetFailed, &asset).await;
        }
        originals::release_linked(self.platform, id).await
    }

    /// Lets go of a deleted asset's bytes.
    async fn purge(&self, id: &Id) -> Result<Outcome, StoreError> {
        originals::release_linked(self.platform, id).await?;
        Ok(Outcome::Done)
    }

    /// Changes an asset that is there and neither deleted nor settled. Answers it as it was written, if it was.
    async fn change(
        &self,
        id: &Id,
        mut change: impl FnMut(&mut Asset),
    ) -> Result<Option<Versioned<Asset>>, StoreError> {
        self.update(id, |asset| {
            let is_open = !matches!(asset.state, State::Ready | State::Failed);
            if is_open {
                change(asset);
            }
            is_open
        })
        .await
    }

    async fn update(
        &self,
        id: &Id,
        mut change: impl FnMut(&mut Asset) -> bool,
    ) -> Result<Option<Versioned<Asset>>, StoreError> {
        let document = asset::document(id);
        let changed = document::update(self.platform, self.platform, &document, |current| {
            let Some(Versioned { value, .. }) = current.filter(|current| current.value.deleted_at.is_none()) else {
                return Ok::<_, StoreError>(None);
            };
            let mut asset = value.clone();
            Ok(change(&mut asset).then_some(asset))
        });
        match changed.await? {
            Updated::Written(asset) => Ok(Some(asset)),
            Updated::Unchanged(_) => Ok(None),
        }
    }
}
