//! Waiting for a condition, with a deadline instead of a hope.

use std::time::{Duration, Instant};

/// How long anything may take before it counts as never happening. Two busy cores are slow; a right answer is not.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Asks `look` again and again until it gives something.
///
/// # Panics
/// When [`PATIENCE`] is over; `what` says what was waited for.
#[track_caller]
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look)
}

/// [`until`] with a deadline of its own.
///
/// # Panics
/// When `patience` is over.
#[track_caller]
pub fn within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(5);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {patience:?} in vain: {what}");
        // The condition lies in another process, which can't wake us.
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}
