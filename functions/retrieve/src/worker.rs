//! What `retrieve` does when a bell rings: project assets, and bring images along when a category moves.

use kv_schema::image::Listing;
use kv_schema::job::{self, RetrieveJob};
use kv_schema::{Id, Millis};
use store::{StoreError, index};
use work::Platform;
use work::driver::{Limits, Napping, Outcome, Worker, drive as drive_queue, work_off as work_off_queue};

use crate::project::{Projected, Trust, project};
use crate::rebuild;

/// Projections wait for the store and for nothing else: two drivers keep it busy.
const LIMITS: Limits = Limits { drivers: 2, jobs: 4 };

/// Images looked at in one read when a category moves.
const AT_ONCE: usize = 50;

thread_local! {
    static NAPPING: Napping = const { Napping::new() };
}

/// Empties the queue of `retrieve`.
pub async fn drive(platform: &impl Platform) {
    let worker = Retrieve { platform };
    if let Err(error) = drive_queue(&worker, platform, platform, &job::retrieve(), LIMITS, &NAPPING).await {
        platform.log(&format!("the driver of retrieve stopped: {error}"));
    }
}

/// Empties the queue of `retrieve` in a process of its own, and stays for `stay` milliseconds for what is due soon.
pub async fn work_off(platform: &impl Platform, stay: Millis) {
    let worker = Retrieve { platform };
    if let Err(error) = work_off_queue(&worker, platform, platform, &job::retrieve(), LIMITS.jobs, stay).await {
        platform.log(&format!("the worker of retrieve stopped: {error}"));
    }
}

struct Retrieve<'a, P> {
    platform: &'a P,
}

impl<P: Platform> Worker for Retrieve<'_, P> {
    type Task = RetrieveJob;

    async fn run(&self, task: &RetrieveJob, attempt: u32) -> Result<Outcome, StoreError> {
        match task {
            RetrieveJob::Project { asset } => match project(self.platform, asset, Trust::Nothing).await? {
                Projected::UpToDate => Ok(Outcome::Done),
                // An edit of an asset that is not ready yet: its own projection will bring the edit along.
                Projected::NotYet if attempt >= 3 => Ok(Outcome::Done),
                Projected::NotYet => Ok(Outcome::Again { wait: 500 }),
            },
            RetrieveJob::Recategorise { category } => {
                // An attempt that died may have taken out an entry that another projection counts on.
                let trust = if attempt == 1 { Trust::Usual } else { Trust::Nothing };
                recategorise(self.platform, category, trust).await?;
                Ok(Outcome::Done)
            }
            RetrieveJob::Rebuild { rebuild, is_deleted, before } => {
                rebuild::step(self.platform, rebuild, *is_deleted, before.as_ref()).await?;
                Ok(Outcome::Done)
            }
        }
    }

    async fn give_up(&self, _task: &RetrieveJob) -> Result<(), StoreError> {
        Ok(())
    }

    fn log(&self, line: &str) {
        self.platform.log(line);
    }
}

/// Projects every image at or below a category anew.
///
/// # Errors
/// [`StoreError`].
pub async fn recategorise(platform: &impl Platform, category: &Id, trust: Trust) -> Result<(), StoreError> {
    let listing = Listing::Tree(category.clone()).index();
    let mut before: Option<String> = None;
    loop {
        let entries = index::page(platform, &listing, before.as_deref(), AT_ONCE).await?;
        for entry in &entries {
            if let Ok(id) = Id::parse(&entry.0) {
                project(platform, &id, trust).await?;
            }
        }
        match entries.into_iter().last() {
            Some(last) => before = Some(last.0),
            None => return Ok(()),
        }
    }
}
