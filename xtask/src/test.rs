//! `cargo xtask test`: what CI calls.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

use crate::runner::{Runner, spin};
use crate::shell::{cargo, need_packages, root, step, target_dir};
use crate::{components, lint};

/// Seconds of fuzzing for each target.
const FUZZ_SECONDS: &str = "5";

/// What the app stands on while the black-box suite drives it.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wiring {
    /// One process with its store in a file
    Embedded,
    /// A web process and workers on a Redis server
    Redis,
    /// Three web processes behind nginx, and workers, on a Redis server
    Cluster,
}

impl Wiring {
    const ALL: [Self; 3] = [Self::Embedded, Self::Redis, Self::Cluster];

    /// As the suite reads it.
    fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Redis => "redis",
            Self::Cluster => "cluster",
        }
    }

    /// The programs that it needs, each with Debian's package.
    fn packages(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Embedded => &[],
            Self::Redis => &[("redis-server", "redis-server")],
            Self::Cluster => &[("redis-server", "redis-server"), ("nginx", "nginx-light")],
        }
    }
}

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --only-black-box --wiring redis upload\n  SPIN_BIN=/opt/spin cargo xtask test --only-black-box --runner spin"
)]
pub struct Options {
    /// What the black-box suite drives
    #[arg(long, value_enum, default_value = "bundled")]
    runner: Runner,
    /// What the app stands on meanwhile; may be given several times [default: each in turn]
    #[arg(long, value_enum)]
    wiring: Vec<Wiring>,
    /// The black-box suite alone
    #[arg(long)]
    only_black_box: bool,
    /// Only black-box tests whose name contains this
    #[arg(value_name = "NAME")]
    filter: Option<String>,
}

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask faults\n  cargo xtask faults killed\n\nOn a Redis server, at full length: processes are killed, the server is stopped, connections are cut, and nothing that was accepted may be lost."
)]
pub struct FaultOptions {
    /// What the black-box suite drives
    #[arg(long, value_enum, default_value = "bundled")]
    runner: Runner,
    /// Only one kind: killed, stopped, messages, redis, clients, sources, rebuild or disk_full
    #[arg(value_name = "NAME")]
    filter: Option<String>,
}

/// The black-box tests of faults, at full length.
///
/// # Errors
/// At the first step that fails.
pub fn faults(options: &FaultOptions) -> Result<()> {
    let runner = Runner::choose(Some(options.runner))?;
    need_packages(Wiring::Redis.packages())?;
    components::build()?;
    runner.build()?;
    let mut suite = black_box(runner, Wiring::Redis);
    suite.env("SCALEHOSTER_FAULTS", "full");
    // The names of tests begin with their modules'.
    let filter = format!("faults_{}", options.filter.as_deref().unwrap_or_default());
    step(&format!("faults, on the {} runner", runner.name()), suite.arg(filter))
}

/// Lints, unit tests, a fuzzing smoke run, the black-box suite.
///
/// # Errors
/// At the first step that fails.
pub fn test(options: &Options) -> Result<()> {
    let runner = Runner::choose(Some(options.runner))?;
    let wirings = if options.wiring.is_empty() { &Wiring::ALL[..] } else { &options.wiring };
    for wiring in wirings {
        need_packages(wiring.packages())?;
    }
    if !options.only_black_box {
        need_packages(Wiring::Redis.packages())?;
        lint::lint()?;
        components::need_target()?;
        step(
            "building the components of the runner's tests",
            &mut cargo(&[
                "build",
                "--release",
                "--target",
                "wasm32-wasip2",
                "-p",
                "runner-guest",
                "-p",
                "runner-dependency",
                "-p",
                "filter-duotone",
                "-p",
                "filter-none",
            ]),
        )?;
        let mut unit = cargo(&["test", "--profile", "native", "--workspace"]);
        unit.args(["--exclude", "blackbox", "--exclude", "runner-guest"]);
        step("unit tests and the runner's tests", &mut unit)?;
        fuzz_smoke()?;
    }
    components::build()?;
    if options.only_black_box {
        // Otherwise the runner's own tests have just built it; alone it would be built with other features, anew.
        runner.build()?;
    }
    for (number, wiring) in wirings.iter().enumerate() {
        let heading = format!("the black-box suite, {}, on the {} runner", wiring.name(), runner.name());
        let mut suite = black_box(runner, *wiring);
        suite.args(&options.filter);
        if number > 0 {
            // They bring a wiring of their own, whichever is asked for: once is enough.
            suite.args(["--", "--skip", "faults_"]);
        }
        step(&heading, &mut suite)?;
    }
    Ok(())
}

fn fuzz_smoke() -> Result<()> {
    let mut smoke = cargo(&["run", "--release", "--manifest-path", "fuzz/Cargo.toml", "--bin", "smoke", "--"]);
    smoke.arg(FUZZ_SECONDS).env("CARGO_TARGET_DIR", target_dir().join("fuzz"));
    step("fuzzing, a smoke run", &mut smoke)
}

fn black_box(runner: Runner, wiring: Wiring) -> Command {
    let (program, _) = runner.program();
    let mut suite = cargo(&["test", "--profile", "native", "-p", "blackbox"]);
    suite.env("SCALEHOSTER_RUNNER", runner.name()).env("SCALEHOSTER_ROOT", root());
    suite.env("SCALEHOSTER_WIRING", wiring.name());
    match runner {
        Runner::Bundled => suite.env("SCALEHOSTER_RUNNER_BIN", absolute(&program)),
        Runner::Spin => suite.env("SPIN_BIN", spin()),
    };
    suite
}

fn absolute(path: &Path) -> std::path::PathBuf {
    root().join(path)
}
