//! `cargo xtask cluster`: all that a deployment has, on one machine: Redis, web processes behind nginx, workers.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::redis_mode;
use crate::shell::{check_packages, output_of, root, write_whole};
use crate::supervise::Supervisor;
use crate::up::{App, AppOptions, announce, serve, settle_port};

/// Where Redis listens. Its address is left open to the components, so that nothing else should be there: the web
/// processes and most other servers of a machine are on 127.0.0.1.
const REDIS_HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// How long Redis may take to read what it wrote before.
const REDIS_START_LIMIT: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  deploy/local.sh\n  deploy/local.sh --listen 0.0.0.0:8080 --replicas 4 --state /srv/images\n\nNeeds Debian's packages redis-server and nginx-light. Logs, the store of Redis and what is generated are in the state folder. What ends is started again; Ctrl-C stops everything."
)]
pub struct Options {
    #[command(flatten)]
    app: AppOptions,
    /// How many web processes there are behind nginx
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=64))]
    replicas: u16,
    /// How many worker processes there are
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
}

/// Serves until stopped.
///
/// # Errors
/// When a package is missing, something can't be built or started, or never serves.
pub fn cluster(options: &Options) -> Result<()> {
    check_packages(&[("redis-server", "redis-server"), ("nginx", "nginx-light")])?;
    let app = App::build(&options.app)?;
    let listen = settle_port(options.app.listen)?;
    let logs = app.state.join("logs");
    let log = |name: &str| logs.join(format!("{name}.log"));
    std::fs::create_dir_all(&logs).with_context(|| format!("{} can't be made", logs.display()))?;

    let mut supervisor = Supervisor::default();
    let redis = settle_port((REDIS_HOST, 0).into())?;
    supervisor.start("redis", redis_server(&app.state.join("redis"), redis)?, Some(&log("redis")))?;
    let url = format!("redis://{redis}");
    await_redis(&mut supervisor, &app, &url)?;

    let store = app.on_redis(&url)?;
    let mut servers = Vec::new();
    for number in 1..=options.replicas {
        let (name, address) = (format!("web-{number}"), settle_port(([127, 0, 0, 1], 0).into())?);
        supervisor.start(&name, app.web(&store, address, Some(&name))?, Some(&log(&name)))?;
        servers.push(address);
    }
    for number in 1..=options.workers {
        let name = format!("worker-{number}");
        supervisor.start(&name, app.worker(&store, &name)?, Some(&log(&name)))?;
    }
    supervisor.start("nginx", nginx(&app.state.join("nginx"), listen, &servers)?, Some(&log("nginx")))?;
    servers.push(listen);
    eprintln!(
        "=== redis at {redis}, {} web, {} workers; logs in {}",
        options.replicas,
        options.workers,
        logs.display()
    );
    serve(&mut supervisor, &app, &servers, || announce(listen))
}

/// A Redis server that has each write on disk before the second is over.
fn redis_server(folder: &Path, listen: SocketAddr) -> Result<Command> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    let mut command = Command::new("redis-server");
    command.args(["--bind", &listen.ip().to_string(), "--port", &listen.port().to_string(), "--dir"]).arg(folder);
    command.args(["--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"]);
    Ok(command)
}

/// Waits until Redis has read what it wrote before.
fn await_redis(supervisor: &mut Supervisor, app: &App, url: &str) -> Result<()> {
    let started = Instant::now();
    loop {
        match redis_mode::check(url) {
            Ok(()) => return Ok(()),
            Err(error) if started.elapsed() > REDIS_START_LIMIT => return Err(error),
            Err(_) => supervisor.check()?,
        }
        if app.is_stopped.load(Ordering::Relaxed) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// nginx before the web processes.
fn nginx(folder: &Path, listen: SocketAddr, servers: &[SocketAddr]) -> Result<Command> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    let configuration = folder.join("nginx.conf");
    let is_root = output_of("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    write_whole(&configuration, &settings(folder, listen, servers, is_root)?)?;
    let mut command = Command::new("nginx");
    // Debian has it where only root's PATH leads.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin"));
    command.arg("-e").arg(folder.join("error.log")).arg("-p").arg(folder).arg("-c").arg(&configuration);
    Ok(command)
}

/// The frame around deploy/nginx/scalehoster.conf.
fn settings(folder: &Path, listen: SocketAddr, servers: &[SocketAddr], is_root: bool) -> Result<String> {
    let folder = folder.to_str().context("the state folder's path is not UTF-8")?;
    let shared = root().join("deploy/nginx");
    let shared = shared.to_str().context("the checkout's path is not UTF-8")?;
    let mut upstream = String::new();
    for server in servers {
        writeln!(upstream, "    server {server} max_fails=2 fail_timeout=2s;")?;
    }
    // A worker of root's nginx would be another user, who may not write to the state folder.
    let user = if is_root { "user root;\n" } else { "" };
    Ok(format!(
        r#"{user}daemon off;
worker_processes auto;
pid "{folder}/nginx.pid";
events {{ worker_connections 4096; }}
http {{
  include "{shared}/http.conf";
  access_log "{folder}/access.log";
  client_body_temp_path "{folder}/body";
  proxy_temp_path "{folder}/proxy";
  fastcgi_temp_path "{folder}/fastcgi";
  uwsgi_temp_path "{folder}/uwsgi";
  scgi_temp_path "{folder}/scgi";
  upstream scalehoster {{
    zone scalehoster 64k;
{upstream}  }}
  server {{
    listen {listen};
    include "{shared}/server.conf";
  }}
}}
"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::is_on_path;

    #[test]
    fn nginx_takes_its_configuration() {
        if !is_on_path("nginx") {
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let servers = [settle_port(([127, 0, 0, 1], 0).into()).expect("a port")];
        let mut command = nginx(folder.path(), servers[0], &servers).expect("a command");
        let output = command.arg("-t").output().expect("nginx is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
