//! What `retrieve` does when a bell rings: project assets, and bring images along when a category moves.

use kv_schema::Id;
use kv_schema::image::Listing;
use kv_schema::job::{self, RetrieveJob};
use store::{StoreError, log};
use work::Platform;
use work::driver::{Limits, Napping, Outcome, Worker, drive as drive_queue};

use crate::project::{Projected, project};

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

struct Retrieve<'a, P> {
    platform: &'a P,
}

impl<P: Platform> Worker for Retrieve<'_, P> {
    type Task = RetrieveJob;

    async fn run(&self, task: &RetrieveJob, attempt: u32) -> Result<Outcome, StoreError> {
        match task {
            RetrieveJob::Project { asset } => match project(self.platform, asset).await? {
                Projected::UpToDate => Ok(Outcome::Done),
                // An edit of an asset that is not ready yet: its own projection will bring the edit along.
                Projected::NotYet if attempt >= 3 => Ok(Outcome::Done),
                Projected::NotYet => Ok(Outcome::Again { wait: 500 }),
            },
            RetrieveJob::Recategorise { category } => {
                recategorise(self.platform, category).await?;
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
pub async fn recategorise(platform: &impl Platform, category: &Id) -> Result<(), StoreError> {
    let entries = Listing::Tree(category.clone()).log();
    let mut before = None;
    loop {
        let page = log::page(platform, &entries, before, AT_ONCE).await?;
        for (_, entry) in &page.entries {
            project(platform, &entry.id).await?;
        }
        if page.next == 0 {
            return Ok(());
        }
        before = Some(page.next);
    }
}
