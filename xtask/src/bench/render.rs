//! A variant that nobody has asked for, beside Express and sharp resizing the original.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};

use super::app::{App, Start};
use super::client::Client;
use super::pictures::numbered;
use super::report::{circumstances, factor, table};
use super::server::Server;
use super::sharp::{self, Sharp};
use super::stats::{mean, median, quantile};
use super::{Bench, machine};

/// How many times each side is asked for a run of pictures, in turns.
const N_ROUNDS: usize = 3;

/// The pictures of a run.
const RUN: usize = 14;

/// The pictures that each side renders before that.
const N_WARM_UP: usize = 8;

/// How many are asked for at the same time.
const CONCURRENCIES: [usize; 2] = [1, 2];

/// What every picture becomes: 720x588 pixels, as it would be without the height.
const TRANSFORM: &str = "w=720,h=588,f=jpeg,q=80";

/// Measures; returns the report.
///
/// # Errors
/// When something can't be measured.
pub fn measure(bench: &Bench) -> Result<String> {
    let load_before = machine::load();
    let folder = bench.folder("render")?;
    let files = folder.join("pictures");
    std::fs::create_dir_all(&files)?;
    let sharp = Sharp::start(&folder, &files)?;
    let start = Start { runner: bench.runner, folder: &folder, compiled: &bench.compiled, cpus: None, redis: None };
    let app = App::start(&start)?;
    let paths = provide(&app.client, &bench.pictures.sample, &files)?;
    let sizes = check_sizes(&app, &sharp, &paths[0])?;

    let mut left = &paths[1..];
    let mut runs = |concurrency, n_pictures: usize| -> Result<[Run; 2]> {
        let (now, later) = left.split_at(n_pictures);
        left = later;
        let (our_paths, their_paths): (Vec<&str>, Vec<&str>) =
            now.iter().map(|path| (path.ours.as_str(), path.theirs.as_str())).unzip();
        let ours = run(&app.client, &app.server, &our_paths, concurrency)?;
        let theirs = run(&sharp.client, &sharp.server, &their_paths, concurrency)?;
        Ok([ours, theirs])
    };
    runs(2, N_WARM_UP)?;
    let mut rows = Vec::new();
    for concurrency in CONCURRENCIES {
        let rounds = (0..N_ROUNDS).map(|_| runs(concurrency, RUN)).collect::<Result<Vec<_>>>()?;
        rows.extend(rows_of(concurrency, &rounds));
    }
    Ok(report(bench, &rows, sizes, &circumstances(bench.runner, load_before, &sharp.versions)))
}

/// Where a picture is to be had from each side.
struct Paths {
    ours: String,
    theirs: String,
}

/// Stores as many pictures as are needed, in the app and as files.
fn provide(app: &Client, sample: &[u8], files: &Path) -> Result<Vec<Paths>> {
    let n_pictures = 1 + N_WARM_UP + CONCURRENCIES.len() * N_ROUNDS * RUN;
    eprintln!("=== storing {n_pictures} pictures");
    (0..n_pictures)
        .map(|number| {
            let bytes = numbered(sample, number);
            std::fs::write(files.join(format!("{number}.jpg")), &bytes)?;
            let id = app.upload(&bytes)?;
            Ok(Paths { ours: format!("/i/{id}/{TRANSFORM}"), theirs: sharp::path(&format!("{number}.jpg"), TRANSFORM) })
        })
        .collect()
}

/// The bytes of one result of each; both must be of the size that is asked for.
fn check_sizes(app: &App, sharp: &Sharp, paths: &Paths) -> Result<[usize; 2]> {
    let ours = app.client.get(&paths.ours)?.into_body();
    let theirs = sharp.client.get(&paths.theirs)?.into_body();
    for jpeg in [&ours, &theirs] {
        let picture = image::load_from_memory(jpeg)?;
        let size = (picture.width(), picture.height());
        ensure!(size == (720, 588), "a result has {}x{} pixels", size.0, size.1);
    }
    Ok([ours.len(), theirs.len()])
}

/// What came of a run.
pub struct Run {
    /// The time of each request, in milliseconds.
    pub times: Vec<f64>,
    /// Pictures in a second.
    pub per_second: f64,
    /// The server's processor time for a picture, in milliseconds.
    pub cpu: f64,
}

