//! More than can be done: most is refused at once, what is let in is done, and soon after all is as before.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Soak;
use super::client::{Body, Client};
use super::load::{Schedule, Tally, Verdict};
use crate::bench::pictures::numbered;
use crate::bench::report::table;
use crate::bench::stats::quantile;

/// How long is looked for what it can do, and how it usually is.
const LOOK: Duration = Duration::from_secs(10);

/// As many as that ask at once while it is looked for: enough for a few processors, and fewer than are refused.
const N_CLOSED: usize = 8;

/// The overload: so many times what it can do, for so long.
const FACTOR: f64 = 10.0;
const OVERLOAD: Duration = Duration::from_secs(30);

/// The part of what it can do that is a usual load.
const USUAL: f64 = 0.25;

/// How many requests are under way at most.
const N_THREADS: usize = 512;

/// How long it may take after the overload until all is as before, and how long is watched.
const RECOVERY_LIMIT: Duration = Duration::from_secs(5);
const WATCH: Duration = Duration::from_secs(15);

/// Pictures that sizes are asked of.
const N_PICTURES: u64 = 8;

/// Their numbers: none that the load before had.
const FIRST_PICTURE: usize = 90_000_000;

/// Asks for sizes that nobody has asked for.
struct Sizes {
    client: Client,
    ids: Vec<String>,
    next: AtomicU64,
}

/// Overloads; returns what failed.
///
/// # Errors
/// When the pictures do not come in, or nothing can be done at all.
pub fn run(soak: &Soak) -> Result<Vec<String>> {
    let mut sizes = Sizes { client: Client::new(soak.deployment.address), ids: Vec::new(), next: AtomicU64::new(0) };
    for number in 0..usize::try_from(N_PICTURES)? {
        sizes.ids.push(soak.deployment.client.upload(&numbered(&soak.jpeg, FIRST_PICTURE + number))?);
    }
    eprintln!("=== what it can do: {N_CLOSED} ask for new sizes, one after the other, for {} s", LOOK.as_secs());
    let (closed, seconds) = sizes.closed();
    let capacity = closed.times.len() as f64 / seconds;
    ensure!(capacity > 1.0, "hardly anything can be done: {:?}", closed.errors("new sizes"));
    let usual_rate = capacity * USUAL;
    eprintln!("=== {capacity:.0} a second; a usual load of {usual_rate:.0} a second");
    let usual = sizes.open(usual_rate, LOOK, 32);
    let rate = capacity * FACTOR;
    eprintln!("=== {rate:.0} a second for {} s", OVERLOAD.as_secs());
    let over = sizes.open(rate, OVERLOAD, N_THREADS);
    eprintln!("=== the usual load again");
    let after = sizes.open(usual_rate, WATCH, 32);

    let loads =
        [("as much as it can", &closed), ("usual", &usual.all), ("overload", &over.all), ("usual again", &after.all)];
    println!("\n{}", report(&loads, [seconds, LOOK.as_secs_f64(), OVERLOAD.as_secs_f64(), WATCH.as_secs_f64()]));
    let refused: Vec<String> = over.all.refused.iter().map(|(code, n)| format!("{n} times {code}")).collect();
    println!("Refused in the overload, each with Retry-After: {}.", refused.join(", "));
    let mut failures: Vec<String> = loads.iter().flat_map(|(name, tally)| tally.errors(name)).collect();
    let usual_p99 = usual.all.p(0.99);
    match after.recovery(usual_p99 * 2.0) {
        Some(time) => {
            println!(
                "As before {:.0} s after the overload: from then on a whole second passed without a refusal, and with no \
                 answer that took over twice the usual p99 of {usual_p99:.0} ms.",
                time.as_secs_f64()
            );
            if time > RECOVERY_LIMIT {
                failures.push(format!("it took {} s until all was as before", time.as_secs()));
            }
        }
        None => failures.push(format!("{} s after the overload all was not as before yet", WATCH.as_secs())),
    }
    Ok(failures)
}

/// A load, and the same by second.
struct Seconds {
    all: Tally,
    by_second: Vec<Tally>,
}

