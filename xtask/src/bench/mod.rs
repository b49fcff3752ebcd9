//! `cargo xtask bench`: the app beside what one would use instead, in one run on one machine, as ratios.

mod app;
mod cached;
mod client;
pub mod deployment;
mod images;
mod ingest;
mod load;
pub mod machine;
mod nginx;
pub mod pictures;
mod pipeline;
mod render;
pub mod report;
pub mod server;
mod sharp;
pub mod source;
mod start;
pub mod stats;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::components;
use crate::runner::Runner;
use crate::shell::root;
use pictures::Pictures;

/// A load of the machine by others above which its numbers are not worth much.
const QUIET: f64 = 0.5;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask bench\n  cargo xtask bench image\n  cargo xtask bench --only cached --seconds 3\n  SPIN_BIN=/opt/spin cargo xtask bench --runner spin\n\nSCALEHOSTER_SAMPLE names a JPEG to measure with (empty: a made-up one); SCALEHOSTER_RUNNER_BIN a bundled runner that was built elsewhere."
)]
pub struct Options {
    /// One part alone: its block of docs/benchmarks.md is replaced, the others stay
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// The same as --only PART
    #[arg(value_enum, conflicts_with = "only")]
    part: Option<Part>,
    /// What serves the components
    #[arg(long, value_enum, default_value = "bundled")]
    runner: Runner,
    /// How long wrk loads a server at a time, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many pictures are taken in
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    assets: u16,
    /// Take the components and the runner as they were built last
    #[arg(long)]
    no_build: bool,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// A stored variant, beside nginx
    Cached,
    /// A variant that was never asked for, beside Express and sharp
    Render,
    /// Formats and sources beside Express and sharp, of rungs and of originals, one and two at a time
    Image,
    /// Taking pictures in by URL
    Ingest,
    /// Starting, and the sizes of the components
    Start,
    /// From accepted to ready at one worker and more, after faults, and what of the store it takes
    Pipeline,
}

impl Part {
    const ALL: [Self; 6] = [Self::Cached, Self::Render, Self::Image, Self::Ingest, Self::Start, Self::Pipeline];

    fn name(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::Render => "render",
            Self::Image => "image",
            Self::Ingest => "ingest",
            Self::Start => "start",
            Self::Pipeline => "pipeline",
        }
    }

    fn measure(self, bench: &Bench) -> Result<String> {
        match self {
            Self::Cached => cached::measure(bench),
            Self::Render => render::measure(bench),
            Self::Image => images::measure(bench),
            Self::Ingest => ingest::measure(bench),
            Self::Start => start::measure(bench),
            Self::Pipeline => pipeline::measure(bench),
        }
    }
}

/// What all parts measure with.
struct Bench {
    runner: Runner,
    pictures: Pictures,
    seconds: u64,
    assets: usize,
    /// Where compiled components are kept between runs.
    compiled: PathBuf,
}

impl Bench {
    /// An empty folder for a part.
    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = scratch().join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
        Ok(folder)
    }
}

/// Measures, and writes what was measured into docs/benchmarks.md.
///
/// # Errors
/// When something can't be measured.
pub fn bench(options: &Options) -> Result<()> {
    let runner = Runner::choose(Some(options.runner))?;
    if !options.no_build {
        components::build()?;
        runner.build()?;
    }
    if machine::load() > QUIET {
        eprintln!("The machine has other work to do (load {}): the numbers will suffer.", machine::load());
    }
    let bench = Bench {
        runner,
        pictures: Pictures::load()?,
        seconds: options.seconds,
        assets: options.assets.into(),
        compiled: root().join(".cache/bench/compiled"),
    };
    let parts = options.only.or(options.part).map_or(Part::ALL.to_vec(), |part| vec![part]);
    for part in parts {
        clear()?;
        eprintln!("\n=== measuring: {}", part.name());
        let body = part.measure(&bench).with_context(|| format!("measuring: {}", part.name()))?;
        report::write(part.name(), runner, &body)?;
    }
    clear()
}

/// Where stores and logs are while they are measured.
fn scratch() -> PathBuf {
    root().join(".cache/bench/run")
}

/// Removes what the part before left, which after a failure is a log worth reading.
fn clear() -> Result<()> {
    let folder = scratch();
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("{} can't be removed", folder.display()))?;
    }
    Ok(())
}
