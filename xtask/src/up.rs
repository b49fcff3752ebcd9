//! `cargo xtask up`: build, start, say where, stop with all that was started.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::components;
use crate::runner::Runner;
use crate::shell::root;

/// How long the app may take to serve.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long it may take to stop when it is told to.
const STOP_LIMIT: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask up\n  cargo xtask up --listen 127.0.0.1:0 --state /tmp/images\n  cargo xtask up --allow-private-sources --variable max_source_bytes=1000000\n\nStop it with Ctrl-C."
)]
pub struct Options {
    /// Where to listen; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Where the store lives [default: .state in the checkout]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// What serves the components [default: spin if 4.1 or newer is on the PATH, else bundled]
    #[arg(long, value_enum)]
    runner: Option<Runner>,
    /// Let sources be at private, loopback and link-local addresses: for a lab and for tests
    #[arg(long)]
    allow_private_sources: bool,
    /// Take the components as they were built last
    #[arg(long)]
    no_build: bool,
    /// Set a variable of spin.toml, as max_source_bytes=1000000; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    variable: Vec<String>,
}

/// Serves until stopped.
///
/// # Errors
/// When something can't be built, started, or ends by itself.
pub fn up(options: &Options) -> Result<()> {
    let is_stopped = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&is_stopped))?;
    }
    let runner = Runner::choose(options.runner)?;
    if !options.no_build {
        components::build()?;
        runner.build()?;
    }
    let listen = settle_port(options.listen)?;
    let mut app = start(runner, options, listen)?;
    let result = serve(&mut app, listen, &is_stopped);
    stop(&mut app)?;
    result
}

/// A port of 0 becomes one that is free now.
fn settle_port(listen: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind(listen).with_context(|| format!("{listen} can't be listened on"))?;
    Ok(listener.local_addr()?)
}

fn start(runner: Runner, options: &Options, listen: SocketAddr) -> Result<Child> {
    let state = options.state.clone().unwrap_or_else(|| root().join(".state"));
    std::fs::create_dir_all(&state).with_context(|| format!("{} can't be made", state.display()))?;
    let (program, first) = runner.program();
    let mut command = Command::new(&program);
    command.args(first).arg("--from").arg(root().join("spin.toml"));
    command.arg("--listen").arg(listen.to_string()).arg("--state-dir").arg(&state);
    if options.allow_private_sources {
        command.args(["--variable", "allow_private_sources=true"]);
    } else {
        command.arg("--runtime-config-file").arg(root().join("runtime-config.toml"));
    }
    for variable in &options.variable {
        command.arg("--variable").arg(variable);
    }
    eprintln!("\n=== serving with the {} runner; the store is in {}", runner.name(), state.display());
    command.stdin(Stdio::null()).spawn().with_context(|| format!("{} could not be started", program.display()))
}

/// Says when it serves, then waits for the end.
fn serve(app: &mut Child, listen: SocketAddr, is_stopped: &AtomicBool) -> Result<()> {
    let started = Instant::now();
    let mut is_ready = false;
    loop {
        if is_stopped.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Some(status) = app.try_wait()? {
            bail!("the app ended by itself: {status}");
        }
        if !is_ready {
            is_ready = is_healthy(listen);
            if is_ready {
                announce(listen);
            } else if started.elapsed() > START_LIMIT {
                bail!("the app did not serve within {} s", START_LIMIT.as_secs());
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Whether `GET /healthz` answers 200.
fn is_healthy(listen: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&reachable(listen), Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET /healthz HTTP/1.1\r\nhost: {listen}\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

/// An address to ask at: nobody can be asked at "any address".
fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen {
        SocketAddr::V4(address) if address.ip().is_unspecified() => ([127, 0, 0, 1], address.port()).into(),
        SocketAddr::V6(address) if address.ip().is_unspecified() => {
            (std::net::Ipv6Addr::LOCALHOST, address.port()).into()
        }
        other => other,
    }
}

fn announce(listen: SocketAddr) {
    let url = format!("http://{}", reachable(listen));
    let sample = root().join("docs/sample.jpg");
    println!("\nready {url}\n");
    println!("Put a picture in, and see it listed with its URLs:\n");
    println!(
        "  curl -s -H 'Prefer: wait=10' -F 'file=@{}' {url}/v1/assets && curl -s {url}/v1/images\n",
        sample.display()
    );
}

/// Stops the app; one that does not heed it is killed.
fn stop(app: &mut Child) -> Result<()> {
    if app.try_wait()?.is_some() {
        return Ok(());
    }
    let _ = Command::new("kill").args(["-TERM", &app.id().to_string()]).status();
    let told = Instant::now();
    while app.try_wait()?.is_none() {
        if told.elapsed() > STOP_LIMIT {
            app.kill()?;
            app.wait()?;
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
