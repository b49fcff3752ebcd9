//! A deployment on this machine, as `cargo xtask cluster` makes it: to be measured, and to have its parts killed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::client::Client;
use super::server::{Server, family, free_address, resident, server_command};
use crate::runner::Runner;

/// How long a start may take that has to compile the components.
const START_LIMIT: Duration = Duration::from_secs(300);

/// Commands that Redis counts and that do not ask the store for anything.
const NOT_THE_STORE: [&str; 12] = [
    "auth",
    "client",
    "command",
    "config",
    "dbsize",
    "hello",
    "info",
    "memory",
    "ping",
    "publish",
    "scan",
    "subscribe",
];

/// How many there are of what there may be several of.
#[derive(Clone, Copy)]
pub struct Size {
    pub replicas: u16,
    pub workers: u16,
}

/// What a process of a deployment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Web,
    Worker,
    Redis,
    Proxy,
}

/// A running deployment. Dropping stops it.
pub struct Deployment {
    /// To ask it, through nginx.
    pub client: Client,
    /// Where nginx listens.
    pub address: SocketAddr,
    /// The Redis server's URL.
    pub redis_url: String,
    /// The process that keeps the others running.
    pub server: Server,
}

impl Deployment {
    /// Starts a deployment of what was built last, with its state below `folder`, and waits until all of it serves.
    ///
    /// # Errors
    /// When it does not.
    pub fn start(folder: &Path, runner: Runner, size: Size) -> Result<Self> {
        let address = free_address()?;
        let mut command = server_command(std::env::current_exe()?, None);
        command.args(["cluster", "--no-build", "--allow-private-sources", "--runner"]);
        command.arg(runner.to_possible_value().context("a runner has a name")?.get_name());
        command.arg("--listen").arg(address.to_string()).arg("--state").arg(folder.join("state"));
        command.args(["--replicas", &size.replicas.to_string(), "--workers", &size.workers.to_string()]);
        let mut server = Server::start("cluster", command, folder)?;
        let log = folder.join("cluster.log");
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        server.wait(START_LIMIT, || said().contains("ready http"))?;
        let text = server.log();
        let (_, rest) = text.split_once("=== redis at ").context("the cluster did not say where Redis is")?;
        let redis = rest.split(',').next().unwrap_or_default();
        Ok(Self { client: Client::new(address), address, redis_url: format!("redis://{redis}"), server })
    }

    /// The processes of a role.
    pub fn pids(&self, role: Role) -> Vec<u32> {
        self.server.children().into_iter().filter(|&pid| role_of(pid) == Some(role)).collect()
    }

    /// Where a web process listens.
    ///
    /// # Errors
    /// When there is none.
    pub fn web_address(&self) -> Result<SocketAddr> {
        let pid = *self.pids(Role::Web).first().context("no web process")?;
        let call = String::from_utf8(std::fs::read(format!("/proc/{pid}/cmdline"))?)?;
        let mut words = call.split('\0').skip_while(|word| *word != "--listen");
        Ok(words.nth(1).context("a web process listens")?.parse()?)
    }

    /// The memory of all processes of a role, and of what they started, that is resident now; in bytes.
    pub fn memory(&self, role: Role) -> u64 {
        self.pids(role).into_iter().flat_map(family).map(resident).sum()
    }
}

/// Sends a signal to a process.
pub fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id is positive");
    // It may be gone already.
    let _ = kill_process(pid, signal);
}

/// What a process is, by how it was called.
fn role_of(pid: u32) -> Option<Role> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    role_by_call(&String::from_utf8_lossy(&line))
}

fn role_by_call(call: &str) -> Option<Role> {
    match call {
        _ if call.starts_with("redis-server") => Some(Role::Redis),
        _ if call.starts_with("nginx") => Some(Role::Proxy),
        _ if !call.contains("\0-c\0") => None,
        _ if call.contains("\0--listen\0") => Some(Role::Web),
        _ => Some(Role::Worker),
    }
}

/// What a Redis server has done so far.
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// Asks for it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn of(redis: &mut redis::Connection) -> Result<Self> {
        let text: String = redis::cmd("INFO").arg("commandstats").query(redis)?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let read = |line: &str| {
            let (name, rest) = line.trim().strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        };
        Self(text.lines().filter_map(read).collect())
    }

    /// Commands that asked the store for something.
    pub fn store(&self) -> u64 {
        self.0.iter().filter(|(name, _)| asks_the_store(name)).map(|(_, count)| count).sum()
    }

    /// Messages that were published.
    pub fn published(&self) -> u64 {
        self.0.get("publish").copied().unwrap_or_default()
    }

    /// Each command and how often it was called since `before`, the most frequent first.
    pub fn since(&self, before: &Self) -> Vec<(String, u64)> {
        let calls = |(name, count): (&String, &u64)| {
            let new = count - before.0.get(name).copied().unwrap_or_default();
            (new > 0 && asks_the_store(name)).then(|| (name.clone(), new))
        };
        let mut all: Vec<_> = self.0.iter().filter_map(calls).collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all
    }
}

/// A subcommand is named behind a bar.
fn asks_the_store(command: &str) -> bool {
    let whole = command.split('|').next().unwrap_or_default();
    !NOT_THE_STORE.contains(&whole)
}

/// The time from accepted to ready that an asset's document tells, in milliseconds: of one that was never edited.
pub fn lag(asset: &Value) -> Option<f64> {
    let time = |field: &str| asset[field].as_str()?.parse::<jiff::Timestamp>().ok();
    Some((time("updated_at")?.as_millisecond() - time("created_at")?.as_millisecond()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_asks_the_store() {
        let text = "# Commandstats\r\ncmdstat_get:calls=3,usec=1\r\ncmdstat_publish:calls=7,usec=1\r\n\
                    cmdstat_config|get:calls=9,usec=1\r\ncmdstat_set:calls=2,usec=1,usec_per_call=0.5\r\n";
        let counts = Counts::parse(text);
        assert_eq!((counts.store(), counts.published()), (5, 7));
        let before = Counts::parse("cmdstat_get:calls=1,usec=1");
        assert_eq!(counts.since(&before)[0], ("get".to_owned(), 2));
    }

    #[test]
    fn knows_processes_by_how_they_were_called() {
        let check = |call: &str, role| assert_eq!(role_by_call(&call.replace(' ', "\0")), role, "{call}");
        check("redis-server 127.0.0.2:1", Some(Role::Redis));
        check("nginx: master process nginx -e", Some(Role::Proxy));
        check("/bin/runner --from spin.toml -c ingest --listen 127.0.0.1:1", Some(Role::Web));
        check("spin up --from spin.toml -c ingest-worker", Some(Role::Worker));
        check("sh", None);
    }

    #[test]
    fn reads_the_time_to_ready_from_a_document() {
        let asset = serde_json::json!({"created_at": "2026-01-01T00:00:00.5Z", "updated_at": "2026-01-01T00:00:02Z"});
        assert_eq!(lag(&asset), Some(1500.0));
    }
}
