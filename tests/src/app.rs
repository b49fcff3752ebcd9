//! The app as its processes: started under the bundled runner or under Spin, in one of the ways it can be wired,
//! killed without mercy, started again.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::manifest::Manifest;
use crate::node::{Node, Recipe, START_TIMEOUT};
use crate::ports::free_address;
use crate::proxy::Proxy;
use crate::redis_server::RedisServer;
use crate::{Answer, Call, poll};

/// How often each web process is asked for its health, which also rings for work whose message was lost.
const HEALTH_INTERVAL: Duration = Duration::from_millis(500);

/// How long an ended worker stays away before its supervisor starts it again.
const REVIVAL_INTERVAL: Duration = Duration::from_millis(100);

/// Channels that workers listen to.
const BELLS: [&str; 3] = ["scalehoster.bell.ingest", "scalehoster.bell.resize", "scalehoster.bell.retrieve"];

/// How the processes of an instance are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wiring {
    /// One process and the built-in store.
    Embedded,
    /// Redis, a web process and a worker.
    Redis,
    /// Redis, three web processes behind nginx, and two workers.
    Cluster,
}

impl Wiring {
    /// The one that the environment asks for.
    ///
    /// # Panics
    /// When it asks for an unknown one.
    pub fn chosen() -> Self {
        match std::env::var("SCALEHOSTER_WIRING").as_deref() {
            Err(_) | Ok("" | "embedded") => Self::Embedded,
            Ok("redis") => Self::Redis,
            Ok("cluster") => Self::Cluster,
            Ok(other) => panic!("SCALEHOSTER_WIRING is {other:?}, which is neither embedded nor redis nor cluster"),
        }
    }

    /// How many web processes and workers there are.
    fn counts(self) -> (usize, usize) {
        match self {
            Self::Embedded => (1, 0),
            Self::Redis => (1, 1),
            Self::Cluster => (3, 2),
        }
    }
}

/// What an instance is started with.
#[derive(Clone, Default)]
pub struct Options {
    variables: Vec<(String, String)>,
    runtime_config: Option<String>,
    wiring: Option<Wiring>,
    counts: Option<(usize, usize)>,
    disk_megabytes: Option<u32>,
    instance_bytes: Option<u64>,
    has_own_bus: bool,
    filters: Option<PathBuf>,
}

impl Options {
    /// The defaults of the app, and sources on this machine allowed.
    pub fn for_tests() -> Self {
        Self::default().variable("allow_private_sources", true).variable("retry_base_ms", 50)
    }

    /// Sets a variable of the app.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl ToString) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_string()));
        self
    }

    /// Uses a runtime-config file with this text.
    #[must_use]
    pub fn runtime_config(mut self, text: &str) -> Self {
        self.runtime_config = Some(text.to_owned());
        self
    }

    /// Wires it like this, whatever the environment asks for.
    #[must_use]
    pub fn wired(mut self, wiring: Wiring) -> Self {
        self.wiring = Some(wiring);
        self
    }

    /// Redis with so many web processes and workers, and nothing in front of them.
    #[must_use]
    pub fn on_redis(mut self, n_webs: usize, n_workers: usize) -> Self {
        self.counts = Some((n_webs, n_workers));
        self.wired(Wiring::Redis)
    }

    /// Keeps the embedded store on a disk of its own, of so many megabytes, which needs the right to mount one.
    #[must_use]
    pub fn on_disk_of(mut self, megabytes: u32) -> Self {
        self.disk_megabytes = Some(megabytes);
        self
    }

    /// Gives no instance of a component more memory than so many bytes.
    #[must_use]
    pub fn instances_of(mut self, bytes: u64) -> Self {
        self.instance_bytes = Some(bytes);
        self
    }

    /// Lets the workers listen to a second Redis server, to which nobody publishes but the test.
    #[must_use]
    pub fn own_bus(mut self) -> Self {
        self.has_own_bus = true;
        self
    }

    /// Brings the filters of a component.
    #[must_use]
    pub fn filters(mut self, wasm: PathBuf) -> Self {
        self.filters = Some(wasm);
        self
    }
}

