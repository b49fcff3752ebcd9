//! A process in a group of its own: what it prints is kept, and it never outlives the test, however that ends.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process_group};

/// How many lines of log are shown when something goes wrong.
const LOG_LINES: usize = 60;

/// A running process and all that it started. Dropping kills them.
pub struct Process {
    child: Child,
    watchdog: Option<Watchdog>,
}

impl Process {
    /// Starts `command`, which writes to `log`. `seen` is shown each line. `dir` goes when the test process dies.
    ///
    /// # Panics
    /// When there is no such program.
    pub fn start(command: &mut Command, log: &Log, dir: &Path, seen: impl Fn(&str) + Clone + Send + 'static) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{error}: {command:?}"));
        let watchdog = Some(Watchdog::over(&child, dir));
        for output in [
            Box::new(child.stdout.take().expect("piped")) as Box<dyn Read + Send>,
            Box::new(child.stderr.take().expect("piped")),
        ] {
            let (log, seen) = (log.clone(), seen.clone());
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    seen(&line);
                    log.add(line);
                }
            });
        }
        Self { child, watchdog }
    }

    /// Its id, which is also the id of its group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    ///
    /// # Panics
    /// Never: it is our own child.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our own child")
    }

    /// Sends a signal to the whole group.
    ///
    /// # Panics
    /// Never: a process id is positive.
    pub fn signal(&self, signal: Signal) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id is positive");
        // It may have ended by itself.
        let _ = kill_process_group(group, signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.dismiss();
        }
    }
}

/// Kills a process when the test process is gone, however it went: statics are never dropped, and a killed process
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

/// What a process printed: the last lines, and all of it in a file.
#[derive(Clone)]
pub struct Log {
    path: PathBuf,
    lines: Arc<Mutex<VecDeque<String>>>,
    file: Arc<Mutex<std::fs::File>>,
}

impl Log {
    /// The log in the file at `path`, which goes on if it exists.
    ///
    /// # Panics
    /// When it can't be opened.
    pub fn new(path: PathBuf) -> Self {
        let file = std::fs::File::options().create(true).append(true).open(&path).expect("the folder is ours");
        Self { path, lines: Arc::default(), file: Arc::new(Mutex::new(file)) }
    }

    fn add(&self, line: String) {
        let _ = writeln!(self.file.lock().expect("nobody panics while logging"), "{line}");
        let mut lines = self.lines.lock().expect("nobody panics while logging");
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The last lines.
    ///
    /// # Panics
    /// Never: nobody panics while logging.
    pub fn text(&self) -> String {
        Vec::from(self.lines.lock().expect("nobody panics while logging").clone()).join("\n")
    }

    /// All lines since the first start.
    pub fn whole(&self) -> String {
        std::fs::read(&self.path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}
