//! `cargo xtask up`: build, start, say where, stop with all that was started.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::health::{Watch, reachable};
use crate::runner::Runner;
use crate::shell::{root, write_whole};
use crate::supervise::Supervisor;
use crate::{components, filter, manifest, redis_mode};

/// How long the app may take to serve. The first start compiles the components.
const START_LIMIT: Duration = Duration::from_secs(180);

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask up\n  cargo xtask up --listen 127.0.0.1:0 --state /tmp/images\n  cargo xtask up --redis redis://127.0.0.2:6379 --workers 2\n  cargo xtask up --allow-private-sources --variable max_source_bytes=1000000\n\nWithout --redis the store is a file in the state folder and nothing needs to be installed. With it the store and the messages are on that server, and workers of their own do the work. Stop it with Ctrl-C."
)]
pub struct Options {
    #[command(flatten)]
    app: AppOptions,
    /// Keep the store on this Redis server and work in processes apart, as redis://[USER:PASSWORD@]HOST:PORT
    #[arg(long, value_name = "URL", value_parser = redis_mode::redis_url)]
    redis: Option<String>,
    /// How many worker processes there are beside the one that serves
    #[arg(long, value_name = "N", default_value_t = 1, requires = "redis", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
}

/// What every way of running the app takes.
#[derive(clap::Args)]
pub struct AppOptions {
    /// Where to listen; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// Where the store and what is generated live [default: .state in the checkout]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
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

/// The app, built: from here its processes are made.
pub struct App<'a> {
    options: &'a AppOptions,
    runner: Runner,
    /// Where its state is.
    pub state: PathBuf,
    /// Set at the first SIGINT, SIGTERM or SIGHUP.
    pub is_stopped: Arc<AtomicBool>,
}

/// Where the app keeps its data.
pub enum Store {
    /// In a file of the state folder.
    Embedded,
    /// On a server, with the runtime configuration for it.
    Redis { url: String, config: PathBuf },
}

/// Serves until stopped.
///
/// # Errors
/// When something can't be built or started, or never serves.
pub fn up(options: &Options) -> Result<()> {
    if let Some(url) = &options.redis {
        redis_mode::check(url)?;
    }
    let app = App::build(&options.app)?;
    let listen = settle_port(options.app.listen)?;
    let mut supervisor = Supervisor::default();
    match &options.redis {
        None => supervisor.start("the app", app.web(&Store::Embedded, listen, None)?, None)?,
        Some(url) => {
            let store = app.on_redis(url)?;
            supervisor.start("web", app.web(&store, listen, Some("web"))?, None)?;
            for number in 1..=options.workers {
                let name = format!("worker-{number}");
                supervisor.start(&name, app.worker(&store, &name)?, None)?;
            }
        }
    }
    serve(&mut supervisor, &app, &[listen], || announce(listen))
}

