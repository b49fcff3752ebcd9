//! `cargo xtask`: everything one does with this project, a command each.

mod backup;
mod bench;
mod cluster;
mod components;
#[cfg(test)]
mod deploy;
mod filter;
mod health;
mod lint;
mod manifest;
mod networks;
mod rebuild;
mod redis_mode;
mod runner;
mod shell;
mod soak;
mod supervise;
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
    /// The black-box tests of faults alone, at full length
    Faults(test::FaultOptions),
    /// Serve as on many machines: Redis, web processes behind nginx, workers
    Cluster(cluster::Options),
    /// Make a manifest for clouds without Redis triggers from spin.toml
    Manifest(manifest::Options),
    /// Choose the component with the filters of your own
    Filter(filter::Options),
    /// Make a runtime configuration for a store on Redis
    RuntimeConfig(redis_mode::Options),
    /// Lints, unit tests, a fuzzing smoke run, and the black-box suite against the running app
    Test(test::Options),
    /// Copy the store of a running app to a file
    Backup(backup::BackupOptions),
    /// Put a copy in the place of the store, while the app is stopped
    Restore(backup::RestoreOptions),
    /// Have a running app make its listings again from the assets
    Rebuild(rebuild::Options),
    /// Formatting and clippy, warnings as errors, for the host and for wasm
    Lint,
    /// Measure the app beside what one would use instead, and write docs/benchmarks.md
    Bench(bench::Options),
    /// Load a deployment for a while, then overload it: errors, times, memory
    Soak(soak::Options),
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Up(options) => up::up(&options),
        Command::Faults(options) => test::faults(&options),
        Command::Cluster(options) => cluster::cluster(&options),
        Command::Manifest(options) => manifest::write(&options),
        Command::Filter(options) => filter::filter(&options),
        Command::RuntimeConfig(options) => redis_mode::write(&options),
        Command::Test(options) => test::test(&options),
        Command::Backup(options) => backup::backup(&options),
        Command::Restore(options) => backup::restore(&options),
        Command::Rebuild(options) => rebuild::rebuild(&options),
        Command::Lint => lint::lint(),
        Command::Bench(options) => bench::bench(&options),
        Command::Soak(options) => soak::soak(&options),
    }
}
