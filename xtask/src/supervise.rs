//! Processes that are kept running: each in a process group of its own, started again when it ends, stopped with all
//! that it started.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// The wait before a process that ended is started again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// A process that ran for so long ended for a new reason, and is started again after the first pause.
const STEADY: Duration = Duration::from_secs(10);

/// How long a process may take to stop when it is told to.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Every process, in the order in which they were started.
#[derive(Default)]
pub struct Supervisor {
    services: Vec<Service>,
}

impl Supervisor {
    /// Starts `command` and keeps it running. Its output goes to the file `log`, or where ours goes.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(&mut self, name: &str, mut command: Command, log: Option<&Path>) -> Result<()> {
        command.stdin(Stdio::null()).process_group(0);
        if let Some(log) = log {
            let file = std::fs::File::options().create(true).append(true).open(log);
            let file = file.with_context(|| format!("{} can't be written", log.display()))?;
            command.stdout(file.try_clone()?).stderr(file);
        }
        let mut service =
            Service { name: name.to_owned(), command, state: State::Due(Instant::now()), pause: FIRST_PAUSE };
        service.spawn()?;
        self.services.push(service);
        Ok(())
    }

    /// Sees that nothing has ended: for as long as not everything has served once, so that what can never run does not
    /// go round for ever.
    ///
    /// # Errors
    /// When something has.
    pub fn check(&mut self) -> Result<()> {
        for service in &mut self.services {
            if let Some(status) = service.ended()? {
                bail!("{} ended by itself: {status}", service.name);
            }
        }
        Ok(())
    }

    /// Starts again what has ended, after its pause.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn mend(&mut self) -> Result<()> {
        self.services.iter_mut().try_for_each(Service::mend)
    }

    /// Stops everything, the last that was started first: what others stand on goes after them.
    pub fn stop(&mut self) {
        for service in self.services.iter_mut().rev() {
            service.stop();
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Service {
    name: String,
    command: Command,
    state: State,
    pause: Duration,
}

enum State {
    Runs { child: Child, since: Instant },
    Due(Instant),
}

impl Service {
    fn spawn(&mut self) -> Result<()> {
        let program = self.command.get_program().to_owned();
        let child = self.command.spawn().with_context(|| format!("{} could not be started", program.display()))?;
        self.state = State::Runs { child, since: Instant::now() };
        Ok(())
    }

    /// How it ended, if it has; then what it started is ended too.
    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let State::Runs { child, since } = &mut self.state else { return Ok(None) };
        let Some(status) = child.try_wait()? else { return Ok(None) };
        // A killed `spin` leaves the trigger it started, and that the port.
        signal_group(child, Signal::KILL);
        if since.elapsed() > STEADY {
            self.pause = FIRST_PAUSE;
        }
        self.state = State::Due(Instant::now() + self.pause);
        Ok(Some(status))
    }

    fn mend(&mut self) -> Result<()> {
        if let Some(status) = self.ended()? {
            eprintln!("{} ended ({status}); it starts again in {:.1} s", self.name, self.pause.as_secs_f64());
            self.pause = (self.pause * 2).min(LAST_PAUSE);
        }
        match self.state {
            State::Due(due) if due <= Instant::now() => self.spawn(),
            _ => Ok(()),
        }
    }

    /// Stops it; what does not heed that is killed.
    fn stop(&mut self) {
        let State::Runs { child, .. } = &mut self.state else { return };
        signal_group(child, Signal::TERM);
        let told = Instant::now();
        while matches!(child.try_wait(), Ok(None)) && told.elapsed() < STOP_LIMIT {
            std::thread::sleep(Duration::from_millis(10));
        }
        signal_group(child, Signal::KILL);
        let _ = child.wait();
        self.state = State::Due(Instant::now());
    }
}

fn signal_group(child: &Child, signal: Signal) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id is positive");
    // Nobody may be left in it.
    let _ = kill_process_group(group, signal);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn within_ten_seconds(mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !is_so() {
            assert!(Instant::now() < deadline, "it did not come to pass");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn lines(path: &Path) -> Vec<String> {
        std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// A zombie that nobody has waited for yet is as good as gone.
    fn runs(pid: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[test]
    fn starts_again_what_ends_with_a_growing_pause() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let mut supervisor = Supervisor::default();
        supervisor.start("short", shell("echo started"), Some(&log)).expect("sh is there");
        within_ten_seconds(|| {
            supervisor.mend().expect("sh is still there");
            lines(&log).len() == 3
        });
        assert!(supervisor.services[0].pause >= FIRST_PAUSE * 4, "{:?}", supervisor.services[0].pause);
    }

    #[test]
    fn errors_when_something_ends_before_all_is_up() {
        let mut supervisor = Supervisor::default();
        supervisor.start("short", shell("exit 3"), None).expect("sh is there");
        let mut error = None;
        within_ten_seconds(|| {
            error = supervisor.check().err();
            error.is_some()
        });
        assert_eq!(error.expect("just seen").to_string(), "short ended by itself: exit status: 3");
    }

    #[test]
    fn stops_what_its_processes_started() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let mut supervisor = Supervisor::default();
        supervisor.start("parent", shell("sleep 600 & echo $!; wait"), Some(&log)).expect("sh is there");
        within_ten_seconds(|| lines(&log).len() == 1);
        let grandchild = lines(&log).remove(0);
        assert!(runs(&grandchild));
        drop(supervisor);
        within_ten_seconds(|| !runs(&grandchild));
    }
}
