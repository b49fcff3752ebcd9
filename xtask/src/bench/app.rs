//! ScaleHoster as a server to be measured.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::client::Client;
use super::server::{Server, free_address, server_command};
use crate::runner::Runner;
use crate::shell::{root, write_whole};
use crate::{manifest, redis_mode};

/// How long a start may take that has to compile the components.
const START_LIMIT: Duration = Duration::from_secs(300);

/// What to start.
pub struct Start<'a> {
    /// What serves the components.
    pub runner: Runner,
    /// Where the store and the log are, made if missing.
    pub folder: &'a Path,
    /// Where compiled components are kept.
    pub compiled: &'a Path,
    /// The processors it may run on, as taskset lists them; all without.
    pub cpus: Option<&'a str>,
    /// The Redis server that the store is on, as a URL; a file without. The components call each other either way.
    pub redis: Option<&'a str>,
}

/// The running app.
pub struct App {
    /// To ask it.
    pub client: Client,
    /// Its process.
    pub server: Server,
    /// From the start of the process to the first 200 on /healthz.
    pub start_time: Duration,
}

impl App {
    /// Starts the app and waits until it serves.
    ///
    /// # Errors
    /// When it does not.
    pub fn start(start: &Start) -> Result<Self> {
        let state = start.folder.join("state");
        for folder in [&state, start.compiled] {
            std::fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
        }
        let listen = free_address()?;
        let (program, first) = program(start.runner);
        let mut command = server_command(program, start.cpus);
        command.args(first).arg("--from").arg(root().join("spin.toml"));
        // Workers would need a Redis server, and these components do their work themselves.
        manifest::triggered(&manifest::read()?, "http").iter().for_each(|id| _ = command.args(["-c", id]));
        command.arg("--listen").arg(listen.to_string()).arg("--state-dir").arg(state);
        command.args(["--variable", "allow_private_sources=true"]);
        if let Some(url) = start.redis {
            let config = start.folder.join("runtime-config.toml");
            write_whole(&config, &redis_mode::runtime_config(url, None)?)?;
            command.arg("--runtime-config-file").arg(config);
        }
        match start.runner {
            Runner::Bundled => command.arg("--cache-dir").arg(start.compiled),
            Runner::Spin => command.env("XDG_CACHE_HOME", start.compiled),
        };
        let mut server = Server::start("app", command, start.folder)?;
        let client = Client::new(listen);
        let start_time = server.wait(START_LIMIT, || client.is_ok("/healthz"))?;
        Ok(Self { client, server, start_time })
    }
}

/// The program, and what comes before its options. A runner built elsewhere is taken from SCALEHOSTER_RUNNER_BIN.
fn program(runner: Runner) -> (PathBuf, Vec<std::ffi::OsString>) {
    match (runner, std::env::var_os("SCALEHOSTER_RUNNER_BIN")) {
        (Runner::Bundled, Some(program)) => (program.into(), Vec::new()),
        _ => runner.program(),
    }
}
