//! A stored variant, beside nginx with the same bytes in a file.

use anyhow::{Result, ensure};
use ureq::http::HeaderMap;

use super::app::{App, Start};
use super::load::{Load, Outcome};
use super::nginx::Nginx;
use super::report::{circumstances, factor, table};
use super::stats::median;
use super::{Bench, machine};
use crate::runner::Runner;
use crate::shell::need_packages;

/// How many times each side is loaded; medians of them are reported.
const N_ROUNDS: usize = 3;

/// How long each side is loaded before that, in seconds.
const WARM_UP_SECONDS: u64 = 2;

/// The size that the variant should be near, in bytes.
const WANTED_BYTES: usize = 20_000;

/// Measures; returns the report.
///
/// # Errors
/// When something can't be measured.
pub fn measure(bench: &Bench) -> Result<String> {
    need_packages(&[("nginx", "nginx"), ("wrk", "wrk"), ("setpriv", "util-linux")])?;
    let load_before = machine::load();
    let folder = bench.folder("cached")?;
    let cpus = machine::split_cpus();
    let (server_cpus, load_cpus) = cpus.as_ref().map(|(server, load)| (server.as_str(), load.as_str())).unzip();
    let start =
        Start { runner: bench.runner, folder: &folder, compiled: &bench.compiled, cpus: server_cpus, redis: None };
    let app = App::start(&start)?;
    let picture = Picture::choose(&app, &bench.pictures.sample)?;
    let nginx = Nginx::start(&folder, &picture.bytes, &picture.headers, server_cpus)?;
    ensure!(*nginx.client.get("/picture")?.body() == picture.bytes, "nginx serves other bytes than the app");

    let urls = [app.client.url(&picture.path), nginx.client.url("/picture")];
    let mut rows = Vec::new();
    for load in loads(bench.runner) {
        let [ours, theirs] = compare(&urls, &load, bench.seconds, load_cpus)?;
        rows.extend(rows_of(&load, &ours, &theirs));
    }
    let versions = [("nginx", machine::version_of("nginx")), ("wrk", machine::version_of("wrk"))];
    let circumstances = circumstances(bench.runner, load_before, &versions);
    Ok(report(bench, &picture, &rows, &circumstances, cpus.is_some()))
}

/// Spin never sets TCP_NODELAY, so that there only the first answer on a connection says how fast it is.
fn loads(runner: Runner) -> Vec<Load> {
    let kinds: &[bool] = if runner == Runner::Spin { &[false, true] } else { &[false] };
    kinds.iter().flat_map(|&is_fresh| [1, 16].map(|n_connections| Load { n_connections, is_fresh })).collect()
}

/// The variant that is asked for.
struct Picture {
    path: String,
    bytes: Vec<u8>,
    headers: HeaderMap,
}

impl Picture {
    /// The one of several widths that is nearest to the wanted size, stored from now on.
    fn choose(app: &App, sample: &[u8]) -> Result<Self> {
        let id = app.client.upload(sample)?;
        let mut pictures = Vec::new();
        for width in (240..=480).step_by(20) {
            let path = format!("/i/{id}/w={width},f=jpeg,q=80");
            let (parts, bytes) = app.client.get(&path)?.into_parts();
            pictures.push(Self { path, bytes, headers: parts.headers });
        }
        pictures.sort_by_key(|picture| picture.bytes.len().abs_diff(WANTED_BYTES));
        Ok(pictures.swap_remove(0))
    }
}

/// Loads both in turns; returns the medians of each.
fn compare(urls: &[String; 2], load: &Load, seconds: u64, cpus: Option<&str>) -> Result<[Outcome; 2]> {
    let kind = if load.is_fresh { ", a connection for each request" } else { "" };
    eprintln!("=== {} connections{kind}", load.n_connections);
    for url in urls {
        load.run(url, WARM_UP_SECONDS.min(seconds), cpus)?;
    }
    let mut outcomes: [Vec<Outcome>; 2] = Default::default();
    for _ in 0..N_ROUNDS {
        for (name, (url, outcomes)) in ["ours ", "nginx"].iter().zip(urls.iter().zip(&mut outcomes)) {
            let outcome = load.run(url, seconds, cpus)?;
            eprintln!("{name} {:.0}/s, p50 {:.2} ms, p99 {:.2} ms", outcome.per_second, outcome.p50, outcome.p99);
            outcomes.push(outcome);
        }
    }
    Ok(outcomes.map(|outcomes| medians(&outcomes)))
}

fn medians(outcomes: &[Outcome]) -> Outcome {
    let median_of = |value: fn(&Outcome) -> f64| median(&outcomes.iter().map(value).collect::<Vec<_>>());
    Outcome {
        per_second: median_of(|outcome| outcome.per_second),
        p50: median_of(|outcome| outcome.p50),
        p99: median_of(|outcome| outcome.p99),
    }
}

fn rows_of(load: &Load, ours: &Outcome, theirs: &Outcome) -> [Vec<String>; 3] {
    let connections = load.n_connections;
    let connections = if load.is_fresh { format!("{connections}, a new one each") } else { connections.to_string() };
    let row = |name: &str, outcome: &Outcome| {
        let Outcome { per_second, p50, p99 } = outcome;
        vec![
            connections.clone(),
            name.into(),
            format!("{per_second:.0}"),
            format!("{p50:.2} ms"),
            format!("{p99:.2} ms"),
        ]
    };
    let ratios = [ours.per_second / theirs.per_second, theirs.p50 / ours.p50, theirs.p99 / ours.p99];
    let ratio_row = [connections.clone(), "**ratio**".into()].into_iter().chain(ratios.map(factor)).collect();
    [row("ScaleHoster", ours), row("nginx", theirs), ratio_row]
}

fn report(bench: &Bench, picture: &Picture, rows: &[Vec<String>], circumstances: &str, is_pinned: bool) -> String {
    let table = table(&["connections", "server", "requests/s", "p50", "p99"], rows);
    let placing = if is_pinned {
        "One worker each: every server is held to the same one core, nginx with `worker_processes 1`, and wrk to the \
         others, so that the load costs neither of them anything."
    } else {
        "There is one core, which the servers and the load on them share; nginx has `worker_processes 1`."
    };
    let spin = if bench.runner == Runner::Spin {
        "\n\nSpin's listener never sets TCP_NODELAY, which nginx does: on a connection that is kept, a small answer \
         waits for the client's delayed acknowledgement, 40 ms. Hence also a new connection for each request, where the \
         first acknowledgement comes at once; there wrk's times begin when the connection stands."
    } else {
        ""
    };
    format!(
        "## A stored variant, {runner} runner\n\n{table}\n\
         How: a JPEG variant of {n_bytes} bytes. `wrk --latency` in two threads (one for one connection), {seconds} s \
         after a warm-up of {warm_up} s, the servers in turns; medians of {N_ROUNDS} rounds. nginx sends the same bytes \
         with the same headers from a file, with `sendfile`, `open_file_cache`, no access log and no limit of requests \
         on a connection. {placing}{spin}\n\n\
         What distorts it: nginx's file lies in the page cache and is sent without being copied; ours reads the image, \
         the presets and the variant from the store for every request, as it would for any image. A single variant is \
         the best case of both. On loopback there is no network to hide either's cost.\n\n{circumstances}",
        runner = bench.runner.name(),
        n_bytes = picture.bytes.len(),
        seconds = bench.seconds,
        warm_up = WARM_UP_SECONDS.min(bench.seconds),
    )
}
