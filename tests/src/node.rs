//! A process of the app: one that answers requests, or one that listens to Redis.

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::app::Runner;
use crate::manifest::Manifest;
use crate::process::{Log, Process};
use crate::{Call, peers, poll};

/// The first start on a machine compiles the components.
pub const START_TIMEOUT: Duration = Duration::from_secs(180);

/// What every process of an instance is started with.
#[derive(Clone)]
pub struct Recipe {
    /// The manifest.
    pub manifest: Manifest,
    /// The instance's folder.
    pub dir: PathBuf,
    /// Where the embedded store lies.
    pub state: PathBuf,
    /// The size of a disk that is mounted there for the process alone, if any.
    pub disk_megabytes: Option<u32>,
    /// The most memory of an instance of a component, in bytes.
    pub instance_bytes: Option<u64>,
    /// The app's variables.
    pub variables: Vec<(String, String)>,
    /// The runtime-config file.
    pub runtime_config: Option<PathBuf>,
}

impl Recipe {
    fn command(&self, components: &[String]) -> Command {
        let program = Runner::chosen().command();
        let mut command = match self.disk_megabytes {
            None => program,
            Some(megabytes) => self.on_disk_of(megabytes, &program),
        };
        if let Some(bytes) = self.instance_bytes {
            command.env("SPIN_MAX_INSTANCE_MEMORY", bytes.to_string());
        }
        command.arg("--from").arg(self.manifest.path()).arg("--state-dir").arg(&self.state);
        for component in components {
            command.args(["-c", component]);
        }
        for (name, value) in &self.variables {
            command.arg("--variable").arg(format!("{name}={value}"));
        }
        if let Some(path) = &self.runtime_config {
            command.arg("--runtime-config-file").arg(path);
        }
        command
    }
}

impl Recipe {
    /// `program` with a disk where the state is to lie. Nobody else sees the disk, and it is gone with the process.
    fn on_disk_of(&self, megabytes: u32, program: &Command) -> Command {
        std::fs::create_dir_all(&self.state).expect("the folder is ours");
        let script = r#"mount -t tmpfs -o "size=$1m" none "$2" && shift 2 && exec "$@""#;
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "disk", &megabytes.to_string()]).arg(&self.state);
        command.arg(program.get_program()).args(program.get_args());
        command
    }
}

/// What a process is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Answers requests, at this address if it is known before.
    Web(Option<SocketAddr>),
    Worker,
}

/// A process that can be killed, stopped and started again.
pub struct Node {
    name: String,
    role: Role,
    recipe: Recipe,
    log: Log,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether it is meant to run.
    is_wanted: bool,
    process: Option<Process>,
    address: Option<SocketAddr>,
}

impl Node {
    /// One that answers requests; it comes back at `address` with every start, if that is given.
    pub fn web(name: &str, recipe: Recipe, address: Option<SocketAddr>) -> Self {
        Self::new(name, Role::Web(address), recipe)
    }

    /// One that listens to Redis.
    pub fn worker(name: &str, recipe: Recipe) -> Self {
        Self::new(name, Role::Worker, recipe)
    }