/// Which host runs the app.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Runner {
    /// `scalehoster-runner`.
    Bundled,
    /// `spin up`.
    Spin,
}

impl Runner {
    /// The one that the environment asks for.
    ///
    /// # Panics
    /// When it asks for an unknown one.
    pub fn chosen() -> Self {
        match std::env::var("SCALEHOSTER_RUNNER").as_deref() {
            Err(_) | Ok("" | "bundled") => Self::Bundled,
            Ok("spin") => Self::Spin,
            Ok(other) => panic!("SCALEHOSTER_RUNNER is {other:?}, which is neither bundled nor spin"),
        }
    }

    fn executable(self) -> PathBuf {
        let (variable, usual) = match self {
            Self::Bundled => ("SCALEHOSTER_RUNNER_BIN", bundled_runner()),
            Self::Spin => ("SPIN_BIN", PathBuf::from("spin")),
        };
        std::env::var_os(variable).map_or(usual, PathBuf::from)
    }

    /// A command that runs an app.
    pub fn command(self) -> Command {
        let mut command = Command::new(self.executable());
        if self == Self::Spin {
            command.arg("up");
        }
        command
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("tests/ lies in the repository").to_owned()
}

fn bundled_runner() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("native").join("scalehoster-runner")
}

/// An instance of the app with a store of its own.
pub struct App {
    dir: PathBuf,
    redis: Option<RedisServer>,
    bus: Option<RedisServer>,
    webs: Vec<Arc<Node>>,
    workers: Vec<Arc<Node>>,
    has_proxy: bool,
    proxy: Option<Proxy>,
    helpers: Vec<Helper>,
}

