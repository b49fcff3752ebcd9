//! The driver: takes jobs until none is due, a few at a time, and is there again when the next one is.

use std::cell::Cell;
use std::thread::LocalKey;

use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use kv_schema::Millis;
use kv_schema::shape::{Queue, Slot};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Clock, Store, StoreError, read, write};

use crate::queue::{self, LEASE, Next, Taken};

/// A driver that sleeps longer than this for the next job to be due goes home: some later request rings again.
const LONGEST_NAP: Millis = 90_000;

/// While there is room for more jobs, the queue is looked at this often, in milliseconds.
const LOOK_EVERY: u64 = 100;

/// The same in a worker, which is told of new jobs only when it is done.
const WORKER_LOOKS_EVERY: u64 = 50;

/// A job that was attempted this often without an end of its own making is given up.
pub const MOST_ATTEMPTS: u32 = 10;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to do.
    Done,
    /// To be attempted again after so many milliseconds.
    Again {
        /// Milliseconds.
        wait: u64,
    },
}

/// Does the jobs of one context.
pub trait Worker {
    /// What a job says.
    type Task: Serialize + DeserializeOwned + Clone;

    /// Does one attempt of a job.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed: the job is attempted again later.
    async fn run(&self, task: &Self::Task, attempt: u32) -> Result<Outcome, StoreError>;

    /// Ends a job that was attempted [`MOST_ATTEMPTS`] times, visibly.
    ///
    /// # Errors
    /// [`StoreError`]; it is called again later then.
    async fn give_up(&self, task: &Self::Task) -> Result<(), StoreError>;

    /// Writes a line to the log.
    fn log(&self, line: &str);
}

/// How much is done at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Drivers at work on the queue, over all instances.
    pub drivers: u32,
    /// Jobs that one driver does at once.
    pub jobs: usize,
}

/// Keeps an instance from having more than one driver that sleeps until the next job is due.
#[derive(Debug, Default)]
pub struct Napping(Cell<bool>);

impl Napping {
    /// Nobody sleeps.
    pub const fn new() -> Self {
        Self(Cell::new(false))
    }
}

/// Empties the queue, or leaves when enough others are at it.
///
/// # Errors
/// [`StoreError`] when the store failed: the next bell tries again.
pub async fn drive<W: Worker>(
    worker: &W,
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<W::Task>,
    limits: Limits,
    napping: &'static LocalKey<Napping>,
) -> Result<(), StoreError> {
    let name = store::object::hex(&clock.random().to_le_bytes());
    loop {
        if let Some(slot) = acquire(store, clock, queue, limits.drivers, &name).await? {
            let worked = work(worker, store, clock, queue, limits.jobs, (slot, &name)).await;
            store::delete(store, queue.slot(slot).name()).await?;
            worked?;
        }
        // Looked at after the slot is free: a job that came just before rang a bell that found the slot taken.
        let Some(due) = queue::next_due(store, clock, queue).await? else { return Ok(()) };
        let nap = due - clock.now();
        if nap > LONGEST_NAP || napping.with(|napping| napping.0.replace(true)) {
            return Ok(());
        }
        // Where all slots are taken something is due already: the others are at it, look again soon.
        clock.sleep(u64::try_from(nap).unwrap_or(0).max(100)).await;
        napping.with(|napping| napping.0.set(false));
    }
}

/// Takes a free slot. Two drivers may both take one in the same moment: slots only bound how much runs at once.
async fn acquire<T>(
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<T>,
    drivers: u32,
    name: &str,
) -> Result<Option<u32>, StoreError> {
    for index in 0..drivers {
        let key = queue.slot(index);
        if read(store, &key).await?.is_none_or(|slot| slot.until < clock.now()) {
            write(store, &key, &Slot { holder: name.to_owned(), until: clock.now() + LEASE }).await?;
            if read(store, &key).await?.is_some_and(|slot| slot.holder == name) {
                return Ok(Some(index));
            }
        }
    }
    Ok(None)
}

/// Works until no job is due and none is under way. Jobs that come meanwhile are taken while there is room for them.
async fn work<W: Worker>(
    worker: &W,
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<W::Task>,
    jobs: usize,
    (slot, name): (u32, &str),
) -> Result<(), StoreError> {
    let mut running = FuturesUnordered::new();
    let mut slot_until = clock.now() + LEASE;
    loop {
        while running.len() < jobs {
            let Next::Taken(taken) = queue::take(store, clock, queue).await? else { break };
            running.push(run(worker, store, clock, queue, taken));
        }
        let pause = if running.len() < jobs { LOOK_EVERY } else { LEASE.unsigned_abs() / 4 };
        match end_within(&mut running, clock, pause).await? {
            Waited::NothingRuns => return Ok(()),
            Waited::OneEnded | Waited::TimePassed => {}
        }
        if slot_until - clock.now() < LEASE / 2 {
            slot_until = clock.now() + LEASE;
            write(store, &queue.slot(slot), &Slot { holder: name.to_owned(), until: slot_until }).await?;
        }
    }
}

