//! The steady load: reads, new sizes, pictures coming in, changes and deletions, each at a rate of its own.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Soak;
use super::assets::Assets;
use super::client::{Body, Client};
use super::load::{Log, Schedule, Tally, Verdict};
use super::memory::{Sample, Trend};
use crate::bench::deployment::lag;
use crate::bench::pictures::numbered;
use crate::bench::report::table;
use crate::bench::stats::quantile;

/// What is memory's start-up and no trend, at most.
const SETTLING: Duration = Duration::from_secs(120);

/// How long an accepted asset may take.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Assets that are there before the load begins.
const N_FIRST: u64 = 20;

/// Uploads have numbers of their own, so that no two pictures are the same.
const FIRST_UPLOAD: usize = 50_000_000;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A variant that is stored, now and then a document or a page of a list.
    Read,
    /// A size that nobody has asked for.
    NewSize,
    Upload,
    /// An asset by URL.
    Url,
    Edit,
    Delete,
    /// A look whether an asset is ready.
    Look,
}

impl Kind {
    /// All with a rate, a second, and how many may be under way: about a fifth of what two processors bear.
    const LOADS: [(Self, f64, usize); 6] = [
        (Self::Read, 50.0, 16),
        (Self::NewSize, 4.0, 8),
        (Self::Upload, 0.5, 4),
        (Self::Url, 0.5, 4),
        (Self::Edit, 0.5, 4),
        (Self::Delete, 1.5, 4),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Read => "reads of what is stored",
            Self::NewSize => "sizes never asked for",
            Self::Upload => "uploads",
            Self::Url => "assets by URL",
            Self::Edit => "edits",
            Self::Delete => "deletions",
            Self::Look => "looks whether ready",
        }
    }
}

/// All that the threads of the load share.
struct Shared<'a> {
    soak: &'a Soak,
    client: Client,
    assets: Assets,
    log: Log<Kind>,
    /// From accepted to ready, in milliseconds.
    lags: Mutex<Vec<f64>>,
    failures: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

/// Loads for some minutes; returns what failed.
///
/// # Errors
/// When the first assets do not come in.
pub fn run(soak: &Soak, minutes: u16) -> Result<Vec<String>> {
    let shared = Shared {
        soak,
        client: Client::new(soak.deployment.address),
        assets: Assets::default(),
        log: Log::new(),
        lags: Mutex::default(),
        failures: Mutex::default(),
        is_over: AtomicBool::new(false),
    };
    for number in 0..N_FIRST {
        let id = soak.deployment.client.upload(&numbered(&soak.jpeg, usize::try_from(number)?))?;
        shared.assets.settle(&id, true);
    }
    let duration = Duration::from_secs(u64::from(minutes) * 60);
    eprintln!("=== a steady load for {minutes} min");
    let samples = std::thread::scope(|scope| {
        let loads = Kind::LOADS.map(|(kind, per_second, n_threads)| {
            let (schedule, shared) = (Schedule { per_second, duration, n_threads }, &shared);
            scope.spawn(move || schedule.run(|number, due| shared.ask(kind, number, due)))
        });
        let looks = scope.spawn(|| shared.look_on());
        let watch = scope.spawn(|| shared.watch(duration));
        loads.into_iter().for_each(|load| _ = load.join());
        shared.is_over.store(true, Ordering::Relaxed);
        let _ = looks.join();
        watch.join()
    });
    let samples = samples.map_err(|_| anyhow::anyhow!("memory could not be watched"))?;
    Ok(shared.report(&samples, duration))
}

