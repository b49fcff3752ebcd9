//! A real Redis server of an instance's own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use redis::{Client, Connection};
use serde_json::Value;

use crate::poll;
use crate::ports::free_address;
use crate::process::{Log, Process};

/// A server that keeps an append-only file and no snapshots.
pub struct RedisServer {
    address: SocketAddr,
    /// The folder that goes with the test process.
    whole: PathBuf,
    dir: PathBuf,
    log: Log,
    process: Mutex<Option<Process>>,
}

impl RedisServer {
    /// Starts a server that keeps its file in a folder of that name in `dir`.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(dir: &Path, name: &str) -> Self {
        let server = Self {
            address: free_address(),
            whole: dir.to_owned(),
            dir: dir.join(name),
            log: Log::new(dir.join(format!("log-{name}.txt"))),
            process: Mutex::default(),
        };
        server.start_again();
        server
    }

    /// Starts a stopped server on the file that it left, and waits until it answers.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&self) {
        std::fs::create_dir_all(&self.dir).expect("the folder is ours");
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.address.port().to_string()]);
        command.args(["--save", "", "--appendonly", "yes", "--dir"]).arg(&self.dir);
        let process = Process::start(&mut command, &self.log, &self.whole, |_| ());
        *self.process.lock().expect("no panic") = Some(process);
        poll::until("Redis answers", || {
            let mut process = self.process.lock().expect("no panic");
            let ended = process.as_mut().and_then(Process::ended);
            assert!(ended.is_none(), "redis-server ended: {ended:?}\n{}", self.log.text());
            redis::cmd("PING").query::<String>(&mut self.try_connect().ok()?).ok()
        });
    }

    /// `kill -9`. What it had answered is in its file.
    ///
    /// # Panics
    /// Never: nobody panics while holding it.
    pub fn kill(&self) {
        *self.process.lock().expect("no panic") = None;
    }

    /// Deletes the file of a stopped server.
    ///
    /// # Panics
    /// When it can't be deleted.
    pub fn forget(&self) {
        assert!(self.process.lock().expect("no panic").is_none(), "it is running");
        std::fs::remove_dir_all(&self.dir).expect("the folder is ours");
    }

    /// `redis://ADDRESS`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// The text of a runtime-config file with this server as the store.
    pub fn as_store(&self) -> String {
        format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"\n", self.url())
    }

    /// A connection.
    ///
    /// # Panics
    /// When there is none.
    pub fn connection(&self) -> Connection {
        self.try_connect().unwrap_or_else(|error| panic!("{error}: {}", self.url()))
    }

    fn try_connect(&self) -> redis::RedisResult<Connection> {
        Client::open(self.url())?.get_connection_with_timeout(Duration::from_secs(5))
    }

    /// Every key that matches `pattern`, sorted.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn keys(&self, pattern: &str) -> Vec<String> {
        let mut connection = self.connection();
        let mut keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut connection).expect("the server answers");
        keys.sort_unstable();
        keys
    }

    /// The JSON under a key.
    ///
    /// # Panics
    /// When there is none.
    pub fn json(&self, key: &str) -> Value {
        let found: Option<Vec<u8>> = redis::cmd("GET").arg(key).query(&mut self.connection()).expect("it answers");
        let found = found.unwrap_or_else(|| panic!("nothing under {key}"));
        serde_json::from_slice(&found).unwrap_or_else(|error| panic!("{error} under {key}"))
    }

    /// Deletes every key that matches one of `patterns`, and says how many there were.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn delete_all(&self, patterns: &[&str]) -> usize {
        let keys = patterns.iter().map(|pattern| self.keys(pattern)).collect::<Vec<_>>().concat();
        let mut connection = self.connection();
        keys.iter().for_each(|key| redis::cmd("DEL").arg(key).exec(&mut connection).expect("the server answers"));
        keys.len()
    }

    /// Breaks every connection of this kind, `normal` or `pubsub`, but for the one that asks for it.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn cut(&self, kind: &str) -> usize {
        let mut connection = self.connection();
        redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg(kind).query(&mut connection).expect("the server answers")
    }

    /// Waits until each of `channels` has this many subscribers.
    ///
    /// # Panics
    /// When that takes too long.
    pub fn await_subscribers(&self, channels: &[&str], count: usize, patience: Duration) {
        let deadline = Instant::now() + patience;
        poll::within(deadline.saturating_duration_since(Instant::now()), "the workers listen", || {
            let mut connection = self.try_connect().ok()?;
            let found: Vec<(String, usize)> =
                redis::cmd("PUBSUB").arg("NUMSUB").arg(channels).query(&mut connection).ok()?;
            found.iter().all(|(_, found)| *found >= count).then_some(())
        });
    }
}