/// Asks for each path once, `concurrency` at a time.
///
/// # Errors
/// When one is not answered with 200.
pub fn run(client: &Client, server: &Server, paths: &[&str], concurrency: usize) -> Result<Run> {
    let cpu_before = server.cpu_seconds();
    let started = Instant::now();
    let shares = paths.chunks(paths.len().div_ceil(concurrency));
    let times = std::thread::scope(|scope| {
        let threads: Vec<_> = shares.map(|share| scope.spawn(move || one_after_the_other(client, share))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a request does not panic")).collect::<Result<Vec<_>>>()
    })?;
    let n_pictures = paths.len() as f64;
    let per_second = n_pictures / started.elapsed().as_secs_f64();
    let cpu = (server.cpu_seconds() - cpu_before) / n_pictures * 1000.0;
    Ok(Run { times: times.concat(), per_second, cpu })
}

fn one_after_the_other(client: &Client, paths: &[&str]) -> Result<Vec<f64>> {
    let timed = |path: &&str| {
        let started = Instant::now();
        client.get(path)?;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    };
    paths.iter().map(timed).collect()
}

fn rows_of(concurrency: usize, rounds: &[[Run; 2]]) -> [Vec<String>; 3] {
    let summary = |side: usize| {
        let times: Vec<f64> = rounds.iter().flat_map(|round| round[side].times.iter().copied()).collect();
        let of_rounds = |value: fn(&Run) -> f64| rounds.iter().map(|round| value(&round[side])).collect::<Vec<f64>>();
        [
            median(&times),
            quantile(&times, 0.9),
            median(&of_rounds(|run| run.per_second)),
            mean(&of_rounds(|run| run.cpu)),
        ]
    };
    let row = |name: &str, [p50, p90, rate, cpu]: [f64; 4]| {
        let values = [format!("{p50:.1} ms"), format!("{p90:.1} ms"), format!("{rate:.1}"), format!("{cpu:.1} ms")];
        [concurrency.to_string(), name.into()].into_iter().chain(values).collect()
    };
    let (ours, theirs) = (summary(0), summary(1));
    let ratios = [theirs[0] / ours[0], theirs[1] / ours[1], ours[2] / theirs[2], theirs[3] / ours[3]];
    let ratio_row = [concurrency.to_string(), "**ratio**".into()].into_iter().chain(ratios.map(factor)).collect();
    [row("ScaleHoster", ours), row("Express + sharp", theirs), ratio_row]
}

fn report(bench: &Bench, rows: &[Vec<String>], [ours, theirs]: [usize; 2], circumstances: &str) -> String {
    let table = table(&["at a time", "server", "median", "p90", "pictures/s", "processor time a picture"], rows);
    let n_asked = N_ROUNDS * RUN;
    format!(
        "## A variant that was never asked for, {runner} runner\n\n{table}\n\
         How: `{TRANSFORM}` of {origin} of 2725x2225 pixels ({n_bytes} bytes), stored {n_pictures} times as different \
         assets whose bytes differ in a comment alone. So each request is for a variant that was never made, of an asset \
         that was never rendered on request, and each is the same work. {n_asked} requests to each server for each row, \
         the servers in turns in {N_ROUNDS} rounds after {N_WARM_UP} pictures to warm up, each request on a connection \
         of its own; the time is from dialling to the last byte, the processor time that of \
         the server's process. A result has {ours} bytes, sharp's {theirs}.\n\n\
         Ours includes looking the image and the variant up in the store, handing the work to `resize` in memory, \
         reading and decoding the 1024x836 rung that was made at ingest, resizing and encoding; the variant is written \
         durably after the answer (transactions synced to disk), at the cost of the request that follows. sharp's includes reading and \
         decoding the original's file, at half its size as libjpeg can, resizing and encoding; it stores nothing. One \
         process each, one thread to a picture (`sharp.concurrency(1)`, `sharp.cache(false)`), any core.\n\n\
         What distorts it: ours has done part of the work at ingest, which is what rungs are for; sharp runs natively, \
         ours as WebAssembly; the originals lie in the page cache.\n\n{circumstances}",
        runner = bench.runner.name(),
        origin = bench.pictures.origin,
        n_bytes = bench.pictures.sample.len(),
        n_pictures = 1 + N_WARM_UP + CONCURRENCIES.len() * n_asked,
    )
}