    fn new(name: &str, role: Role, recipe: Recipe) -> Self {
        let log = Log::new(recipe.dir.join(format!("log-{name}.txt")));
        Self { name: name.to_owned(), role, recipe, log, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A start that failed has panicked while it held this; what it left is still a process to kill.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Starts it, and waits until it serves if it answers requests.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(&self) {
        let mut state = self.state();
        state.is_wanted = true;
        match self.role {
            Role::Web(address) => {
                let (process, address) = self.start_web(address);
                (state.process, state.address) = (Some(process), Some(address));
            }
            Role::Worker => state.process = Some(self.start_worker()),
        }
    }

    fn start_web(&self, address: Option<SocketAddr>) -> (Process, SocketAddr) {
        let mut command = self.recipe.command(&self.recipe.manifest.web);
        let listen = address.unwrap_or_else(|| match Runner::chosen() {
            Runner::Bundled => SocketAddr::from(([127, 0, 0, 1], 0)),
            Runner::Spin => crate::ports::free_address(),
        });
        command.args(["--listen", &listen.to_string()]);
        let (sender, receiver) = channel();
        let mut process = Process::start(&mut command, &self.log, &self.recipe.dir, move |line| {
            if let Some(address) = served_address(line) {
                let _ = sender.send(address);
            }
        });
        let address = self.await_start(&mut process, listen, &receiver);
        (process, address)
    }

    /// Waits for the line that names the address (or, on Spin, for the port), then for health.
    fn await_start(&self, process: &mut Process, listen: SocketAddr, receiver: &Receiver<SocketAddr>) -> SocketAddr {
        let deadline = Instant::now() + START_TIMEOUT;
        let address = match Runner::chosen() {
            Runner::Bundled => match receiver.recv_timeout(START_TIMEOUT) {
                Ok(address) => address,
                Err(RecvTimeoutError::Timeout) => panic!("{} never said where it serves\n{}", self.name, self.log()),
                Err(RecvTimeoutError::Disconnected) => panic!("{} ended at once\n{}", self.name, self.log()),
            },
            Runner::Spin => {
                poll::within(START_TIMEOUT, "spin listens", || {
                    let end = process.ended();
                    assert!(end.is_none(), "spin ended: {end:?}\n{}", self.log());
                    TcpStream::connect(listen).ok()
                })
                .set_nodelay(true)
                .expect("a fresh socket");
                listen
            }
        };
        poll::within(deadline.saturating_duration_since(Instant::now()), "the app is healthy", || {
            let answer = Call::new(address, "GET", "/healthz").try_send().ok()?;
            assert!(answer.status == 200 || answer.status == 503, "{answer}\n{}", self.log());
            (answer.status == 200).then_some(())
        });
        address
    }

    fn start_worker(&self) -> Process {
        let mut command = self.recipe.command(&self.recipe.manifest.workers);
        Process::start(&mut command, &self.log, &self.recipe.dir, |_| ())
    }

    /// Starts it again if it ended by itself or was killed; for whoever supervises it.
    pub fn revive(&self) {
        let mut state = self.state();
        let is_gone = state.process.as_mut().is_none_or(|process| process.ended().is_some());
        if state.is_wanted && is_gone {
            state.process = None;
            state.process = Some(self.start_worker());
        }
    }

    /// `kill -9`. A supervisor starts it again.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// `kill -9`, and nobody starts it again but [`Node::start`].
    pub fn halt(&self) {
        let mut state = self.state();
        *state = State { is_wanted: false, process: None, address: state.address };
    }

    /// SIGSTOP: it stands still when this returns, its connections stay open.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        let group = self.id().expect("it runs");
        poll::until("every thread stands still", || peers::is_stopped(group).then_some(()));
    }

    /// SIGCONT.
    pub fn cont(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.state().process {
            process.signal(signal);
        }
    }

    /// Whether it is meant to run and does.
    pub fn is_running(&self) -> bool {
        self.state().process.as_mut().is_some_and(|process| process.ended().is_none())
    }

    /// The id of its process group.
    pub fn id(&self) -> Option<u32> {
        self.state().process.as_ref().map(Process::id)
    }

    /// Where it listens.
    ///
    /// # Panics
    /// When it never ran.
    pub fn address(&self) -> SocketAddr {
        self.state().address.unwrap_or_else(|| panic!("{} never ran", self.name))
    }

    /// The last lines of its log.
    pub fn log(&self) -> String {
        format!("{}:\n{}", self.name, self.log.text())
    }

    /// All that it ever printed.
    pub fn whole_log(&self) -> String {
        self.log.whole()
    }
}

fn served_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("Serving http://")?;
    rest.split_whitespace().next()?.trim_end_matches('/').parse().ok()
}
