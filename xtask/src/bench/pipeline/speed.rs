//! How fast assets become ready, by the number of workers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::super::app::{App, Start};
use super::super::client::Client;
use super::super::deployment::{Counts, Deployment, Size, lag};
use super::super::report::table;
use super::super::server::Server;
use super::super::stats::quantile;
use super::super::{Bench, ingest};

/// How many worker processes there are, in turn.
const WORKERS: [u16; 3] = [1, 2, 4];

/// Assets that are taken in one after the other.
const N_SINGLE: usize = 30;

/// How long one of them may take.
const LIMIT: Duration = Duration::from_secs(60);

struct Speed {
    name: String,
    per_second: f64,
    /// Messages published in a second, and for an asset.
    events: Option<(f64, f64)>,
    burst: Vec<f64>,
    single: Vec<f64>,
    cpu_per_asset: f64,
    cores: f64,
}

/// Measures; returns its part of the report.
///
/// # Errors
/// When something can't be measured.
pub fn measure(bench: &Bench, source: SocketAddr) -> Result<String> {
    let mut all = vec![embedded(bench, source)?];
    for workers in WORKERS {
        all.push(on_redis(bench, source, workers)?);
    }
    Ok(report(bench, &all))
}

fn embedded(bench: &Bench, source: SocketAddr) -> Result<Speed> {
    let folder = bench.folder("pipeline/embedded")?;
    let start = Start { runner: bench.runner, folder: &folder, compiled: &bench.compiled, cpus: None, redis: None };
    let app = App::start(&start)?;
    eprintln!("=== embedded");
    run(bench, source, "embedded".to_owned(), &app.client, &app.server, None)
}

fn on_redis(bench: &Bench, source: SocketAddr, workers: u16) -> Result<Speed> {
    let folder = bench.folder(&format!("pipeline/workers-{workers}"))?;
    let deployment = Deployment::start(&folder, bench.runner, Size { replicas: 1, workers })?;
    let plural = if workers == 1 { "" } else { "s" };
    eprintln!("=== Redis, {workers} worker{plural}");
    let mut redis = redis::Client::open(deployment.redis_url.as_str())?.get_connection()?;
    let name = format!("Redis, {workers} worker{plural}");
    run(bench, source, name, &deployment.client, &deployment.server, Some(&mut redis))
}

fn run(
    bench: &Bench,
    source: SocketAddr,
    name: String,
    client: &Client,
    server: &Server,
    mut redis: Option<&mut redis::Connection>,
) -> Result<Speed> {
    let mut published = || redis.as_mut().map(|redis| anyhow::Ok(Counts::of(redis)?.published())).transpose();
    // What is compiled or cached at the first use is so before.
    single(client, source, 1_000_000)?;
    let (cpu_before, published_before) = (server.cpu_seconds(), published()?);
    let accepted = ingest::accept(client, source, 0..bench.assets)?;
    ingest::wait(client, &accepted).with_context(|| server.log_end())?;
    let seconds = accepted.first_accepted.elapsed().as_secs_f64();
    let (cpu, published_after) = (server.cpu_seconds() - cpu_before, published()?);
    let mut burst = Vec::new();
    for id in &accepted.ids {
        burst.extend(lag(&client.json(&format!("/v1/assets/{id}"))?));
        // One address may ask only so often.
        std::thread::sleep(Duration::from_millis(5));
    }
    let single = (0..N_SINGLE).map(|number| single(client, source, 2_000_000 + number)).collect::<Result<Vec<_>>>()?;
    let n_assets = bench.assets as f64;
    let events = published_after.zip(published_before).map(|(after, before)| (after - before) as f64);
    Ok(Speed {
        name,
        per_second: n_assets / seconds,
        events: events.map(|events| (events / seconds, events / n_assets)),
        burst,
        single,
        cpu_per_asset: cpu / n_assets * 1000.0,
        cores: cpu / seconds,
    })
}

/// Takes one asset in; returns the milliseconds from accepted to ready.
fn single(client: &Client, source: SocketAddr, number: usize) -> Result<f64> {
    let id = client.accept(&format!("http://{source}/{number}"))?;
    let started = Instant::now();
    while started.elapsed() < LIMIT {
        let asset = client.json(&format!("/v1/assets/{id}"))?;
        match asset["state"].as_str() {
            Some("ready") => return lag(&asset).context("an asset without times"),
            Some("failed") => bail!("an asset failed: {asset}"),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    bail!("an asset was not ready after {} s", LIMIT.as_secs())
}

fn report(bench: &Bench, all: &[Speed]) -> String {
    let milliseconds = |values: &[f64], part| format!("{:.0} ms", quantile(values, part));
    let row = |speed: &Speed| {
        let events = speed
            .events
            .map_or(["–".to_owned(), "–".to_owned()], |(rate, each)| [format!("{rate:.0}"), format!("{each:.1}")]);
        let [rate, each] = events;
        vec![
            speed.name.clone(),
            format!("{:.1}", speed.per_second),
            rate,
            each,
            milliseconds(&speed.burst, 0.5),
            milliseconds(&speed.burst, 0.99),
            milliseconds(&speed.single, 0.5),
            milliseconds(&speed.single, 0.99),
            format!("{:.0} ms", speed.cpu_per_asset),
            format!("{:.2}", speed.cores),
        ]
    };
    let head = [
        "",
        "assets/s",
        "messages/s",
        "messages an asset",
        "burst: to ready, p50",
        "p99",
        "single: to ready, p50",
        "p99",
        "processor time an asset",
        "cores busy",
    ];
    format!(
        "### From accepted to ready\n\n{table}\n\
         How: *burst* is {n} assets posted as one batch, so that the last waits for all before it; *single* is {N_SINGLE} \
         assets, each posted when the one before was ready. The times are those that the assets' own documents tell, from \
         `created_at` to the last `updated_at`. Messages are events and bells, as Redis counts what is published. Processor \
         time is that of all processes, nginx and Redis among them.\n\n\
         What distorts it: everything shares the same processors, so that more workers help only until these are busy.",
        table = table(&head, &all.iter().map(row).collect::<Vec<_>>()),
        n = bench.assets,
    )
}
