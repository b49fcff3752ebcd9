//! Letting in only so many heavy requests at once: what is over is refused at once, so that what was let in stays fast.
//!
//! A host has as many instances as there are requests, and no memory that they share. So the requests at work are
//! counted in the store, in windows of time: whoever leaves takes itself out of the window it came in, and a request
//! that died is forgotten with its window.

use kv_schema::Millis;
use kv_schema::api;
use kv_schema::shape::Counter;
use store::{Store, StoreError, count, count_many};

use crate::{Platform, World};

/// The length of a window in milliseconds. Requests of the last two are counted: one that died is counted for twice
/// this at the most, and one that takes longer is no longer counted.
const WINDOW: u64 = 2_000;

/// What is asked of one request kind.
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    /// Names the kind, in keys.
    pub kind: &'static str,
    /// The variable that sets how many are let in at once.
    pub variable: &'static str,
    /// How many where the variable is not set.
    pub default: u64,
}

/// For each place, so many may wait for one.
const WAITING_PER_PLACE: u64 = 4;

/// How long a place is waited for, in milliseconds.
const PATIENCE: Millis = 2_000;

/// How often those who wait look for a place, in milliseconds.
const LOOK_EVERY: u64 = 100;

/// Pictures that are made while somebody waits. Eight take a fifth of a second on two processors.
pub const RENDERS: Gate = Gate { kind: "render", variable: "max_renders", default: 8 };

/// Files that are taken in, each whole in memory: eight of the largest are 320 MB.
pub const UPLOADS: Gate = Gate { kind: "upload", variable: "max_uploads", default: 8 };

/// The right to go on, to be given back with [`leave`].
#[derive(Debug)]
#[must_use]
pub struct Pass(Counter);

/// Lets a request in, at once or after a moment; or none: too many are at work, and too many wait already.
///
/// # Errors
/// [`StoreError`].
pub async fn enter(platform: &impl Platform, gate: Gate) -> Result<Option<Pass>, StoreError> {
    let limit = limit(platform, gate).await;
    let replica = platform.variable("replica").await.unwrap_or_default();
    let inside = Room { kind: gate.kind, replica: &replica, places: limit };
    if let Some(pass) = inside.take(platform).await? {
        return Ok(Some(pass));
    }
    let kind = format!("{}-waiting", gate.kind);
    let waiting = Room { kind: &kind, replica: &replica, places: limit.saturating_mul(WAITING_PER_PLACE) };
    let Some(seat) = waiting.take(platform).await? else { return Ok(None) };
    let deadline = platform.now() + PATIENCE;
    let mut pass = None;
    while pass.is_none() && platform.now() < deadline {
        let random = u64::try_from(platform.random() % u128::from(LOOK_EVERY)).unwrap_or(0);
        platform.sleep(LOOK_EVERY / 2 + random).await;
        // Looking costs less than trying.
        if inside.taken(platform).await? < limit {
            pass = inside.take(platform).await?;
        }
    }
    leave(platform, &seat).await?;
    Ok(pass)
}

/// So many places, counted in windows.
struct Room<'a> {
    kind: &'a str,
    replica: &'a str,
    places: u64,
}

impl Room<'_> {
    fn counter(&self, window: u64) -> Counter {
        api::admitted(self.kind, self.replica, window)
    }

    /// Takes a place, if one is free.
    async fn take(&self, platform: &impl Platform) -> Result<Option<Pass>, StoreError> {
        let window = platform.now().unsigned_abs() / WINDOW;
        let pass = Pass(self.counter(window));
        let now = platform.increment(pass.0.name(), 1).await?;
        if now == 1 {
            let old = [2, 3].map(|ago| self.counter(window.saturating_sub(ago)));
            store::delete_all(platform, &old).await?;
        }
        let before = count(platform, &self.counter(window.saturating_sub(1))).await?;
        if u64::try_from(now).unwrap_or(0) + before > self.places {
            leave(platform, &pass).await?;
            return Ok(None);
        }
        Ok(Some(pass))
    }

    /// Places that are taken.
    async fn taken(&self, platform: &impl Platform) -> Result<u64, StoreError> {
        let window = platform.now().unsigned_abs() / WINDOW;
        let counters = [self.counter(window), self.counter(window.saturating_sub(1))];
        Ok(count_many(platform, &counters).await?.iter().sum())
    }
}

