//! `cargo xtask`: everything one does with this project, a command each.

mod bench;
mod components;
mod lint;
mod runner;
mod shell;
mod test;
mod up;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Runs, tests and measures ScaleHoster",
    after_help = "Start here:\n  cargo xtask up      build, start, and print where it serves\n  cargo xtask test    everything that CI checks\n\nBoth install what they need, or say what is missing."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the components and serve them until stopped
    Up(up::Options),
    /// Lints, unit tests, a fuzzing smoke run, and the black-box suite against the running app
    Test(test::Options),
    /// Formatting and clippy, warnings as errors, for the host and for wasm
    Lint,
    /// Measure the app beside what one would use instead, and write docs/benchmarks.md
    Bench(bench::Options),
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Up(options) => up::up(&options),
        Command::Test(options) => test::test(&options),
        Command::Lint => lint::lint(),
        Command::Bench(options) => bench::bench(&options),
    }
}
