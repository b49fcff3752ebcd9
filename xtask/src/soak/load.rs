//! Loads of a fixed rate, and what came of each request.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::client::Answer;
use crate::bench::stats::quantile;

/// How many different errors are kept to be shown.
const N_SHOWN: usize = 5;

/// Requests at a rate that does not depend on how they are answered.
#[derive(Clone, Copy)]
pub struct Schedule {
    /// Requests in a second.
    pub per_second: f64,
    pub duration: Duration,
    /// How many can be under way at once: one more is sent late, and its time counts from when it was due.
    pub n_threads: usize,
}

impl Schedule {
    /// Calls `ask` with the number of each request and the moment it was due. What is not sent when the time is over is
    /// left out. Returns how many were sent.
    pub fn run(&self, ask: impl Fn(u64, Instant) + Sync) -> u64 {
        let (started, next, n_sent) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
        let work = || loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let due = Duration::from_secs_f64(number as f64 / self.per_second);
            if due >= self.duration || started.elapsed() >= self.duration {
                return;
            }
            std::thread::sleep(due.saturating_sub(started.elapsed()));
            n_sent.fetch_add(1, Ordering::Relaxed);
            ask(number, started + due);
        };
        std::thread::scope(|scope| (0..self.n_threads).for_each(|_| _ = scope.spawn(work)));
        n_sent.into_inner()
    }
}

/// What an answer means to the load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// There is too much to do, with the code that says so.
    Refused(String),
    Failed(String),
}

impl Verdict {
    /// Too much to do is 429, or 503 with the code `overloaded`; both say when to come back.
    pub fn of(answer: &Result<Answer>) -> Self {
        match answer {
            Err(error) => Self::Failed(format!("{error:#}")),
            Ok(answer) if (200..300).contains(&answer.status) => Self::Fine,
            Ok(answer) => {
                let code = answer.json()["code"].as_str().unwrap_or("no code").to_owned();
                let is_deliberate = answer.status == 429 || (answer.status == 503 && code == "overloaded");
                match answer.header("retry-after") {
                    Some(_) if is_deliberate => Self::Refused(format!("{} {code}", answer.status)),
                    Some(_) => Self::Failed(format!("{} {code}", answer.status)),
                    None => Self::Failed(format!("{} {code}, without Retry-After", answer.status)),
                }
            }
        }
    }
}

/// What came of the requests of one kind.
#[derive(Default, Clone)]
pub struct Tally {
    /// Of those that were answered well, in milliseconds.
    pub times: Vec<f64>,
    /// Of those that were refused, in milliseconds.
    pub refusal_times: Vec<f64>,
    /// By code.
    pub refused: BTreeMap<String, u64>,
    /// By what went wrong.
    pub failed: BTreeMap<String, u64>,
}

impl Tally {
    pub fn add(&mut self, due: Instant, verdict: Verdict) {
        let time = due.elapsed().as_secs_f64() * 1000.0;
        match verdict {
            Verdict::Fine => self.times.push(time),
            Verdict::Refused(code) => {
                self.refusal_times.push(time);
                *self.refused.entry(code).or_default() += 1;
            }
            Verdict::Failed(why) => *self.failed.entry(why).or_default() += 1,
        }
    }

    pub fn n_refused(&self) -> u64 {
        self.refused.values().sum()
    }

    pub fn n_failed(&self) -> u64 {
        self.failed.values().sum()
    }

    pub fn n(&self) -> u64 {
        self.times.len() as u64 + self.n_refused() + self.n_failed()
    }

    pub fn p(&self, part: f64) -> f64 {
        quantile(&self.times, part)
    }

    /// The most frequent errors, each with its number.
    pub fn errors(&self, kind: &str) -> Vec<String> {
        let mut all: Vec<_> = self.failed.iter().collect();
        all.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        all.into_iter().take(N_SHOWN).map(|(why, n)| format!("{kind}: {n} times {why}")).collect()
    }
}

/// Tallies that many threads add to.
pub struct Log<K>(Mutex<BTreeMap<K, Tally>>);

impl<K: Ord + Copy> Log<K> {
    pub fn new() -> Self {
        Self(Mutex::default())
    }

    pub fn add(&self, kind: K, due: Instant, verdict: Verdict) {
        self.0.lock().expect("nobody panics with it").entry(kind).or_default().add(due, verdict);
    }

    pub fn snapshot(&self) -> BTreeMap<K, Tally> {
        self.0.lock().expect("nobody panics with it").clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_server_does_not_lower_the_rate() {
        let schedule = Schedule { per_second: 100.0, duration: Duration::from_millis(200), n_threads: 20 };
        assert_eq!(schedule.run(|_, _| std::thread::sleep(Duration::from_millis(60))), 20);
    }

    #[test]
    fn times_count_from_when_a_request_was_due() {
        let schedule = Schedule { per_second: 100.0, duration: Duration::from_millis(100), n_threads: 1 };
        let tally = Mutex::new(Tally::default());
        schedule.run(|_, due| {
            std::thread::sleep(Duration::from_millis(30));
            tally.lock().expect("whole").add(due, Verdict::Fine);
        });
        let tally = tally.into_inner().expect("whole");
        assert!(tally.p(1.0) > 60.0, "{:?}", tally.times);
    }
}