impl Seconds {
    /// When the first second began in which nothing was refused, nor failed, nor took longer than `limit` milliseconds,
    /// after the last in which something was refused.
    fn recovery(&self, limit: f64) -> Option<Duration> {
        let last_refusal = self.by_second.iter().rposition(|tally| tally.n_refused() > 0);
        let first = last_refusal.map_or(0, |second| second + 1);
        let is_calm = |tally: &Tally| tally.n() > 0 && tally.n_failed() == 0 && tally.p(1.0) <= limit;
        let calm = self.by_second[first..].iter().position(is_calm)?;
        Some(Duration::from_secs((first + calm) as u64))
    }
}

impl Sizes {
    /// A size of its own for each number.
    fn path(&self) -> (u64, String) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (id, number) = (&self.ids[usize::try_from(number % N_PICTURES).unwrap_or(0)], number / N_PICTURES);
        (number, format!("/i/{id}/w={},f=jpeg,q={}", 500 + number % 900, 30 + number / 900 % 60))
    }

    fn ask(&self) -> Verdict {
        let (number, path) = self.path();
        Verdict::of(&self.client.ask(number, "GET", &path, Body::default()))
    }

    /// As fast as the answers come; with the seconds that it took.
    fn closed(&self) -> (Tally, f64) {
        let (tally, started) = (Mutex::new(Tally::default()), Instant::now());
        let ask_on = || {
            while started.elapsed() < LOOK {
                let due = Instant::now();
                let verdict = self.ask();
                tally.lock().expect("nobody panics with it").add(due, verdict);
            }
        };
        std::thread::scope(|scope| (0..N_CLOSED).for_each(|_| _ = scope.spawn(ask_on)));
        (tally.into_inner().expect("nobody panicked"), started.elapsed().as_secs_f64())
    }

    /// At a rate.
    fn open(&self, per_second: f64, duration: Duration, n_threads: usize) -> Seconds {
        let n_seconds = usize::try_from(duration.as_secs()).unwrap_or(0);
        let seconds = Mutex::new(Seconds { all: Tally::default(), by_second: vec![Tally::default(); n_seconds] });
        let started = Instant::now();
        Schedule { per_second, duration, n_threads }.run(|_, due| {
            let verdict = self.ask();
            let second = usize::try_from((due - started).as_secs()).unwrap_or(0).min(n_seconds - 1);
            let mut seconds = seconds.lock().expect("nobody panics with it");
            seconds.all.add(due, verdict.clone());
            seconds.by_second[second].add(due, verdict);
        });
        seconds.into_inner().expect("nobody panicked")
    }
}

fn report(loads: &[(&str, &Tally); 4], seconds: [f64; 4]) -> String {
    let row = |((name, tally), seconds): (&(&str, &Tally), f64)| {
        let counts = [tally.times.len() as u64, tally.n_refused(), tally.n_failed()].map(|n| n.to_string());
        let times = [0.5, 0.99, 1.0].map(|part| format!("{:.0} ms", tally.p(part)));
        let refusal = format!("{:.0} ms", quantile(&tally.refusal_times, 0.99));
        let rate = format!("{:.0}", tally.n() as f64 / seconds);
        [(*name).to_owned(), rate].into_iter().chain(counts).chain(times).chain([refusal]).collect()
    };
    let rows: Vec<Vec<String>> = loads.iter().zip(seconds).map(row).collect();
    table(
        &["new sizes", "asked a second", "ok", "429 and 503", "other errors", "p50", "p99", "max", "p99 of refusals"],
        &rows,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_as_before_in_the_first_calm_second_after_the_last_refusal() {
        let tally = |time: f64, n_refused: u64| Tally {
            times: vec![time],
            refused: (n_refused > 0).then(|| ("503 overloaded".to_owned(), n_refused)).into_iter().collect(),
            ..Tally::default()
        };
        let after = |by_second: Vec<Tally>| Seconds { all: Tally::default(), by_second }.recovery(10.0);
        assert_eq!(after(vec![tally(5.0, 0)]), Some(Duration::ZERO));
        assert_eq!(
            after(vec![tally(5.0, 0), tally(5.0, 1), tally(20.0, 0), tally(5.0, 0)]),
            Some(Duration::from_secs(3))
        );
        assert_eq!(after(vec![tally(5.0, 1)]), None);
    }
}
