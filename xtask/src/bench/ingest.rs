//! Taking pictures in by URL.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, IsTerminal};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::app::{App, Start};
use super::client::Client;
use super::report::{circumstances, table};
use super::{Bench, machine, source};

/// How long all of them may take.
const LIMIT: Duration = Duration::from_secs(900);

/// The pause between two looks at the states.
const PAUSE: Duration = Duration::from_millis(50);

/// The presets that exist from the start.
const PRESETS: [&str; 4] = ["thumb", "small", "medium", "large"];

/// Measures; returns the report.
///
/// # Errors
/// When something can't be measured.
pub fn measure(bench: &Bench) -> Result<String> {
    let load_before = machine::load();
    let folder = bench.folder("ingest")?;
    let jpeg = bench.pictures.six_megapixels()?;
    let n_bytes = jpeg.len();
    let source = source::serve(jpeg)?;
    let start = Start { runner: bench.runner, folder: &folder, compiled: &bench.compiled, cpus: None, redis: None };
    let app = App::start(&start)?;
    let cpu_before = app.server.cpu_seconds();
    eprintln!("=== taking in {} pictures of {n_bytes} bytes", bench.assets);
    let ids = accept(&app.client, source, 0..bench.assets)?;
    wait(&app.client, &ids).with_context(|| app.server.log_end())?;
    let measured = Measured {
        seconds: ids.first_accepted.elapsed().as_secs_f64(),
        accept_seconds: ids.accept_time.as_secs_f64(),
        cpu_seconds: app.server.cpu_seconds() - cpu_before,
        peaks: app.server.peak_memory(),
    };
    check_presets(&app, &ids)?;
    Ok(report(bench, n_bytes, &measured, &circumstances(bench.runner, load_before, &[])))
}

struct Measured {
    /// From the first accepted to the last ready.
    seconds: f64,
    /// From the first accepted to the last accepted.
    accept_seconds: f64,
    cpu_seconds: f64,
    peaks: Vec<(String, u64)>,
}

/// What was accepted.
pub struct Accepted {
    pub ids: Vec<String>,
    pub first_accepted: Instant,
    accept_time: Duration,
}

/// Posts a batch of the pictures with these numbers.
///
/// # Errors
/// When not all are accepted.
pub fn accept(client: &Client, source: SocketAddr, numbers: Range<usize>) -> Result<Accepted> {
    let n_assets = numbers.len();
    let lines: String = numbers.map(|number| format!("{{\"source_url\":\"http://{source}/{number}\"}}\n")).collect();
    let mut first_accepted = None;
    let mut ids = Vec::new();
    for line in BufReader::new(client.batch(&lines)?).lines() {
        let answer: Value = serde_json::from_str(&line?)?;
        ids.push(id_of(&answer).with_context(|| format!("not accepted: {answer}"))?);
        first_accepted.get_or_insert_with(Instant::now);
    }
    ensure!(ids.len() == n_assets, "{} of {n_assets} lines were answered", ids.len());
    let first_accepted = first_accepted.context("nothing was accepted")?;
    Ok(Accepted { ids, first_accepted, accept_time: first_accepted.elapsed() })
}

/// The id in a line of a batch's answer.
fn id_of(answer: &Value) -> Option<String> {
    let id = answer["id"].as_str().or_else(|| answer["asset"]["id"].as_str())?;
    Some(id.to_owned())
}

/// Looks at the states until all are ready, and counts aloud.
///
/// # Errors
/// When one is not.
pub fn wait(client: &Client, accepted: &Accepted) -> Result<()> {
    let n_assets = accepted.ids.len();
    let mut counter = Counter { n_assets, n_shown: 0, is_terminal: std::io::stderr().is_terminal() };
    let mut pending: VecDeque<&String> = accepted.ids.iter().collect();
    while let Some(id) = pending.front() {
        let asset = client.json(&format!("/v1/assets/{id}"))?;
        match asset["state"].as_str() {
            Some("ready") => {
                pending.pop_front();
                continue;
            }
            Some("failed") => bail!("an asset failed: {asset}"),
            _ if accepted.first_accepted.elapsed() > LIMIT => bail!("not ready after {} s", LIMIT.as_secs()),
            _ => {}
        }
        counter.show(n_assets - pending.len());
        std::thread::sleep(PAUSE);
    }
    counter.show(n_assets);
    eprintln!();
    Ok(())
}

/// Says how many are ready: on a terminal in one line, elsewhere now and then.
struct Counter {
    n_assets: usize,
    n_shown: usize,
    is_terminal: bool,
}

impl Counter {
    fn show(&mut self, n_ready: usize) {
        let is_worthwhile = self.is_terminal || n_ready == self.n_assets || n_ready >= self.n_shown + 20;
        if n_ready == self.n_shown || !is_worthwhile {
            return;
        }
        self.n_shown = n_ready;
        let end = if self.is_terminal { "" } else { "\n" };
        eprint!("{}{n_ready} of {} ready{end}", if self.is_terminal { "\r" } else { "" }, self.n_assets);
    }
}

/// The presets must have been made before the assets were ready, and not be made when they are asked for.
fn check_presets(app: &App, accepted: &Accepted) -> Result<()> {
    let last = accepted.ids.last().context("nothing was accepted")?;
    for preset in PRESETS {
        app.client.get(&format!("/i/{last}/{preset}"))?;
    }
    let renders = app.client.json("/v1/stats")?["renders"].as_u64();
    ensure!(renders == Some(0), "the presets were not all made at ingest: {renders:?} renders on request");
    Ok(())
}

fn report(bench: &Bench, n_bytes: usize, measured: &Measured, circumstances: &str) -> String {
    let n_assets = bench.assets as f64;
    let row = |what: &str, value: String| vec![what.to_owned(), value];
    let mut rows = vec![
        row("assets/s", format!("{:.2}", n_assets / measured.seconds)),
        row("from the first accepted to the last ready", format!("{:.1} s", measured.seconds)),
        row("from the first accepted to the last accepted", format!("{:.1} s", measured.accept_seconds)),
        row("processor time for an asset", format!("{:.0} ms", measured.cpu_seconds / n_assets * 1000.0)),
        row("cores busy on average", format!("{:.2}", measured.cpu_seconds / measured.seconds)),
    ];
    let peak = |(name, bytes): &(String, u64)| {
        row(&format!("peak memory of `{name}`"), format!("{:.0} MB", *bytes as f64 / 1e6))
    };
    rows.extend(measured.peaks.iter().map(peak));
    let table = table(&["", ""], &rows);
    format!(
        "## Ingest, {runner} runner\n\n{table}\n\
         How: {assets} JPEGs of 3000x2000 pixels ({n_bytes} bytes each, made of {origin}, all different in their bytes: \
         each has a comment of its own) are posted as one batch of URLs. A small server on loopback hands them out. \
         Ready means: downloaded, checked, stored under its hash, decoded, its rungs and the four built-in presets made \
         and stored, with placeholder and dominant colour. Peak memory is VmHWM of /proc, of the app's process and of \
         each that it started.\n\n\
         What distorts it: the source is as near as can be, so that downloads cost next to nothing. The states are \
         looked at every {pause} ms, on the same cores. Pictures of one size are easier on memory than a mixture.\n\n\
         {circumstances}",
        runner = bench.runner.name(),
        assets = bench.assets,
        origin = bench.pictures.origin,
        pause = PAUSE.as_millis(),
    )
}
