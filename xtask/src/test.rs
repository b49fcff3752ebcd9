//! `cargo xtask test`: what CI calls.

use std::path::Path;

use anyhow::Result;

use crate::runner::{Runner, spin};
use crate::shell::{cargo, need_packages, root, step, target_dir};
use crate::{components, lint};

/// Seconds of fuzzing for each target.
const FUZZ_SECONDS: &str = "5";

#[derive(clap::Args)]
pub struct Options {
    /// What the black-box suite drives
    #[arg(long, value_enum, default_value = "bundled")]
    runner: Runner,
    /// The black-box suite alone
    #[arg(long)]
    only_black_box: bool,
    /// Only black-box tests whose name contains this
    #[arg(value_name = "NAME")]
    filter: Option<String>,
}

/// Lints, unit tests, a fuzzing smoke run, the black-box suite.
///
/// # Errors
/// At the first step that fails.
pub fn test(options: &Options) -> Result<()> {
    let runner = Runner::choose(Some(options.runner))?;
    if !options.only_black_box {
        need_packages(&[("redis-server", "redis-server")])?;
        lint::lint()?;
        components::need_target()?;
        step(
            "building the runner's test guest",
            &mut cargo(&["build", "--release", "--target", "wasm32-wasip2", "-p", "runner-guest"]),
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
    black_box(runner, options.filter.as_deref())
}

fn fuzz_smoke() -> Result<()> {
    let mut smoke = cargo(&["run", "--release", "--manifest-path", "fuzz/Cargo.toml", "--bin", "smoke", "--"]);
    smoke.arg(FUZZ_SECONDS).env("CARGO_TARGET_DIR", target_dir().join("fuzz"));
    step("fuzzing, a smoke run", &mut smoke)
}

fn black_box(runner: Runner, filter: Option<&str>) -> Result<()> {
    let (program, _) = runner.program();
    let mut suite = cargo(&["test", "--profile", "native", "-p", "blackbox"]);
    suite.env("SCALEHOSTER_RUNNER", runner.name()).env("SCALEHOSTER_ROOT", root());
    match runner {
        Runner::Bundled => suite.env("SCALEHOSTER_RUNNER_BIN", absolute(&program)),
        Runner::Spin => suite.env("SPIN_BIN", spin()),
    };
    suite.args(filter);
    step(&format!("the black-box suite, on the {} runner", runner.name()), &mut suite)
}

fn absolute(path: &Path) -> std::path::PathBuf {
    root().join(path)
}