impl<'a> App<'a> {
    /// Builds what has to be built.
    ///
    /// # Errors
    /// When that fails, the state folder can't be made, or spin.toml does not know its filters.
    pub fn build(options: &'a AppOptions) -> Result<Self> {
        let is_stopped = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&is_stopped))?;
        }
        filter::check(&manifest::read()?)?;
        let runner = Runner::choose(options.runner)?;
        if !options.no_build {
            components::build()?;
            runner.build()?;
        }
        let state = std::path::absolute(state_folder(options.state.as_deref()))?;
        std::fs::create_dir_all(&state).with_context(|| format!("{} can't be made", state.display()))?;
        eprintln!("\n=== serving with the {} runner; its state is in {}", runner.name(), state.display());
        Ok(Self { options, runner, state, is_stopped })
    }

    /// Writes the runtime configuration for a Redis server.
    ///
    /// # Errors
    /// When its name can't be looked up, or the file can't be written.
    pub fn on_redis(&self, url: &str) -> Result<Store> {
        let open = redis_mode::addresses(url)?;
        let is_closed = !self.options.allow_private_sources;
        if is_closed && open.iter().any(|network| is_usual_loopback(network.network_address())) {
            eprintln!("{LOOPBACK_WARNING}");
        }
        let config = self.state.join("runtime-config.toml");
        write_whole(&config, &redis_mode::runtime_config(url, is_closed.then_some(&open[..]))?)?;
        Ok(Store::Redis { url: url.to_owned(), config })
    }

    /// A command that serves HTTP. With several, each has a name.
    ///
    /// # Errors
    /// When spin.toml can't be read.
    pub fn web(&self, store: &Store, listen: SocketAddr, replica: Option<&str>) -> Result<Command> {
        let mut command = self.command(store, "http", replica)?;
        command.arg("--listen").arg(listen.to_string());
        if let Some(replica) = replica {
            command.arg("--variable").arg(format!("replica={replica}"));
        }
        Ok(command)
    }

    /// A command that works what Redis brings.
    ///
    /// # Errors
    /// When spin.toml can't be read.
    pub fn worker(&self, store: &Store, name: &str) -> Result<Command> {
        self.command(store, "redis", Some(name))
    }

    /// The runner with the components that a kind of trigger starts.
    fn command(&self, store: &Store, kind: &str, name: Option<&str>) -> Result<Command> {
        let ids = manifest::triggered(&manifest::read()?, kind);
        if ids.is_empty() {
            bail!("spin.toml has no trigger.{kind}");
        }
        let (program, first) = self.runner.program();
        let mut command = Command::new(&program);
        command.args(first).arg("--from").arg(root().join("spin.toml"));
        ids.iter().for_each(|id| _ = command.args(["-c", id]));
        // What a component prints goes there, with Spin: to each process its own.
        command.arg("--state-dir").arg(name.map_or_else(|| self.state.clone(), |name| self.state.join(name)));
        if self.options.allow_private_sources {
            command.args(["--variable", "allow_private_sources=true"]);
        }
        match store {
            Store::Redis { url, config } => {
                command.args(["--variable", "bus=redis", "--variable"]).arg(format!("redis_url={url}"));
                command.arg("--runtime-config-file").arg(config);
            }
            Store::Embedded if self.options.allow_private_sources => {}
            Store::Embedded => _ = command.arg("--runtime-config-file").arg(root().join("runtime-config.toml")),
        }
        for variable in &self.options.variable {
            command.arg("--variable").arg(variable);
        }
        Ok(command)
    }
}

/// Said when Redis is where the machine's other servers are.
const LOOPBACK_WARNING: &str =
    "Redis shares its address with whatever else listens on loopback, and that address is open
to the components: a source whose name leads there is fetched. Give Redis one of its own, as in
`redis-server --bind 127.0.0.2`.";

fn is_usual_loopback(address: IpAddr) -> bool {
    address == IpAddr::V4(Ipv4Addr::LOCALHOST) || address == IpAddr::V6(Ipv6Addr::LOCALHOST)
}

/// The state folder that was asked for, or the usual one.
pub fn state_folder(wish: Option<&Path>) -> PathBuf {
    wish.map_or_else(|| root().join(".state"), Path::to_owned)
}

/// A port of 0 becomes one that is free now.
///
/// # Errors
/// When the address can't be listened on.
pub fn settle_port(listen: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind(listen).with_context(|| format!("{listen} can't be listened on"))?;
    Ok(listener.local_addr()?)
}

/// Says when all of `servers` serve, and keeps everything running until the end.
///
/// # Errors
/// When something ends before that, or one of them never serves.
pub fn serve(supervisor: &mut Supervisor, app: &App, servers: &[SocketAddr], announce: impl Fn()) -> Result<()> {
    let started = Instant::now();
    let mut watch = Watch::over(servers);
    let mut is_ready = false;
    while !app.is_stopped.load(Ordering::Relaxed) {
        let has_served = watch.has_served()?;
        if has_served && !is_ready {
            announce();
            is_ready = true;
        }
        if is_ready {
            supervisor.mend()?;
        } else {
            supervisor.check()?;
            if started.elapsed() > START_LIMIT {
                bail!("the app did not serve within {} s", START_LIMIT.as_secs());
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    supervisor.stop();
    Ok(())
}

/// Says where it serves, and what to do with it.
pub fn announce(listen: SocketAddr) {
    let url = format!("http://{}", reachable(listen));
    let sample = root().join("docs/sample.jpg");
    println!("\nready {url}\n");
    println!("Put a picture in, and see it listed with its URLs:\n");
    println!(
        "  curl -s -H 'Prefer: wait=10' -F 'file=@{}' {url}/v1/assets && curl -s {url}/v1/images\n",
        sample.display()
    );
}
