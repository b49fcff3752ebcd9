//! Formats, sizes and sources beside Express and sharp: made of rungs, as what nobody has asked for usually is, and of
//! the originals, where the work is the same on both sides.

mod cases;
mod kept;
mod text;

use std::path::Path;

use anyhow::{Context, Result, ensure};

use self::cases::{CASES, Case, Stored, provide};
use self::kept::Kept;
use super::app::{App, Start};
use super::render::{Run, run};
use super::report::circumstances;
use super::sharp::Sharp;
use super::stats::{mean, median};
use super::{Bench, machine};

/// How many times each side is asked for all assets of a picture, in turns.
const N_ROUNDS: usize = 4;

/// The assets that each side renders before that.
const N_WARM_UP: usize = 3;

/// Measures; returns the report.
///
/// # Errors
/// When something can't be measured.
pub fn measure(bench: &Bench) -> Result<String> {
    let load_before = machine::load();
    let folder = bench.folder("image")?;
    let files = folder.join("pictures");
    std::fs::create_dir_all(&files)?;
    let sides = Sides::start(bench, &folder, &files)?;
    let stored = provide(&sides.app, &bench.pictures, &files)?;
    sides.kept.forget_variants(0)?;

    let from_rungs = measured(&sides, &stored, "rungs")?;
    sides.kept.forget_rungs()?;
    let from_originals = measured(&sides, &stored, "originals")?;
    check_sources(&from_rungs, &from_originals)?;
    let circumstances = circumstances(bench.runner, load_before, &sides.sharp.versions);
    Ok(text::report(bench, &stored, &[from_rungs, from_originals], &circumstances))
}

/// The two that are compared.
struct Sides {
    app: App,
    kept: Kept,
    sharp: Sharp,
}

impl Sides {
    fn start(bench: &Bench, folder: &Path, files: &Path) -> Result<Self> {
        let sharp = Sharp::start(folder, files)?;
        let start = Start { runner: bench.runner, folder, compiled: &bench.compiled, cpus: None, redis: None };
        let app = App::start(&start)?;
        let kept = Kept::open(&folder.join("state"))?;
        Ok(Self { app, kept, sharp })
    }

    /// Asks each for what a transform makes of some assets, ours first. Our variants are forgotten after that.
    fn run(&self, stored: &Stored, transform: &str, n_assets: usize, concurrency: usize) -> Result<[Run; 2]> {
        let paths: Vec<[String; 2]> = stored.assets.iter().take(n_assets).map(|asset| asset.paths(transform)).collect();
        let of = |side: usize| paths.iter().map(|both| both[side].as_str()).collect::<Vec<&str>>();
        let ours = run(&self.app.client, &self.app.server, &of(0), concurrency)?;
        self.kept.forget_variants(n_assets)?;
        let theirs = run(&self.sharp.client, &self.sharp.server, &of(1), concurrency)?;
        Ok([ours, theirs])
    }

    /// One result of each, which must be of the same size and format; at once the first that each is asked for.
    fn results(&self, stored: &Stored, transform: &str) -> Result<[Vec<u8>; 2]> {
        let asset = stored.assets.first().context("each picture is stored")?;
        let [our_path, their_path] = asset.paths(transform);
        let ours = self.app.client.get(&our_path)?.into_body();
        self.kept.forget_variants(1)?;
        let theirs = self.sharp.client.get(&their_path)?.into_body();
        let [our_kind, their_kind] = [probe::probe(&ours)?, probe::probe(&theirs)?].map(|probe| {
            let (width, height) = probe.oriented_size();
            format!("{width}x{height} {}", probe.format.name())
        });
        ensure!(our_kind == their_kind, "{transform}: ours is {our_kind}, sharp's {their_kind}");
        Ok([ours, theirs])
    }
}

/// What came of a case.
struct Outcome {
    case: &'static Case,
    /// A result of each side.
    results: [Vec<u8>; 2],
    ours: Summary,
    theirs: Summary,
    /// The same at two at a time, where that was measured.
    two: Option<[Summary; 2]>,
}

/// What came of the rounds of one side.
struct Summary {
    /// The median time of a request, in milliseconds.
    median: f64,
    /// Pictures in a second: the median of the rounds.
    per_second: f64,
    /// The server's processor time for a picture, in milliseconds.
    cpu: f64,
}

impl Summary {
    fn of(rounds: &[[Run; 2]], side: usize) -> Self {
        let of_rounds = |value: fn(&Run) -> f64| rounds.iter().map(|round| value(&round[side])).collect::<Vec<f64>>();
        let times: Vec<f64> = rounds.iter().flat_map(|round| round[side].times.iter().copied()).collect();
        Self {
            median: median(&times),
            per_second: median(&of_rounds(|run| run.per_second)),
            cpu: mean(&of_rounds(|run| run.cpu)),
        }
    }
}

fn measured(sides: &Sides, stored: &[Stored], from: &str) -> Result<Vec<Outcome>> {
    let outcome = |(case_idx, case): (usize, &'static Case)| {
        eprintln!("=== {} of a {}, from {from}", case.transform, case.picture.name());
        let stored = &stored[case.picture as usize];
        let results = sides.results(stored, case.transform)?;
        sides.run(stored, case.transform, N_WARM_UP, 1)?;
        let rounds = |concurrency| {
            let all = |_| sides.run(stored, case.transform, stored.assets.len(), concurrency);
            (0..N_ROUNDS).map(all).collect::<Result<Vec<_>>>()
        };
        let one = rounds(1)?;
        let two = if case_idx == 0 { Some(rounds(2)?) } else { None };
        let two = two.map(|two| [0, 1].map(|side| Summary::of(&two, side)));
        Ok(Outcome { case, results, ours: Summary::of(&one, 0), theirs: Summary::of(&one, 1), two })
    };
    CASES.iter().enumerate().map(outcome).collect()
}

/// Sees that what should be from rungs was not made like what should be from originals.
fn check_sources(from_rungs: &[Outcome], from_originals: &[Outcome]) -> Result<()> {
    for (rung, original) in from_rungs.iter().zip(from_originals) {
        ensure!(rung.results[0] != original.results[0], "{}: the rungs are not what it is from", rung.case.transform);
    }
    Ok(())
}
