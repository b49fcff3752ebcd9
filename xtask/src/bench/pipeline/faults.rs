//! What is accepted becomes ready whatever dies meanwhile, and how long that takes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustix::process::Signal;

use super::super::client::Client;
use super::super::deployment::{Deployment, Role, Size, signal};
use super::super::report::table;
use super::super::stats::{median, quantile};
use super::super::{Bench, ingest};

/// Assets that are on their way when it happens.
const N_ASSETS: usize = 100;

/// How often each fault happens.
const N_ROUNDS: usize = 3;

/// How long after the last was accepted.
const DELAY: Duration = Duration::from_millis(200);

/// How long a request may take, and all of it.
const PATIENCE: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_secs(240);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Clone, Copy)]
enum Fault {
    None,
    Web,
    Worker,
    Redis,
    All,
}

impl Fault {
    const ALL: [Self; 5] = [Self::None, Self::Web, Self::Worker, Self::Redis, Self::All];

    fn name(self) -> &'static str {
        match self {
            Self::None => "none, to compare with",
            Self::Web => "a web process is killed",
            Self::Worker => "a worker is killed",
            Self::Redis => "Redis is restarted",
            Self::All => "all web processes, workers and Redis are killed",
        }
    }

    fn strike(self, deployment: &Deployment) {
        let first = |role| deployment.pids(role).into_iter().take(1).collect::<Vec<_>>();
        let (pids, how) = match self {
            Self::None => (Vec::new(), Signal::KILL),
            Self::Web => (first(Role::Web), Signal::KILL),
            Self::Worker => (first(Role::Worker), Signal::KILL),
            Self::Redis => (first(Role::Redis), Signal::TERM),
            Self::All => {
                let roles = [Role::Web, Role::Worker, Role::Redis];
                (roles.into_iter().flat_map(|role| deployment.pids(role)).collect(), Signal::KILL)
            }
        };
        pids.into_iter().for_each(|pid| signal(pid, how));
    }
}

/// Measures; returns its part of the report.
///
/// # Errors
/// When something can't be measured, or is lost.
pub fn measure(bench: &Bench, source: SocketAddr) -> Result<String> {
    let folder = bench.folder("pipeline/faults")?;
    let deployment = Deployment::start(&folder, bench.runner, Size { replicas: 2, workers: 2 })?;
    let probe = deployment.client.upload(&bench.pictures.sized((320, 240))?)?;
    let mut rows = Vec::new();
    let mut next = 0;
    for fault in Fault::ALL {
        let mut times = Vec::new();
        for _ in 0..N_ROUNDS {
            times.push(strike(&deployment, fault, source, next, &format!("/i/{probe}/thumb"))?);
            eprintln!("=== {}: {:.1} s, {:.1} s", fault.name(), times[times.len() - 1].0, times[times.len() - 1].1);
            next += N_ASSETS;
        }
        let (all, probes): (Vec<f64>, Vec<f64>) = times.into_iter().unzip();
        let seconds = |value| format!("{value:.1} s");
        let row = [median(&all), quantile(&all, 0.0), quantile(&all, 1.0), median(&probes)].map(seconds);
        rows.push(std::iter::once(fault.name().to_owned()).chain(row).collect::<Vec<_>>());
    }
    let head =
        ["fault", "all is ready again, median", "fastest", "slowest", "a stored variant is missed until, median"];
    Ok(format!(
        "### After a fault\n\n{table}\n\
         How: two web processes, two workers. {N_ASSETS} assets are posted as one batch; {delay} ms after the last is \
         accepted it happens. Killed is SIGKILL, restarted SIGTERM; what ends is started again by the supervisor, first \
         after 0.2 s. The first time is from that moment until every one of the {N_ASSETS} is `ready` and a stored variant \
         is delivered at the same look, the last until the last look at which it was not, 0 where it always was; looks are {pause} ms apart. Nothing was lost: an \
         asset that failed or stayed open would have ended the measurement. {N_ROUNDS} rounds each.\n\n\
         Where a worker dies with work in hand, that work rests until its lease of ten seconds is over: hence most of \
         what is longer than without a fault.",
        table = table(&head, &rows),
        delay = DELAY.as_millis(),
        pause = PAUSE.as_millis(),
    ))
}

/// The seconds until everything accepted is ready, and until the last probe that was not delivered; 0 without any.
fn strike(deployment: &Deployment, fault: Fault, source: SocketAddr, first: usize, probe: &str) -> Result<(f64, f64)> {
    let client = Client::with_limit(deployment.address, PATIENCE);
    let accepted = ingest::accept(&deployment.client, source, first..first + N_ASSETS)?;
    std::thread::sleep(DELAY);
    let struck = Instant::now();
    fault.strike(deployment);
    let mut pending = accepted.ids;
    let mut last_miss = 0.0;
    while struck.elapsed() < LIMIT {
        let serves = client.is_ok(probe);
        if !serves {
            last_miss = struck.elapsed().as_secs_f64();
        }
        while let Some(id) = pending.last() {
            // Whoever asks in the middle of a fault may get no answer.
            let Ok(asset) = client.json(&format!("/v1/assets/{id}")) else { break };
            match asset["state"].as_str() {
                Some("ready") => _ = pending.pop(),
                Some("failed") => bail!("after {}: an accepted asset failed: {asset}", fault.name()),
                _ => break,
            }
        }
        if serves && pending.is_empty() {
            return Ok((struck.elapsed().as_secs_f64(), last_miss));
        }
        std::thread::sleep(PAUSE);
    }
    bail!("after {}: {} assets are not ready after {} s", fault.name(), pending.len(), LIMIT.as_secs())
}