impl App {
    /// The instance that most tests share: defaults, and local sources allowed.
    pub fn shared() -> &'static App {
        static SHARED: OnceLock<App> = OnceLock::new();
        SHARED.get_or_init(|| App::start(Options::for_tests()))
    }

    /// An instance as it is installed, without any option: local sources are refused.
    pub fn strict() -> &'static App {
        static STRICT: OnceLock<App> = OnceLock::new();
        STRICT.get_or_init(|| App::start(Options::default()))
    }

    /// An instance with small limits and little patience, so that tests of either are fast.
    pub fn small() -> &'static App {
        static SMALL: OnceLock<App> = OnceLock::new();
        let options = Options::for_tests()
            .variable("max_source_bytes", 200_000)
            .variable("max_pixels", 1_000_000)
            .variable("max_frames", 3)
            .variable("max_redirects", 2)
            .variable("download_first_byte_ms", 500)
            .variable("download_total_ms", 1500)
            .variable("download_attempts", 2)
            .variable("retry_base_ms", 20);
        SMALL.get_or_init(|| App::start(options))
    }

    /// Starts an instance and waits until it serves.
    ///
    /// # Panics
    /// When it does not.
    pub fn start(options: Options) -> App {
        static ANNOUNCED: OnceLock<()> = OnceLock::new();
        ANNOUNCED.get_or_init(|| {
            let (runner, wiring) = (Runner::chosen(), Wiring::chosen());
            let program = runner.executable();
            // Past the test harness, which would show it only with a failure.
            let _ = writeln!(
                std::io::stderr(),
                "black-box suite: driving {runner:?} ({}), wiring {wiring:?}",
                program.display()
            );
        });
        let mut app = App::planned(&options);
        app.start_again();
        app
    }

    /// An instance whose Redis runs, and nothing else yet.
    fn planned(options: &Options) -> App {
        let dir = new_dir();
        let wiring = options.wiring.unwrap_or_else(Wiring::chosen);
        let (n_webs, n_workers) = options.counts.unwrap_or_else(|| wiring.counts());
        let redis = (wiring != Wiring::Embedded).then(|| RedisServer::start(&dir, "redis"));
        let bus = options.has_own_bus.then(|| RedisServer::start(&dir, "bus"));
        let mut manifest = Manifest::of_the_app();
        if let Some(wasm) = &options.filters {
            manifest = manifest.with_filters(wasm, &dir);
        }

        let mut variables = options.variables.clone();
        let mut runtime_config = options.runtime_config.clone();
        if let Some(redis) = &redis {
            assert!(!manifest.workers.is_empty(), "{} has no Redis triggers", manifest.path().display());
            variables.extend([("bus".to_owned(), "redis".to_owned()), ("redis_url".to_owned(), redis.url())]);
            runtime_config = Some(format!("{}\n{}", runtime_config.unwrap_or_default(), redis.as_store()));
        }
        let runtime_config = runtime_config.map(|text| {
            let path = dir.join("runtime-config.toml");
            std::fs::write(&path, text).expect("the folder is ours");
            path
        });
        let recipe = Recipe {
            manifest,
            dir: dir.clone(),
            state: dir.join("state"),
            disk_megabytes: options.disk_megabytes,
            instance_bytes: options.instance_bytes,
            variables,
            runtime_config,
        };

        let web = |idx: usize| {
            let name = format!("web-{idx}");
            let mut recipe = recipe.clone();
            let address = redis.as_ref().map(|_| free_address());
            if address.is_some() && recipe.manifest.declares("replica") {
                recipe.variables.push(("replica".to_owned(), name.clone()));
            }
            Arc::new(Node::web(&name, recipe, address))
        };
        let worker = |idx: usize| {
            let mut recipe = recipe.clone();
            recipe.state = dir.join(format!("state-worker-{idx}"));
            if let Some(bus) = &bus {
                recipe.manifest = recipe.manifest.listening_at(&bus.url(), &dir);
            }
            Arc::new(Node::worker(&format!("worker-{idx}"), recipe))
        };
        let (webs, workers) = ((0..n_webs).map(web).collect(), (0..n_workers).map(worker).collect());
        let has_proxy = wiring == Wiring::Cluster;
        App { redis, bus, webs, workers, has_proxy, proxy: None, helpers: Vec::new(), dir }
    }

    /// Starts a killed instance on what it left behind.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&mut self) {
        self.kill();
        self.workers.iter().for_each(|worker| worker.start());
        std::thread::scope(|scope| self.webs.iter().for_each(|web| drop(scope.spawn(|| web.start()))));
        if self.has_proxy && self.proxy.is_none() {
            let addresses: Vec<SocketAddr> = self.webs.iter().map(|web| web.address()).collect();
            self.proxy = Some(Proxy::start(&addresses, &self.dir));
        }
        if self.proxy.is_some() {
            // It leaves out for a while those that it has seen dead.
            poll::until("the proxy has found them", || (self.get("/healthz").status == 200).then_some(()));
        }
        if self.redis.is_some() {
            self.helpers = self.webs.iter().map(|web| Helper::asking_for_health(web.clone())).collect();
            self.helpers.extend(self.workers.iter().map(|worker| Helper::supervising(worker.clone())));
        }
        self.await_workers();
    }

    /// Waits until every worker listens.
    ///
    /// # Panics
    /// When one does not.
    pub fn await_workers(&self) {
        if let Some(server) = self.bus.as_ref().or(self.redis.as_ref()) {
            server.await_subscribers(&BELLS, self.workers.len(), START_TIMEOUT);
        }
    }

    /// `kill -9`, for every process of the instance at once. Redis is none of them: it stays.
    pub fn kill(&mut self) {
        // First so that the processes die at one moment; a supervisor that is quick comes too late for the second.
        self.webs.iter().chain(&self.workers).for_each(|node| node.kill());
        self.webs.iter().chain(&self.workers).for_each(|node| node.halt());
        self.helpers.clear();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.proxy.as_ref().map_or_else(|| self.webs[0].address(), |proxy| proxy.address)
    }

    /// Where its embedded store lies, as its own processes see it.
    pub fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// Its web processes.
    pub fn webs(&self) -> &[Arc<Node>] {
        &self.webs
    }

    /// Its workers, which a supervisor starts again when they end.
    pub fn workers(&self) -> &[Arc<Node>] {
        &self.workers
    }

    /// Whether its store is a Redis server.
    pub fn has_redis(&self) -> bool {
        self.redis.is_some()
    }

    /// The server that holds its store.
    ///
    /// # Panics
    /// When it has none.
    pub fn redis(&self) -> &RedisServer {
        self.redis.as_ref().expect("the instance is wired with Redis")
    }

    /// The server that its workers listen to, where that is another.
    ///
    /// # Panics
    /// When it is none.
    pub fn bus(&self) -> &RedisServer {
        self.bus.as_ref().expect("the instance has a bus of its own")
    }

    /// The last lines of its logs.
    pub fn log(&self) -> String {
        let nodes = self.webs.iter().chain(&self.workers).map(|node| node.log());
        let proxy = self.proxy.iter().map(|proxy| format!("nginx:\n{}", proxy.log.text()));
        nodes.chain(proxy).collect::<Vec<_>>().join("\n")
    }

    /// All that its processes ever printed.
    pub fn whole_log(&self) -> String {
        self.webs.iter().chain(&self.workers).map(|node| node.whole_log()).collect()
    }

    /// A request of any method.
    pub fn call(&self, method: &str, target: &str) -> Call {
        Call::new(self.address(), method, target)
    }

    /// A request to a web process itself, past the proxy if there is one: for what nginx refuses without asking, and
    /// for large bodies that are answered before they were read, at which it loses the answer.
    pub fn direct(&self, method: &str, target: &str) -> Call {
        Call::new(self.webs[0].address(), method, target)
    }

    /// A GET, sent.
    #[track_caller]
    pub fn get(&self, target: &str) -> Answer {
        self.call("GET", target).send()
    }

    /// A POST of JSON, sent.
    #[track_caller]
    pub fn post(&self, target: &str, body: &Value) -> Answer {
        self.call("POST", target).json(body).send()
    }

    /// A DELETE, sent.
    #[track_caller]
    pub fn delete(&self, target: &str) -> Answer {
        self.call("DELETE", target).send()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the last lines of the app's logs:\n{}", self.log());
        }
        self.proxy = None;
        (self.redis, self.bus) = (None, None);
        if std::env::var_os("SCALEHOSTER_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

fn new_dir() -> PathBuf {
    let mut builder = tempfile::Builder::new();
    builder.prefix("scalehoster-");
    let dir = match std::env::var_os("SCALEHOSTER_KEEP") {
        Some(parent) => std::fs::create_dir_all(&parent).and_then(|()| builder.tempdir_in(parent)),
        None => builder.tempdir(),
    };
    dir.expect("a temporary folder can be made").keep()
}

/// A thread that does something again and again beside the app, as a supervisor does. Dropping ends it.
struct Helper {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    fn every(interval: Duration, work: impl Fn() + Send + 'static) -> Self {
        let (end, ended) = channel();
        let thread = std::thread::spawn(move || {
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                work();
            }
        });
        Self { end: Some(end), thread: Some(thread) }
    }

    /// Asks a web process for its health, as whoever runs it does.
    fn asking_for_health(web: Arc<Node>) -> Self {
        Self::every(HEALTH_INTERVAL, move || {
            // It may be dead or stopped, which is for the test to notice.
            let _ = Call::new(web.address(), "GET", "/healthz").patience(Duration::from_secs(2)).try_send();
        })
    }

    /// Starts a worker again whenever it has ended.
    fn supervising(worker: Arc<Node>) -> Self {
        Self::every(REVIVAL_INTERVAL, move || worker.revive())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