impl Shared<'_> {
    /// One request of a kind, if there is something to ask for.
    fn ask(&self, kind: Kind, number: u64, due: Instant) {
        let json = |text| Body { content_type: "application/json", bytes: text };
        let picked = || self.assets.pick(number);
        let (method, path) = match kind {
            Kind::Read => ("GET", picked().map(|id| read_path(&id, number))),
            Kind::NewSize => ("GET", picked().map(|id| new_size_path(&id, number))),
            Kind::Upload | Kind::Url => ("POST", Some("/v1/assets".to_owned())),
            Kind::Edit => ("PATCH", picked().map(|id| format!("/v1/assets/{id}"))),
            Kind::Delete => ("DELETE", self.assets.retire().map(|id| format!("/v1/assets/{id}"))),
            Kind::Look => return,
        };
        let Some(path) = path else { return };
        let n = usize::try_from(number).unwrap_or(0);
        let url = format!("{{\"source_url\":\"http://{}/{n}\"}}", self.soak.source);
        let title = format!("{{\"title\":\"Edit {n}\",\"tags\":[\"soak\",\"t{}\"]}}", n % 5);
        let picture = if kind == Kind::Upload { numbered(&self.soak.jpeg, FIRST_UPLOAD + n) } else { Vec::new() };
        let body = match kind {
            Kind::Upload => Body { content_type: "image/jpeg", bytes: &picture },
            Kind::Url => json(url.as_bytes()),
            Kind::Edit => json(title.as_bytes()),
            _ => Body::default(),
        };
        let answer = self.client.ask(number, method, &path, body);
        let mut verdict = Verdict::of(&answer);
        if let (Kind::Upload | Kind::Url, Verdict::Fine, Ok(answer)) = (kind, &verdict, &answer) {
            match answer.json()["id"].as_str() {
                Some(id) => self.assets.accepted(id),
                None => verdict = Verdict::Failed("accepted without an id".to_owned()),
            }
        }
        self.log.add(kind, due, verdict);
    }

    /// Looks at what was accepted until all of it is ready or lost.
    fn look_on(&self) {
        loop {
            let pending = self.assets.pending();
            if pending.is_empty() && self.is_over.load(Ordering::Relaxed) {
                return;
            }
            for (number, pending) in (0..).zip(pending) {
                let due = Instant::now();
                let answer = self.client.ask(number, "GET", &format!("/v1/assets/{}", pending.id), Body::default());
                self.log.add(Kind::Look, due, Verdict::of(&answer));
                let asset = answer.map(|answer| answer.json()).unwrap_or_default();
                match asset["state"].as_str() {
                    Some("ready") => {
                        self.lags.lock().expect("nobody panics with it").extend(lag(&asset));
                        self.assets.settle(&pending.id, true);
                    }
                    Some("failed") => self.lose(&pending.id, &format!("failed: {}", asset["error"])),
                    _ if pending.accepted.elapsed() > READY_LIMIT => {
                        self.lose(&pending.id, &format!("was not ready after {} s", READY_LIMIT.as_secs()));
                    }
                    _ => {}
                }
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn lose(&self, id: &str, how: &str) {
        self.assets.settle(id, false);
        self.failures.lock().expect("nobody panics with it").push(format!("asset {id} was accepted and {how}"));
    }

    /// Samples memory every second, and shows how it goes.
    fn watch(&self, duration: Duration) -> Vec<Sample> {
        let (started, is_terminal) = (Instant::now(), std::io::stderr().is_terminal());
        let mut samples = Vec::new();
        while !self.is_over.load(Ordering::Relaxed) {
            let sample = Sample::take(&self.soak.deployment, started);
            samples.push(sample);
            let tallies = self.log.snapshot();
            let (n, errors) =
                tallies.values().fold((0, 0), |(n, errors), tally| (n + tally.n(), errors + tally.n_failed()));
            let p99 = |kind| tallies.get(&kind).map_or(0.0, |tally: &Tally| tally.p(0.99));
            let line = format!(
                "{:>4.0} of {} s, {n} requests, {errors} errors; p99 ms: read {:.0}, new size {:.0}, upload {:.0}, URL {:.0}, \
                 edit {:.0}; {:.0} MB, Redis {:.0} MB",
                sample.at,
                duration.as_secs(),
                p99(Kind::Read),
                p99(Kind::NewSize),
                p99(Kind::Upload),
                p99(Kind::Url),
                p99(Kind::Edit),
                sample.app as f64 / 1e6,
                sample.redis as f64 / 1e6,
            );
            match is_terminal {
                true => eprint!("\r\x1b[K{line}"),
                false if samples.len() % 15 == 0 => eprintln!("{line}"),
                false => {}
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        if is_terminal {
            eprintln!();
        }
        samples
    }

    /// Prints what came of it; returns what failed.
    fn report(&self, samples: &[Sample], duration: Duration) -> Vec<String> {
        let tallies = self.log.snapshot();
        println!("\n{}", requests(&tallies));
        let lags = self.lags.lock().expect("nobody panics with it");
        println!(
            "From accepted to ready, {} assets: p50 {:.0} ms, p99 {:.0} ms, most {:.0} ms.\n",
            lags.len(),
            quantile(&lags, 0.5),
            quantile(&lags, 0.99),
            quantile(&lags, 1.0)
        );
        let from = SETTLING.min(duration / 2);
        println!("{}", memory(samples, from.as_secs_f64()));
        println!("Memory: resident, sampled every second, without the first {} s.", from.as_secs());
        let mut failures = self.failures.lock().expect("nobody panics with it").clone();
        failures.extend(tallies.iter().flat_map(|(kind, tally)| tally.errors(kind.name())));
        failures
    }
}

fn read_path(id: &str, number: u64) -> String {
    match number % 20 {
        0 => "/v1/images?limit=20".to_owned(),
        1 => format!("/v1/images/{id}"),
        2 => format!("/v1/assets/{id}"),
        3..9 => format!("/i/{id}/small"),
        9..12 => format!("/i/{id}/medium"),
        _ => format!("/i/{id}/thumb"),
    }
}

/// No two numbers ask for the same: every width comes in turn with a quality, then with the next one.
fn new_size_path(id: &str, number: u64) -> String {
    format!("/i/{id}/w={},f=jpeg,q={}", 100 + number % 900, 30 + number / 900 % 60)
}

fn requests(tallies: &BTreeMap<Kind, Tally>) -> String {
    let row = |(kind, tally): (&Kind, &Tally)| {
        let time = |part| format!("{:.1} ms", tally.p(part));
        let counts = [tally.n(), tally.times.len() as u64, tally.n_refused(), tally.n_failed()].map(|n| n.to_string());
        std::iter::once(kind.name().to_owned()).chain(counts).chain([time(0.5), time(0.99), time(1.0)]).collect()
    };
    let head = ["", "requests", "ok", "429 and 503", "other errors", "p50", "p99", "max"];
    table(&head, &tallies.iter().map(row).collect::<Vec<_>>())
}

fn memory(samples: &[Sample], from: f64) -> String {
    let row = |name: &str, value: fn(&Sample) -> u64| {
        let trend = Trend::of(samples, from, value);
        let share = if trend.mean > 0.0 { trend.slope / trend.mean * 100.0 } else { 0.0 };
        let slope = format!("{:+.2} MB/min, {share:+.2} %/min", trend.slope);
        vec![name.to_owned(), format!("{:.0} MB", trend.mean), format!("{:.0} MB", trend.most), slope]
    };
    let rows = [row("web processes and workers", |sample| sample.app), row("Redis", |sample| sample.redis)];
    table(&["", "mean", "most", "slope"], &rows)
}
