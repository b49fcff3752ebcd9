//! A queue: a log of jobs, done marks, a low-water mark. What a job's keys are is `kv_schema::shape::Queue`'s.

use kv_schema::Millis;
use kv_schema::shape::{Attempt, Job, Queue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Clock, Store, StoreError, count, pair, read, read_many, write};

/// How long a taker has a job without renewing, in milliseconds. Also the longest that work rests after a crash.
pub const LEASE: Millis = 10_000;

/// A position that was given out this long ago and has no job yet never will have one: its writer died.
const HOLE_AGE: Millis = 60_000;

/// Positions looked at in one read: few at first, because what is to be done mostly lies at the low end.
const FIRST_WINDOW: u64 = 8;
const WINDOW: u64 = 32;

/// Done jobs are deleted when so many of them lie at the low end.
const WORTH_SWEEPING: u64 = 16;

/// A job that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken<T> {
    /// Where it stands.
    pub position: u64,
    /// When it was written.
    pub at: Millis,
    /// The number of this attempt; the first is 1.
    pub attempt: u32,
    /// What is to be done.
    pub task: T,
}

/// What a look at the queue found.
#[derive(Debug, Clone, PartialEq)]
pub enum Next<T> {
    /// This job is the caller's.
    Taken(Taken<T>),
    /// Nothing is due before this time.
    Wait(Millis),
    /// No job is open.
    Empty,
}

/// How much there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Open jobs; counted exactly up to a few thousand, then by their positions.
    pub open: u64,
    /// When the oldest of them was written.
    pub oldest: Option<Millis>,
}

/// Writes a job, in one step with `others` where the store can do that.
///
/// # Errors
/// [`StoreError`]; the job may or may not exist then, `others` likewise.
pub async fn push<T: Serialize>(
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<T>,
    task: T,
    others: Vec<(String, Vec<u8>)>,
) -> Result<(), StoreError> {
    let job = Job::Open { at: clock.now(), task };
    let mut entries = others;
    loop {
        let position = u64::try_from(store.increment(queue.length().name(), 1).await?).unwrap_or(0);
        entries.push(pair(&queue.job(position), &job)?);
        store.set_many(std::mem::take(&mut entries)).await?;
        // A writer who slept so long that its position was given up as a hole writes the job once more.
        if low(store, queue).await? < position {
            return Ok(());
        }
    }
}

/// A job with a position of its own that is not written yet: for a caller who writes it with a document, by
/// [`store::document::update_with`].
pub struct Reserved<T> {
    position: u64,
    task: T,
    entry: (String, Vec<u8>),
}

/// Gives a job a position.
///
/// # Errors
/// [`StoreError`].
pub async fn reserve<T: Serialize + Clone>(
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<T>,
    task: T,
) -> Result<Reserved<T>, StoreError> {
    let position = u64::try_from(store.increment(queue.length().name(), 1).await?).unwrap_or(0);
    let entry = pair(&queue.job(position), &Job::Open { at: clock.now(), task: task.clone() })?;
    Ok(Reserved { position, task, entry })
}

impl<T: Serialize> Reserved<T> {
    /// What is to be written.
    pub fn entry(&self) -> (String, Vec<u8>) {
        self.entry.clone()
    }

    /// Sees, after it was written, that it will be found: see [`push`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn written(self, store: &impl Store, clock: &impl Clock, queue: &Queue<T>) -> Result<(), StoreError> {
        if low(store, queue).await? < self.position {
            return Ok(());
        }
        push(store, clock, queue, self.task, Vec::new()).await
    }

    /// Gives the position back: the job is not to be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unwanted(self, store: &impl Store, clock: &impl Clock, queue: &Queue<T>) -> Result<(), StoreError> {
        write(store, &queue.job(self.position), &Job::Done { at: clock.now() }).await
    }
}

async fn low<T>(store: &impl Store, queue: &Queue<T>) -> Result<u64, StoreError> {
    Ok(read(store, &queue.low()).await?.unwrap_or(0))
}

