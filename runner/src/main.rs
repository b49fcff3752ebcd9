//! Runs a `spin.toml` where Spin is not installed.
//!
//! Spin is the runtime that this project is made for. It is not in Rust's package registry, so that a fresh machine
//! cannot build it; this is the stand-in, and does what the project uses of Spin and no more. What it does not know it
//! refuses by name.
//!
//! # Layout
//! - `manifest`, `runtime_config`, `variables`: what is configured, and how it is checked.
//! - `app`: from the configuration to something that runs; `compose`: components in components.
//! - `http`, `routes`, `instance`: the HTTP trigger, down to the instance that gets a request.
//! - `redis_trigger`: the other trigger.
//! - `host`, `bindings`: what guests are served; `key_value`, `outbound`, `outbound_redis`: the parts of it.
//! - `allowed_hosts`, `blocked_networks`: where guests may connect to; `denied`: what their dependencies may not.
//! - `logs`: what guests print.

mod allowed_hosts;
mod app;
mod bindings;
mod blocked_networks;
mod compose;
mod denied;
mod host;
mod http;
mod instance;
mod key_value;
mod logs;
mod manifest;
mod outbound;
mod outbound_redis;
mod redis_trigger;
mod routes;
mod runtime_config;
mod variables;

use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, Options};
use crate::instance::Reuse;
use crate::manifest::Manifest;
use crate::runtime_config::RuntimeConfig;

/// Runs a spin.toml where Spin is not installed. The options are those of `spin up`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The manifest, or the folder that holds it as spin.toml
    #[arg(short = 'f', long, default_value = "spin.toml", value_name = "FILE")]
    from: PathBuf,

    /// Where to listen; port 0 takes any that is free
    #[arg(long, env = "SPIN_HTTP_LISTEN_ADDR", default_value = "127.0.0.1:3000", value_name = "ADDRESS", value_parser = address)]
    listen: SocketAddr,

    /// Where state is kept [default: .spin beside the manifest]
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,

    /// Stores and networks, as the operator decides
    #[arg(long, env = "RUNTIME_CONFIG_FILE", value_name = "FILE")]
    runtime_config_file: Option<PathBuf>,

    /// The value of a variable, in place of SPIN_VARIABLE_NAME; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    variable: Vec<(String, String)>,

    /// Run this component only; may be given several times
    #[arg(short, long, value_name = "ID")]
    component_id: Vec<String>,

    /// Where compiled components are kept [default: the user's cache folder]
    #[arg(long, value_name = "FOLDER")]
    cache_dir: Option<PathBuf>,

    /// Requests that an instance takes at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 16)]
    max_instance_concurrent_reuse_count: usize,

    /// Requests that an instance takes before it is dropped
    #[arg(long, value_name = "NUMBER", default_value_t = 128)]
    max_instance_reuse_count: usize,

    /// Bytes of memory that an instance may have [default: no limit but 4 GiB]
    #[arg(long, env = "SPIN_MAX_INSTANCE_MEMORY", value_name = "BYTES")]
    max_instance_memory: Option<usize>,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE; files are not supported")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| error.to_string())?;
    found.next().ok_or("the name has no address".to_owned())
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let mut manifest = Manifest::read(&arguments.from)?;
    manifest.retain(&arguments.component_id)?;
    let config = match &arguments.runtime_config_file {
        Some(path) => RuntimeConfig::read(path)?,
        None => RuntimeConfig::default(),
    };
    let state_dir = arguments.state_dir.or(config.state_dir.clone()).unwrap_or_else(|| manifest.folder.join(".spin"));
    let options = Options {
        listen: arguments.listen,
        state_dir,
        cache_dir: arguments.cache_dir,
        variables: HashMap::from_iter(arguments.variable),
        reuse: Reuse {
            total: arguments.max_instance_reuse_count,
            concurrent: arguments.max_instance_concurrent_reuse_count,
        },
        max_memory: arguments.max_instance_memory,
    };
    // A guest that computes gives way at every tick, which is a long time here: so answers from the network are looked
    // for after a few of them.
    let runtime = tokio::runtime::Builder::new_multi_thread().event_interval(3).enable_all().build()?;
    let result = runtime.block_on(async {
        let stop = stop()?;
        App::load(manifest, config, options).await?.run(http::shared(stop)).await
    });
    // Guests that are still at work are not waited for.
    runtime.shutdown_background();
    result
}

/// Resolves at the first SIGINT or SIGTERM. From here on, neither kills the process.
fn stop() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