/// Empties the queue in a process that handles one message after the other, and so needs no slots. When nothing is
/// under way, it stays for `stay` milliseconds as long as a job will be due within that time, then returns: the next
/// message finds the rest.
///
/// # Errors
/// [`StoreError`] when the store failed: the next message tries again.
pub async fn work_off<W: Worker>(
    worker: &W,
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<W::Task>,
    jobs: usize,
    stay: Millis,
) -> Result<(), StoreError> {
    let mut running = FuturesUnordered::new();
    let mut idle_since = None;
    loop {
        let mut due = None;
        while running.len() < jobs {
            match queue::take(store, clock, queue).await? {
                Next::Taken(taken) => running.push(run(worker, store, clock, queue, taken)),
                Next::Wait(until) => {
                    due = Some(until);
                    break;
                }
                Next::Empty => break,
            }
        }
        match end_within(&mut running, clock, WORKER_LOOKS_EVERY).await? {
            Waited::OneEnded | Waited::TimePassed => idle_since = None,
            Waited::NothingRuns => {
                let now = clock.now();
                let leave_at = *idle_since.get_or_insert(now) + stay;
                if now >= leave_at || due.is_none_or(|due| due > leave_at) {
                    return Ok(());
                }
                clock.sleep(WORKER_LOOKS_EVERY).await;
            }
        }
    }
}

/// What waiting for an end brought.
enum Waited {
    NothingRuns,
    OneEnded,
    TimePassed,
}

/// Waits until one of `running` has ended, for `pause` milliseconds at the most.
async fn end_within<F: Future<Output = Result<(), StoreError>>>(
    running: &mut FuturesUnordered<F>,
    clock: &impl Clock,
    pause: u64,
) -> Result<Waited, StoreError> {
    let pause = std::pin::pin!(clock.sleep(pause));
    match select(running.next(), pause).await {
        Either::Left((None, _)) => Ok(Waited::NothingRuns),
        Either::Left((Some(ended), _)) => ended.map(|()| Waited::OneEnded),
        Either::Right(((), _)) => Ok(Waited::TimePassed),
    }
}

/// Runs one attempt of a job, renewing its lease meanwhile, and writes down how it ended.
async fn run<W: Worker>(
    worker: &W,
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<W::Task>,
    taken: Taken<W::Task>,
) -> Result<(), StoreError> {
    if taken.attempt > MOST_ATTEMPTS {
        worker.log(&format!("{} {}: given up after {MOST_ATTEMPTS} attempts", queue.name(), taken.position));
        worker.give_up(&taken.task).await?;
        return queue::finish(store, queue, &taken).await;
    }
    let attempt = std::pin::pin!(worker.run(&taken.task, taken.attempt));
    let renewal = std::pin::pin!(keep_renewing(store, clock, queue, &taken));
    let outcome = match select(attempt, renewal).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right((lost, _)) => {
            lost?;
            worker.log(&format!("{} {}: another has taken over", queue.name(), taken.position));
            return Ok(());
        }
    };
    match outcome {
        Ok(Outcome::Done) => queue::finish(store, queue, &taken).await,
        Ok(Outcome::Again { wait }) => queue::postpone(store, clock, queue, &taken, wait).await,
        Err(error) => {
            worker.log(&format!("{} {}, attempt {}: {error}", queue.name(), taken.position, taken.attempt));
            let wait = crate::backoff(500, taken.attempt, clock.random());
            queue::postpone(store, clock, queue, &taken, wait).await
        }
    }
}