/// Takes the first job that is due.
///
/// # Errors
/// [`StoreError`].
pub async fn take<T: DeserializeOwned + Serialize>(
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<T>,
) -> Result<Next<T>, StoreError> {
    let mut wait: Option<Millis> = None;
    let mut scan = Scan::start(store, queue).await?;
    while let Some(seen) = scan.next(store, clock, queue).await? {
        let due = seen.due();
        if due > clock.now() {
            wait = Some(wait.map_or(due, |wait| wait.min(due)));
            continue;
        }
        match try_take(store, clock, queue, &seen).await? {
            Some(attempt) => {
                let taken = Taken { position: seen.position, at: seen.at, attempt, task: seen.task };
                return Ok(Next::Taken(taken));
            }
            None => wait = Some(wait.unwrap_or(Millis::MAX).min(clock.now() + LEASE)),
        }
    }
    Ok(wait.map_or(Next::Empty, Next::Wait))
}

/// Takes the next attempt of a job that is due; none if another was quicker.
async fn try_take<T>(
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<T>,
    seen: &Seen<T>,
) -> Result<Option<u32>, StoreError> {
    // Normally the next number decides. Where its taker died before it wrote its lease, the one after does.
    let last = seen.attempt.as_ref().map_or(0, |attempt| attempt.number);
    let is_stuck = clock.now() - seen.due() > 2 * LEASE;
    let most = if is_stuck { last + 16 } else { last + 1 };
    for number in last + 1..=most {
        if store.increment(queue.take(seen.position, number).name(), 1).await? == 1 {
            let lease = Attempt { number, lease_until: clock.now() + LEASE, not_before: 0 };
            write(store, &queue.attempt(seen.position), &lease).await?;
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// Extends the lease of a job that is being worked on. False: the lease ran out meanwhile, because this process slept,
/// and another has taken the job.
///
/// # Errors
/// [`StoreError`].
pub async fn renew<T>(
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<T>,
    taken: &Taken<T>,
) -> Result<bool, StoreError> {
    let is_mine = is_latest(store, queue, taken).await?;
    if is_mine {
        let lease = Attempt { number: taken.attempt, lease_until: clock.now() + LEASE, not_before: 0 };
        write(store, &queue.attempt(taken.position), &lease).await?;
    }
    Ok(is_mine)
}

async fn is_latest<T>(store: &impl Store, queue: &Queue<T>, taken: &Taken<T>) -> Result<bool, StoreError> {
    let latest = read(store, &queue.attempt(taken.position)).await?;
    Ok(latest.is_some_and(|latest| latest.number == taken.attempt))
}

/// Marks a job as done.
///
/// # Errors
/// [`StoreError`]; the job will be run again then.
pub async fn finish<T: Serialize>(store: &impl Store, queue: &Queue<T>, taken: &Taken<T>) -> Result<(), StoreError> {
    write(store, &queue.job(taken.position), &Job::Done { at: taken.at }).await
}

/// Gives a job back, to be taken again after `wait` milliseconds; unless another has taken it already.
///
/// # Errors
/// [`StoreError`]; the job is due again when its lease runs out then.
pub async fn postpone<T>(
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<T>,
    taken: &Taken<T>,
    wait: u64,
) -> Result<(), StoreError> {
    if !is_latest(store, queue, taken).await? {
        return Ok(());
    }
    let not_before = clock.now().saturating_add(Millis::try_from(wait).unwrap_or(Millis::MAX));
    write(store, &queue.attempt(taken.position), &Attempt { number: taken.attempt, lease_until: 0, not_before }).await
}

/// When the next job is due, without taking it: none when no job is open.
///
/// # Errors
/// [`StoreError`].
pub async fn next_due<T: DeserializeOwned + Serialize>(
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<T>,
) -> Result<Option<Millis>, StoreError> {
    let mut earliest: Option<Millis> = None;
    let mut scan = Scan::start(store, queue).await?;
    while let Some(seen) = scan.next(store, clock, queue).await? {
        let due = seen.due();
        if due <= clock.now() {
            return Ok(Some(due));
        }
        earliest = Some(earliest.map_or(due, |earliest| earliest.min(due)));
    }
    Ok(earliest)
}

/// How many jobs are open at the most, by their positions, in two reads.
///
/// # Errors
/// [`StoreError`].
pub async fn backlog<T>(store: &impl Store, queue: &Queue<T>) -> Result<u64, StoreError> {
    Ok(count(store, &queue.length()).await?.saturating_sub(low(store, queue).await?))
}

/// How many jobs are open, and since when.
///
/// # Errors
/// [`StoreError`].
pub async fn depth<T: DeserializeOwned + Serialize>(
    store: &impl Store,
    clock: &impl Clock,
    queue: &Queue<T>,
) -> Result<Depth, StoreError> {
    const MOST_COUNTED: u64 = 4_096;
    let mut depth = Depth { open: 0, oldest: None };
    let mut scan = Scan::start(store, queue).await?;
    while let Some(seen) = scan.next(store, clock, queue).await? {
        depth.open += 1;
        depth.oldest = depth.oldest.or(Some(seen.at));
        if depth.open >= MOST_COUNTED {
            depth.open += scan.length.saturating_sub(seen.position);
            break;
        }
    }
    Ok(depth)
}

/// An open job and how far it has come.
struct Seen<T> {
    position: u64,
    at: Millis,
    task: T,
    attempt: Option<Attempt>,
}

impl<T> Seen<T> {
    fn due(&self) -> Millis {
        self.attempt.as_ref().map_or(self.at, |attempt| attempt.lease_until.max(attempt.not_before))
    }
}

/// A walk over the open jobs, oldest first, that sweeps up behind it what is done.
struct Scan<T> {
    length: u64,
    /// The next position to read.
    position: u64,
    /// Everything up to here is done, and `done` of it is not yet deleted.
    low: u64,
    low_is_open: bool,
    done: Vec<String>,
    swept: u64,
    has_read: bool,
    window: std::collections::VecDeque<Seen<T>>,
}

impl<T: DeserializeOwned + Serialize> Scan<T> {
    async fn start(store: &impl Store, queue: &Queue<T>) -> Result<Self, StoreError> {
        let length = count(store, &queue.length()).await?;
        let low = low(store, queue).await?;
        Ok(Self {
            length,
            position: low + 1,
            low,
            low_is_open: false,
            done: Vec::new(),
            swept: 0,
            has_read: false,
            window: std::collections::VecDeque::new(),
        })
    }

    async fn next(
        &mut self,
        store: &impl Store,
        clock: &impl Clock,
        queue: &Queue<T>,
    ) -> Result<Option<Seen<T>>, StoreError> {
        while self.window.is_empty() && self.position <= self.length {
            self.read_window(store, clock, queue).await?;
        }
        Ok(self.window.pop_front())
    }

    async fn read_window(
        &mut self,
        store: &impl Store,
        clock: &impl Clock,
        queue: &Queue<T>,
    ) -> Result<(), StoreError> {
        let window = if self.has_read { WINDOW } else { FIRST_WINDOW };
        self.has_read = true;
        let end = self.length.min(self.position + window - 1);
        let positions = self.position..=end;
        let keys: Vec<_> = positions.clone().map(|position| queue.job(position)).collect();
        let jobs = read_many(store, &keys).await?;
        // Only of an open job it matters how far it has come; of one that is done, which keys there are to delete.
        let begun: Vec<_> = positions.clone().zip(&jobs).filter(|(_, job)| job.is_some()).collect();
        let keys: Vec<_> = begun.iter().map(|(position, _)| queue.attempt(*position)).collect();
        let mut attempts = read_many(store, &keys).await?.into_iter();
        let rows: Vec<_> = positions
            .zip(jobs)
            .map(|(position, job)| {
                let attempt = job.as_ref().and_then(|_| attempts.next().flatten());
                (position, job, attempt)
            })
            .collect();
        // A later job that is old proves that the writers of earlier positions are long gone.
        let newest = rows.iter().filter_map(|(_, job, _)| job.as_ref().map(written_at)).max();
        let holes_are_dead = newest.is_some_and(|at| clock.now() - at > HOLE_AGE);
        for (position, job, attempt) in rows {
            match job {
                Some(Job::Open { at, task }) => {
                    self.low_is_open = true;
                    self.window.push_back(Seen { position, at, task, attempt });
                }
                Some(Job::Done { .. }) => self.pass(queue, position, attempt.as_ref()),
                None if holes_are_dead => self.pass(queue, position, attempt.as_ref()),
                None => self.low_is_open = true,
            }
        }
        self.position = end + 1;
        self.sweep(store, queue).await
    }

    /// Counts a position at the low end as done with.
    fn pass(&mut self, queue: &Queue<T>, position: u64, attempt: Option<&Attempt>) {
        if self.low_is_open {
            return;
        }
        self.low = position;
        self.swept += 1;
        self.done.push(queue.job(position).name().to_owned());
        if let Some(attempt) = attempt {
            self.done.push(queue.attempt(position).name().to_owned());
            self.done.extend((1..=attempt.number).map(|number| queue.take(position, number).name().to_owned()));
        }
    }

    /// Moves the low-water mark up, then deletes what lies below it.
    async fn sweep(&mut self, store: &impl Store, queue: &Queue<T>) -> Result<(), StoreError> {
        if self.swept < WORTH_SWEEPING {
            return Ok(());
        }
        self.swept = 0;
        write(store, &queue.low(), &self.low).await?;
        store.delete_many(&std::mem::take(&mut self.done)).await
    }
}

fn written_at<T>(job: &Job<T>) -> Millis {
    match job {
        Job::Open { at, .. } | Job::Done { at } => *at,
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::future::join_all;
    use kv_schema::Id;
    use kv_schema::job::{self, RetrieveJob};
    use store::memory::{MemoryStore, TestClock};

    use super::*;

    fn task(number: u64) -> RetrieveJob {
        RetrieveJob::Project { asset: Id::from_parts(number, 0) }
    }

    fn setup(jobs: u64) -> (MemoryStore, TestClock, Queue<RetrieveJob>) {
        let (store, clock, queue) = (MemoryStore::default(), TestClock::default(), job::retrieve());
        for number in 1..=jobs {
            block_on(push(&store, &clock, &queue, task(number), Vec::new())).unwrap();
        }
        (store, clock, queue)
    }

    fn take_now(store: &MemoryStore, clock: &TestClock, queue: &Queue<RetrieveJob>) -> Taken<RetrieveJob> {
        match block_on(take(store, clock, queue)) {
            Ok(Next::Taken(taken)) => taken,
            other => panic!("nothing to take: {other:?}"),
        }
    }

    #[test]
    fn each_job_is_taken_once_by_many_takers() {
        let (store, clock, queue) = setup(10);
        let takers = (0..10).map(|_| take(&store, &clock, &queue));
        let mut positions = Vec::new();
        for next in block_on(join_all(takers)) {
            if let Next::Taken(taken) = next.unwrap() {
                assert_eq!((taken.attempt, &taken.task), (1, &task(taken.position)));
                positions.push(taken.position);
            }
        }
        positions.sort_unstable();
        positions.dedup();
        assert_eq!(positions.len(), 10);
    }

    #[test]
    fn a_job_comes_back_when_its_taker_dies() {
        let (store, clock, queue) = setup(1);
        take_now(&store, &clock, &queue);
        assert_eq!(block_on(take(&store, &clock, &queue)), Ok(Next::Wait(clock.now() + LEASE)));
        clock.advance(LEASE);
        let again = take_now(&store, &clock, &queue);
        assert_eq!(again.attempt, 2);
        block_on(finish(&store, &queue, &again)).unwrap();
        assert_eq!(block_on(take(&store, &clock, &queue)), Ok(Next::Empty));
    }

    #[test]
    fn a_job_comes_back_when_its_taker_dies_before_its_lease_is_written() {
        let (store, clock, queue) = setup(1);
        store.fail_after(Some(1));
        assert!(block_on(take(&store, &clock, &queue)).is_err());
        store.fail_after(None);
        assert!(matches!(block_on(take(&store, &clock, &queue)), Ok(Next::Wait(_))));
        clock.advance(2 * LEASE + 1);
        assert_eq!(take_now(&store, &clock, &queue).attempt, 2);
    }

    #[test]
    fn a_renewed_lease_holds_and_a_postponed_job_rests() {
        let (store, clock, queue) = setup(1);
        let taken = take_now(&store, &clock, &queue);
        clock.advance(LEASE - 1);
        block_on(renew(&store, &clock, &queue, &taken)).unwrap();
        clock.advance(LEASE - 1);
        assert!(matches!(block_on(take(&store, &clock, &queue)), Ok(Next::Wait(_))));
        block_on(postpone(&store, &clock, &queue, &taken, 500)).unwrap();
        assert_eq!(block_on(next_due(&store, &clock, &queue)), Ok(Some(clock.now() + 500)));
        clock.advance(500);
        assert_eq!(take_now(&store, &clock, &queue).attempt, 2);
    }

    #[test]
    fn who_slept_over_a_lease_does_not_disturb_the_next() {
        let (store, clock, queue) = setup(1);
        let slept = take_now(&store, &clock, &queue);
        clock.advance(LEASE);
        let next = take_now(&store, &clock, &queue);
        assert_eq!(block_on(renew(&store, &clock, &queue, &slept)), Ok(false));
        block_on(postpone(&store, &clock, &queue, &slept, 0)).unwrap();
        assert!(matches!(block_on(take(&store, &clock, &queue)), Ok(Next::Wait(_))));
        assert_eq!(block_on(renew(&store, &clock, &queue, &next)), Ok(true));
        block_on(finish(&store, &queue, &next)).unwrap();
        assert_eq!(block_on(take(&store, &clock, &queue)), Ok(Next::Empty));
    }

    #[test]
    fn what_is_done_is_deleted_and_a_look_stays_cheap() {
        let (store, clock, queue) = setup(1_000);
        for _ in 0..1_000 {
            let taken = take_now(&store, &clock, &queue);
            block_on(finish(&store, &queue, &taken)).unwrap();
        }
        assert_eq!(block_on(take(&store, &clock, &queue)), Ok(Next::Empty));
        assert!(store.keys("job:retrieve").len() < 100, "{:?}", store.keys("job:retrieve"));
        store.take_operations();
        assert_eq!(block_on(depth(&store, &clock, &queue)), Ok(Depth { open: 0, oldest: None }));
        assert!(store.take_operations().reads <= 4);
    }

    #[test]
    fn a_hole_is_passed_when_its_writer_must_be_dead() {
        let (store, clock, queue) = setup(0);
        // The writer of position 1 dies after it was given the position.
        store.fail_after(Some(1));
        assert!(block_on(push(&store, &clock, &queue, task(1), Vec::new())).is_err());
        store.fail_after(None);
        for number in 2..=20 {
            block_on(push(&store, &clock, &queue, task(number), Vec::new())).unwrap();
            let taken = take_now(&store, &clock, &queue);
            block_on(finish(&store, &queue, &taken)).unwrap();
        }
        assert_eq!(block_on(low(&store, &queue)), Ok(0));
        clock.advance(HOLE_AGE + 1);
        assert_eq!(block_on(take(&store, &clock, &queue)), Ok(Next::Empty));
        assert_eq!(block_on(low(&store, &queue)), Ok(20));

        // It was not dead but asleep, and writes its job: the job is written once more where it will be found.
        let position = queue.length();
        assert_eq!(block_on(count(&store, &position)), Ok(20));
        block_on(write(&store, &queue.low(), &25)).unwrap();
        block_on(push(&store, &clock, &queue, task(21), Vec::new())).unwrap();
        assert_eq!(take_now(&store, &clock, &queue).position, 26);
    }
}
