//! Durable work on a store without transactions: a queue for each context, and the driver that empties it.
//!
//! A job is on record before anyone is told of it. A *bell* only says "there is work": losing one costs delay. Taking a
//! job is an increment that returns 1 to one taker, who has it for [`queue::LEASE`] and renews that while at work; when
//! a taker dies, the lease runs out and anyone may take the next attempt. So a job is run at least once, and every job
//! here is written so that running it twice does no harm.

#![deny(missing_docs)]
#![allow(async_fn_in_trait, reason = "every executor here is single-threaded: wasm, and tests")]

pub mod admission;
pub mod driver;
pub mod queue;

pub use events::{Context, Event, Trace};
use store::{Clock, Store};

/// The rest of the app, its settings and its log, as a context sees them.
pub trait World {
    /// Tells a context that there is work. A bell that is not heard is no error: the job is on record.
    async fn ring(&self, context: Context);

    /// Tells of something that happened, once it is stored, and rings at every context that it gives work to. An event
    /// that nobody hears is no error: the jobs are on record.
    async fn emit(&self, event: &Event);

    /// Asks a context and waits for its answer: status and body. `path` begins with a slash.
    ///
    /// # Errors
    /// The cause, for the log, when the context could not be asked or did not survive the question.
    async fn ask(&self, context: Context, path: &str) -> Result<(u16, Vec<u8>), String>;

    /// A variable of the app; none where it is not defined.
    async fn variable(&self, name: &str) -> Option<String>;

    /// Writes a line to the log.
    fn log(&self, line: &str);
}

/// All that a context needs of the world around it.
pub trait Platform: Store + Clock + World {}

impl<T: Store + Clock + World> Platform for T {}

/// Nobody else is there, and nothing is set.
impl World for store::memory::TestPlatform {
    async fn ring(&self, context: Context) {
        self.heard.borrow_mut().push(context.name().to_owned());
    }

    async fn emit(&self, event: &Event) {
        self.heard.borrow_mut().push(event.name().to_owned());
    }

    async fn ask(&self, context: Context, path: &str) -> Result<(u16, Vec<u8>), String> {
        self.heard.borrow_mut().push(format!("{}{path}", context.name()));
        Err("nobody is there".to_owned())
    }

    async fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn log(&self, line: &str) {
        self.heard.borrow_mut().push(line.to_owned());
    }
}

/// The trace of a request with this `traceparent` header, one step on; a new trace where it has none that can be read.
pub fn trace(traceparent: Option<&str>, clock: &impl Clock) -> Trace {
    Trace::from_header(traceparent, clock.random(), clock.random())
}

/// How long to wait before attempt `attempt` + 1, in milliseconds: `base` doubled with each attempt, at most five
/// minutes, less up to a half by chance so that many failures do not come back at once.
pub fn backoff(base: u64, attempt: u32, random: u128) -> u64 {
    const LONGEST: u64 = 5 * 60 * 1000;
    let doubled = base.saturating_mul(1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX)).min(LONGEST);
    let half = doubled / 2;
    doubled - u64::try_from(random % u128::from(half + 1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_and_stays_between_a_half_and_the_whole() {
        for (attempt, whole) in
            [(1, 1_000), (2, 2_000), (3, 4_000), (5, 16_000), (9, 256_000), (10, 300_000), (99, 300_000)]
        {
            assert_eq!(backoff(1_000, attempt, 0), whole);
            for random in [1, 77, 12_345, u128::MAX] {
                let wait = backoff(1_000, attempt, random);
                assert!((whole / 2..=whole).contains(&wait), "attempt {attempt}: {wait}");
            }
        }
    }
}
