//! Servers that are measured: started, awaited, looked at, and stopped with all that they started.

use std::ffi::OsStr;
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a server may take to stop when it is told to.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// How many of the last lines of its log are shown of a server that fails.
const LOG_LINES: usize = 20;

/// Ticks of the processor-time counters of /proc in a second: Linux shows programs no other number.
const TICKS: f64 = 100.0;

/// A command for a server: it ends with us however we end, and runs on the `cpus` of a taskset list, if any.
pub fn server_command(program: impl AsRef<OsStr>, cpus: Option<&str>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]);
    if let Some(cpus) = cpus {
        command.args(["taskset", "-c", cpus]);
    }
    command.arg(program);
    command
}

/// An address on loopback that was free a moment ago.
///
/// # Errors
/// When no port is free.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port of 127.0.0.1 is free")?;
    Ok(listener.local_addr()?)
}

/// Whether somebody listens at an address.
pub fn accepts(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

/// A running server. Dropping stops it.
pub struct Server {
    name: &'static str,
    child: Child,
    started: Instant,
    log: PathBuf,
}

impl Server {
    /// Starts a server that writes its log to a file in `folder`. Call it on a thread that outlives the server.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(name: &'static str, mut command: Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log);
        let output = output.with_context(|| format!("{} can't be written", log.display()))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("{name} could not be started"))?;
        Ok(Self { name, child, started, log })
    }

    /// Waits until `is_ready`; returns the time since the start.
    ///
    /// # Errors
    /// When the server ends, or is not ready within `limit`.
    pub fn wait(&mut self, limit: Duration, is_ready: impl Fn() -> bool) -> Result<Duration> {
        loop {
            if is_ready() {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended by itself: {status}\n{}", self.name, self.log_end());
            }
            if self.started.elapsed() > limit {
                bail!("{} is not ready after {} s\n{}", self.name, limit.as_secs(), self.log_end());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The processes that it has started itself.
    pub fn children(&self) -> Vec<u32> {
        children_of(self.child.id())
    }

    /// The end of its log, to be shown.
    pub fn log_end(&self) -> String {
        let text = self.log();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// Its name and those of what it started, each with the most memory that was resident at once, in bytes.
    pub fn peak_memory(&self) -> Vec<(String, u64)> {
        family(self.child.id()).into_iter().filter_map(peak_of).collect()
    }

    /// Processor time that it and what it started have used, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        family(self.child.id()).into_iter().filter_map(cpu_seconds_of).sum()
    }

    /// Tells it to stop, and kills what does not heed it.
    fn stop(&mut self) -> Result<()> {
        let family = family(self.child.id());
        if self.child.try_wait()?.is_none() {
            signal("-TERM", self.child.id());
        }
        let told = Instant::now();
        while self.child.try_wait()?.is_none() && told.elapsed() < STOP_LIMIT {
            std::thread::sleep(Duration::from_millis(10));
        }
        if self.child.try_wait()?.is_none() {
            self.child.kill()?;
            self.child.wait()?;
        }
        // What it started usually went with it.
        for pid in family.into_iter().skip(1).filter(|pid| Path::new(&format!("/proc/{pid}")).exists()) {
            signal("-KILL", pid);
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{} could not be stopped: {error}", self.name);
        }
    }
}

fn signal(name: &str, pid: u32) {
    // It may be gone already.
    let _ = Command::new("kill").args([name, &pid.to_string()]).stderr(Stdio::null()).status();
}

/// A process and all that descend from it, itself first.
pub fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut idx = 0;
    while let Some(&parent) = all.get(idx) {
        all.extend(children_of(parent));
        idx += 1;
    }
    all
}

fn children_of(pid: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()).collect()
}

fn peak_of(pid: u32) -> Option<(String, u64)> {
    Some((status_field(pid, "Name:")?, memory_field(pid, "VmHWM:")?))
}

/// The memory of a process that is resident now, in bytes; 0 of one that is gone.
pub fn resident(pid: u32) -> u64 {
    memory_field(pid, "VmRSS:").unwrap_or_default()
}

fn memory_field(pid: u32, name: &str) -> Option<u64> {
    Some(status_field(pid, name)?.strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

fn status_field(pid: u32, name: &str) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}

fn cpu_seconds_of(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in brackets, which may hold anything; the user and system times are the 14th and 15th.
    let (_, rest) = stat.rsplit_once(')')?;
    let ticks = rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    Some(ticks.sum::<f64>() / TICKS)
}
