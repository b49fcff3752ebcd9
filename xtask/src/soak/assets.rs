//! The assets of a load: accepted, ready, to be deleted.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How many there are before the oldest is deleted.
const MOST: usize = 60;

/// How long an asset is left alone before it is deleted: whoever has picked it is through with it by then.
const GRACE: Duration = Duration::from_secs(10);

/// An asset that was accepted and is not known to be ready.
#[derive(Clone)]
pub struct Pending {
    pub id: String,
    pub accepted: Instant,
}

#[derive(Default)]
pub struct Assets(Mutex<State>);

#[derive(Default)]
struct State {
    pending: Vec<Pending>,
    ready: VecDeque<String>,
    doomed: VecDeque<(String, Instant)>,
}

impl Assets {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().expect("nobody panics with it"))
    }

    pub fn accepted(&self, id: &str) {
        self.with(|state| state.pending.push(Pending { id: id.to_owned(), accepted: Instant::now() }));
    }

    pub fn pending(&self) -> Vec<Pending> {
        self.with(|state| state.pending.clone())
    }

    /// Moves a pending one on: it is ready, or it is given up.
    pub fn settle(&self, id: &str, is_ready: bool) {
        self.with(|state| {
            state.pending.retain(|pending| pending.id != id);
            if is_ready {
                state.ready.push_back(id.to_owned());
            }
        });
    }

    /// One that is ready.
    pub fn pick(&self, number: u64) -> Option<String> {
        self.with(|state| {
            let n = state.ready.len() as u64;
            let idx = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
            (n > 0).then(|| state.ready[usize::try_from(idx % n).unwrap_or(0)].clone())
        })
    }

    /// One to be deleted, when there are too many.
    pub fn retire(&self) -> Option<String> {
        self.with(|state| {
            if state.ready.len() > MOST {
                state.doomed.extend(state.ready.pop_front().map(|id| (id, Instant::now())));
            }
            state.doomed.pop_front_if(|(_, since)| since.elapsed() > GRACE).map(|(id, _)| id)
        })
    }
}
