//! `cargo xtask soak`: a deployment under a steady load of everything, then under ten times what it can take.

mod assets;
mod client;
mod load;
mod memory;
mod mixed;
mod overload;

use std::net::SocketAddr;

use anyhow::{Result, bail};

use crate::bench::deployment::{Deployment, Role, Size};
use crate::bench::pictures::Pictures;
use crate::bench::source;
use crate::components;
use crate::runner::Runner;
use crate::shell::{need_packages, root};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask soak\n  cargo xtask soak --minutes 60 --replicas 2 --workers 1\n  cargo xtask soak --overload\n\nStarts a deployment of its own, as `cargo xtask cluster` does, on free ports and an empty store, and stops it again. First a load well below what it can take: every error is a failure, unless it says that there is too much to do. Then new sizes are asked for at ten times the rate that it manages: what is refused must say when to come back, and five seconds later all must be as before. Exits with 1 when something failed; the logs then stay in .cache/soak."
)]
pub struct Options {
    /// How long the steady load lasts; memory is looked at without its first two minutes, or its first half
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=10_080))]
    minutes: u16,
    /// How many web processes there are behind nginx
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=64))]
    replicas: u16,
    /// How many worker processes there are
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// What serves the components [default: spin if 4.1 or newer is on the PATH, else bundled]
    #[arg(long, value_enum)]
    runner: Option<Runner>,
    /// Take the components and the runner as they were built last
    #[arg(long)]
    no_build: bool,
    /// The overload alone
    #[arg(long)]
    overload: bool,
}

/// What is loaded, and with what.
struct Soak {
    deployment: Deployment,
    /// Hands out pictures.
    source: SocketAddr,
    /// What it hands out, and what is uploaded.
    jpeg: Vec<u8>,
}

/// The size of the pictures, in pixels.
const PICTURE: (u32, u32) = (1600, 1200);

/// Loads a deployment, and says what came of it.
///
/// # Errors
/// When it can't be started, or did not bear the load.
pub fn soak(options: &Options) -> Result<()> {
    need_packages(&[("redis-server", "redis-server"), ("nginx", "nginx-light"), ("setpriv", "util-linux")])?;
    let runner = Runner::choose(options.runner)?;
    if !options.no_build {
        components::build()?;
        runner.build()?;
    }
    let folder = root().join(".cache/soak");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let jpeg = Pictures::load()?.sized(PICTURE)?;
    let source = source::serve(jpeg.clone())?;
    let size = Size { replicas: options.replicas, workers: options.workers };
    eprintln!(
        "=== starting {} web and {} worker processes on the {} runner",
        size.replicas,
        size.workers,
        runner.name()
    );
    let soak = Soak { deployment: Deployment::start(&folder, runner, size)?, source, jpeg };
    let before = soak.processes();
    let mut failures = Vec::new();
    if !options.overload {
        failures.extend(mixed::run(&soak, options.minutes)?);
    }
    failures.extend(overload::run(&soak)?);
    if soak.processes() != before {
        failures.push(format!("a process ended and was started again: see {}", folder.join("cluster.log").display()));
    }
    drop(soak);
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    std::fs::remove_dir_all(&folder)?;
    println!("\nNothing failed.");
    Ok(())
}

impl Soak {
    /// The processes that should live on.
    fn processes(&self) -> Vec<u32> {
        let roles = [Role::Web, Role::Worker, Role::Redis, Role::Proxy];
        roles.into_iter().flat_map(|role| self.deployment.pids(role)).collect()
    }
}