/// Renews a lease until dropped, or until another has the job.
async fn keep_renewing<T>(
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<T>,
    taken: &Taken<T>,
) -> Result<(), StoreError> {
    loop {
        clock.sleep(LEASE.unsigned_abs() / 3).await;
        if !queue::renew(store, clock, queue, taken).await? {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::executor::block_on;
    use futures::future::join_all;
    use kv_schema::Id;
    use kv_schema::job::{self, RetrieveJob};
    use store::memory::{MemoryStore, TestClock};

    use super::*;

    thread_local! {
        static NAPPING: Napping = const { Napping::new() };
    }

    #[derive(Default)]
    struct Recorder {
        runs: RefCell<Vec<(RetrieveJob, u32)>>,
        given_up: RefCell<Vec<RetrieveJob>>,
        fails: u32,
        wait: u64,
    }

    impl Worker for Recorder {
        type Task = RetrieveJob;

        async fn run(&self, task: &RetrieveJob, attempt: u32) -> Result<Outcome, StoreError> {
            self.runs.borrow_mut().push((task.clone(), attempt));
            Ok(if attempt <= self.fails { Outcome::Again { wait: self.wait } } else { Outcome::Done })
        }

        async fn give_up(&self, task: &RetrieveJob) -> Result<(), StoreError> {
            self.given_up.borrow_mut().push(task.clone());
            Ok(())
        }

        fn log(&self, _line: &str) {}
    }

    fn check(jobs: u64, drivers: usize, fails: u32) -> Recorder {
        let (store, clock, queue) = (MemoryStore::default(), TestClock::default(), job::retrieve());
        for number in 1..=jobs {
            let task = RetrieveJob::Project { asset: Id::from_parts(number, 0) };
            block_on(queue::push(&store, &clock, &queue, task, Vec::new())).unwrap();
        }
        let recorder = Recorder { fails, wait: 1_000, ..Recorder::default() };
        NAPPING.with(|napping| napping.0.set(false));
        let limits = Limits { drivers: 2, jobs: 3 };
        let drives = (0..drivers).map(|_| drive(&recorder, &store, &clock, &queue, limits, &NAPPING));
        for driven in block_on(join_all(drives)) {
            driven.unwrap();
        }
        assert_eq!(block_on(queue::depth(&store, &clock, &queue)).unwrap().open, 0);
        assert_eq!(store.keys("job:retrieve:slot"), Vec::<String>::new());
        recorder
    }

    #[test]
    fn does_every_job_once_with_many_drivers() {
        assert_eq!(check(50, 8, 0).runs.borrow().len(), 50);
    }

    #[test]
    fn comes_back_for_what_is_to_be_done_again() {
        let recorder = check(3, 1, 2);
        assert_eq!(recorder.runs.borrow().len(), 9);
        assert!(recorder.given_up.borrow().is_empty());
    }

    #[test]
    fn gives_up_after_the_last_attempt() {
        let recorder = check(1, 1, u32::MAX);
        assert_eq!(recorder.runs.borrow().len(), MOST_ATTEMPTS as usize);
        assert_eq!(recorder.given_up.borrow().len(), 1);
    }

    /// A first job that lasts for so many seconds, and what has been done, in order.
    struct Slow<'a> {
        store: &'a MemoryStore,
        clock: &'a TestClock,
        lasts: u64,
        done: RefCell<Vec<RetrieveJob>>,
    }

    impl Worker for Slow<'_> {
        type Task = RetrieveJob;

        async fn run(&self, task: &RetrieveJob, _attempt: u32) -> Result<Outcome, StoreError> {
            if *task == task_number(1) {
                // Meanwhile another job is written down.
                queue::push(self.store, self.clock, &job::retrieve(), task_number(2), Vec::new()).await?;
                for _ in 0..self.lasts {
                    self.clock.sleep(1_000).await;
                    let slot = read(self.store, &job::retrieve().slot(0)).await?;
                    assert!(slot.is_none_or(|slot| slot.until >= self.clock.now()), "the driver's slot ran out");
                }
            }
            self.done.borrow_mut().push(task.clone());
            Ok(Outcome::Done)
        }

        async fn give_up(&self, _task: &RetrieveJob) -> Result<(), StoreError> {
            Ok(())
        }

        fn log(&self, _line: &str) {}
    }

    fn task_number(number: u64) -> RetrieveJob {
        RetrieveJob::Project { asset: Id::from_parts(number, 0) }
    }

    #[test]
    fn takes_what_comes_and_keeps_its_slot_while_a_long_job_runs() {
        let (store, clock, queue) = (MemoryStore::default(), TestClock::default(), job::retrieve());
        for way in ["drive", "work off"] {
            block_on(queue::push(&store, &clock, &queue, task_number(1), Vec::new())).unwrap();
            let slow = Slow { store: &store, clock: &clock, lasts: 30, done: RefCell::default() };
            NAPPING.with(|napping| napping.0.set(false));
            match way {
                "drive" => {
                    let limits = Limits { drivers: 1, jobs: 2 };
                    block_on(drive(&slow, &store, &clock, &queue, limits, &NAPPING)).unwrap();
                }
                _ => block_on(work_off(&slow, &store, &clock, &queue, 2, 2_000)).unwrap(),
            }
            assert_eq!(*slow.done.borrow(), [task_number(2), task_number(1)], "{way}");
        }
    }

    #[test]
    fn a_worker_does_every_job_and_leaves() {
        let (recorder, left_after) = work_off_jobs(20, 0, 0);
        assert_eq!(recorder.runs.borrow().len(), 20);
        assert_eq!(left_after, 0);
    }

    #[test]
    fn a_worker_stays_for_what_is_due_soon() {
        let (recorder, _) = work_off_jobs(1, 3, 1_500);
        assert_eq!(recorder.runs.borrow().len(), 4);
    }

    #[test]
    fn a_worker_leaves_what_is_due_later_to_the_next_message() {
        let (recorder, left_after) = work_off_jobs(1, 1, 60_000);
        assert_eq!(recorder.runs.borrow().len(), 1);
        assert!(left_after < 2_000, "{left_after}");
    }

    /// What a worker did with so many jobs that fail so often, and how long it stayed after the last of them, in
    /// milliseconds.
    fn work_off_jobs(jobs: u64, fails: u32, wait: u64) -> (Recorder, Millis) {
        let (store, clock, queue) = (MemoryStore::default(), TestClock::default(), job::retrieve());
        for number in 1..=jobs {
            block_on(queue::push(&store, &clock, &queue, task_number(number), Vec::new())).unwrap();
        }
        let recorder = Recorder { fails, wait, ..Recorder::default() };
        let before = clock.now();
        block_on(work_off(&recorder, &store, &clock, &queue, 3, 2_000)).unwrap();
        (recorder, clock.now() - before)
    }
}