/// Gives a pass back.
///
/// # Errors
/// [`StoreError`]; the request is counted until its window is over then.
pub async fn leave(store: &impl Store, pass: &Pass) -> Result<(), StoreError> {
    store.increment(pass.0.name(), -1).await.map(drop)
}

async fn limit(platform: &impl World, gate: Gate) -> u64 {
    let text = platform.variable(gate.variable).await;
    let limit = text.as_deref().and_then(|text| text.trim().parse().ok());
    if let (Some(text), None) = (&text, limit) {
        platform.log(&format!("the variable {} can't be {text:?}; {} is taken", gate.variable, gate.default));
    }
    limit.unwrap_or(gate.default)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use store::Clock;
    use store::memory::TestPlatform;

    use super::*;

    #[test]
    fn lets_in_no_more_than_the_limit_and_forgets_the_dead() {
        let platform = TestPlatform::default();
        let start = platform.now();
        let mut passes: Vec<Pass> =
            (0..8).map(|_| block_on(enter(&platform, RENDERS)).unwrap().expect("there is room")).collect();
        assert_eq!(platform.now(), start);
        block_on(leave(&platform, &passes.pop().expect("one of them"))).unwrap();
        let again = block_on(enter(&platform, RENDERS)).unwrap();
        assert!(again.is_some());
        // Another kind has a gate of its own.
        assert!(block_on(enter(&platform, UPLOADS)).unwrap().is_some());
        assert_eq!(platform.now(), start);
        // Whoever waits is let in when those inside must be dead, two windows later at the most.
        platform.clock.advance(WINDOW as i64 - 1);
        let waited = (0..3).find_map(|_| block_on(enter(&platform, RENDERS)).unwrap());
        assert!(waited.is_some() && platform.now() >= start + WINDOW as i64);
    }

    #[test]
    fn lets_wait_no_more_than_a_few() {
        let platform = TestPlatform::default();
        let passes: Vec<Pass> = (0..8).filter_map(|_| block_on(enter(&platform, RENDERS)).unwrap()).collect();
        let kind = format!("{}-waiting", RENDERS.kind);
        let waiting = Room { kind: &kind, replica: "", places: 8 * WAITING_PER_PLACE };
        let seats: Vec<Pass> = (0..32).filter_map(|_| block_on(waiting.take(&platform)).unwrap()).collect();
        let before = platform.now();
        assert!(block_on(enter(&platform, RENDERS)).unwrap().is_none());
        assert_eq!((passes.len(), seats.len(), platform.now()), (8, 32, before), "it was told at once");
    }

    #[test]
    fn whoever_waits_is_let_in_when_a_place_is_free() {
        let platform = TestPlatform::default();
        let mut passes: Vec<Pass> = (0..8).filter_map(|_| block_on(enter(&platform, RENDERS)).unwrap()).collect();
        let leaves = async {
            platform.sleep(200).await;
            leave(&platform, &passes.pop().expect("one of them")).await.unwrap();
        };
        let (pass, ()) = block_on(futures::future::join(enter(&platform, RENDERS), leaves));
        assert!(pass.unwrap().is_some());
    }

    #[test]
    fn leaves_no_keys_of_old_windows() {
        let platform = TestPlatform::default();
        for _ in 0..50 {
            let pass = block_on(enter(&platform, RENDERS)).unwrap().expect("there is room");
            block_on(leave(&platform, &pass)).unwrap();
            platform.clock.advance(WINDOW as i64);
        }
        assert!(platform.store.keys("admitted:").len() <= 4, "{:?}", platform.store.keys("admitted:"));
    }
}
