//! The app as a process: started under the bundled runner or under Spin, killed without mercy, started again.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use crate::{Answer, Call, poll};

/// The first start on a machine compiles the components.
const START_TIMEOUT: Duration = Duration::from_secs(180);

/// How many lines of log are shown when something goes wrong.
const LOG_LINES: usize = 60;

/// What an instance is started with.
#[derive(Clone, Default)]
pub struct Options {
    variables: Vec<(String, String)>,
    runtime_config: Option<String>,
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

    /// A command that serves the app on `listen`.
    fn command(self, listen: &str, state: &Path) -> Command {
        let mut command = Command::new(self.executable());
        if self == Self::Spin {
            command.arg("up");
        }
        command.arg("--from").arg(manifest()).args(["--listen", listen]).arg("--state-dir").arg(state);
        command
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("tests/ lies in the repository").to_owned()
}

fn manifest() -> PathBuf {
    std::env::var_os("SCALEHOSTER_MANIFEST").map_or_else(|| root().join("spin.toml"), PathBuf::from)
}

fn bundled_runner() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("native").join("scalehoster-runner")
}

/// An instance of the app with a store of its own.
pub struct App {
    options: Options,
    dir: PathBuf,
    running: Option<Running>,
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
            let runner = Runner::chosen();
            // Past the test harness, which would show it only with a failure.
            let _ =
                writeln!(std::io::stderr(), "black-box suite: driving {runner:?} ({})", runner.executable().display());
        });
        let mut app = App { options, dir: new_dir(), running: None };
        app.start_again();
        app
    }

    /// Starts a killed instance on what it left behind.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&mut self) {
        self.kill();
        self.running = Some(Running::start(&self.options, &self.dir));
    }

    /// `kill -9`, for every process of the instance at once.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Where it listens.
    ///
    /// # Panics
    /// When it was killed.
    pub fn address(&self) -> SocketAddr {
        self.running.as_ref().expect("the app runs").address
    }

    /// The last lines of its log.
    pub fn log(&self) -> String {
        self.running.as_ref().map(|running| running.log.text()).unwrap_or_default()
    }

    /// The peak of its memory so far in bytes, as far as the system tells.
    pub fn peak_memory(&self) -> Option<u64> {
        let pid = self.running.as_ref()?.child.id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    }

    /// A request of any method.
    pub fn call(&self, method: &str, target: &str) -> Call {
        Call::new(self.address(), method, target)
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

/// The processes of an instance. Dropping kills them.
struct Running {
    child: Child,
    address: SocketAddr,
    log: Log,
    watchdog: Option<Watchdog>,
}

impl Running {
    fn start(options: &Options, dir: &Path) -> Self {
        let runner = Runner::chosen();
        let listen = match runner {
            Runner::Bundled => "127.0.0.1:0".to_owned(),
            Runner::Spin => free_address(),
        };
        let mut command = runner.command(&listen, &dir.join("state"));
        for (name, value) in &options.variables {
            command.arg("--variable").arg(format!("{name}={value}"));
        }
        if let Some(text) = &options.runtime_config {
            let path = dir.join("runtime-config.toml");
            std::fs::write(&path, text).expect("the folder is ours");
            command.arg("--runtime-config-file").arg(path);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{error}: {command:?}"));

        let watchdog = Some(Watchdog::over(&child, dir));
        let log = Log::new(&dir.join("log.txt"));
        let (sender, receiver) = channel();
        for output in [
            Box::new(child.stdout.take().expect("piped")) as Box<dyn Read + Send>,
            Box::new(child.stderr.take().expect("piped")),
        ] {
            let (log, sender) = (log.clone(), sender.clone());
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if let Some(address) = served_address(&line) {
                        let _ = sender.send(address);
                    }
                    log.add(line);
                }
            });
        }
        drop(sender);
        let address = listen.parse().expect("an address");
        let mut running = Self { child, address, log, watchdog };
        running.await_start(runner, &receiver);
        running
    }

    /// Waits for the line that names the address (or, with a port of our own choice, for the port), then for health.
    fn await_start(&mut self, runner: Runner, receiver: &Receiver<SocketAddr>) {
        let deadline = Instant::now() + START_TIMEOUT;
        match runner {
            Runner::Bundled => match receiver.recv_timeout(START_TIMEOUT) {
                Ok(address) => self.address = address,
                Err(RecvTimeoutError::Timeout) => panic!("the app never said where it serves\n{}", self.log.text()),
                Err(RecvTimeoutError::Disconnected) => panic!("the app ended at once\n{}", self.log.text()),
            },
            Runner::Spin => poll::within(START_TIMEOUT, "spin listens", || {
                let end = self.child.try_wait().expect("our own child");
                assert!(end.is_none(), "spin ended: {end:?}\n{}", self.log.text());
                TcpStream::connect(self.address).ok()
            })
            .set_nodelay(true)
            .expect("a fresh socket"),
        }
        poll::within(deadline.saturating_duration_since(Instant::now()), "the app is healthy", || {
            let answer = Call::new(self.address, "GET", "/healthz").try_send().ok()?;
            assert!(answer.status == 200 || answer.status == 503, "{answer}\n{}", self.log.text());
            (answer.status == 200).then_some(())
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill_group(&self.child);
        let _ = self.child.wait();
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.dismiss();
        }
        if std::thread::panicking() {
            eprintln!("the last lines of the app's log:\n{}", self.log.text());
        }
    }
}

fn kill_group(child: &Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id is positive");
    // It may have ended by itself.
    let _ = kill_process_group(group, Signal::KILL);
}

fn served_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("Serving http://")?;
    rest.split_whitespace().next()?.trim_end_matches('/').parse().ok()
}

/// A port that was free a moment ago. Spin can't be asked which one it took.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    listener.local_addr().expect("a bound socket has an address").to_string()
}

/// Kills the app when the test process is gone, however it went: statics are never dropped, and a killed process
/// cleans up nothing.
struct Watchdog {
    shell: Child,
    line: ChildStdin,
}

impl Watchdog {
    fn over(child: &Child, dir: &Path) -> Self {
        let keep = std::env::var_os("SCALEHOSTER_KEEP").is_some();
        // A line means that all is well; the end of the pipe means that nobody is left to send one.
        let script = r#"read -r _ || { kill -KILL "-$1"; [ "$3" = true ] || rm -rf -- "$2"; }"#;
        let mut shell = Command::new("sh")
            .args(["-c", script, "watchdog", &child.id().to_string()])
            .arg(dir)
            .arg(keep.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        let line = shell.stdin.take().expect("piped");
        Self { shell, line }
    }

    fn dismiss(mut self) {
        let _ = self.line.write_all(b"\n");
        let _ = self.shell.wait();
    }
}

/// What an instance printed: the last lines, and all of it in a file.
#[derive(Clone)]
struct Log {
    lines: Arc<Mutex<VecDeque<String>>>,
    file: Arc<Mutex<std::fs::File>>,
}

impl Log {
    fn new(path: &Path) -> Self {
        let file = std::fs::File::options().create(true).append(true).open(path).expect("the folder is ours");
        Self { lines: Arc::default(), file: Arc::new(Mutex::new(file)) }
    }

    fn add(&self, line: String) {
        let _ = writeln!(self.file.lock().expect("nobody panics while logging"), "{line}");
        let mut lines = self.lines.lock().expect("nobody panics while logging");
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn text(&self) -> String {
        Vec::from(self.lines.lock().expect("nobody panics while logging").clone()).join("\n")
    }
}
