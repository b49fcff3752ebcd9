//! Stores in a SQLite file, with the same table as Spin's.
//!
//! One thread writes. It takes whatever writes are waiting into one transaction, so that sixty-four increments at once
//! cost one fsync and not sixty-four, and answers when the transaction is on disk. Readers have connections of their
//! own and, the journal being a write-ahead log, never wait for the writer.
//!
//! The alternative, one connection behind a lock, is what Spin does: simpler, and every read waits for every fsync.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result as AnyResult};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use tokio::sync::{mpsc, oneshot};

use super::{Error, Result};

/// How long to wait for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Writes taken into one transaction, and writes that may wait for the next.
const MAX_BATCH: usize = 256;

/// Reading connections kept open: more than there are threads to use them is waste.
const MAX_IDLE_READERS: usize = 16;

/// One label of one SQLite file.
pub struct Database {
    label: String,
    /// `None` in memory, where the one connection is the database.
    path: Option<PathBuf>,
    readers: Mutex<Vec<Connection>>,
    writer: mpsc::Sender<Job>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the writing thread is told.
enum Job {
    /// To do something on its connection.
    Run(Statements),
    /// To end.
    Stop,
}

/// Runs on the connection, unless there is no transaction to run in, and returns whom to tell once it is durable.
type Statements = Box<dyn FnOnce(Result<&Connection>) -> Answer + Send>;

/// Sends what the job came to, once it is known whether it was committed.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

impl Database {
    /// Opens the file at `path`, or memory.
    pub fn open(path: Option<&Path>, label: &str) -> AnyResult<Arc<Self>> {
        let connection = match path {
            Some(path) => {
                let folder = path.parent().unwrap_or(Path::new(""));
                std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
                Connection::open(path)?
            }
            None => Connection::open_in_memory()?,
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Durable at each commit; `NORMAL` would only be so at checkpoints.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS spin_key_value (
                store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key)
            )",
        )?;
        let (writer, jobs) = mpsc::channel(MAX_BATCH);
        let thread =
            std::thread::Builder::new().name(format!("key-value {label}")).spawn(move || write(&connection, jobs))?;
        Ok(Arc::new(Self {
            label: label.to_owned(),
            path: path.map(Path::to_owned),
            readers: Mutex::default(),
            writer,
            thread: Mutex::new(Some(thread)),
        }))
    }

    /// Finishes what is being written and closes the file, so that no journal is left beside it.
    pub async fn close(&self) {
        let _ = self.writer.send(Job::Stop).await;
        self.readers.lock().expect("no reader panics").clear();
        let thread = self.thread.lock().expect("nothing panics in between").take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>> {
        self.read(move |connection, label| {
            connection
                .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .query_row([label, &key], |row| row.get(0))
                .optional()
        })
        .await
    }

    pub async fn exists(&self, key: String) -> Result<bool> {
        self.read(move |connection, label| {
            connection
                .prepare_cached("SELECT 1 FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .exists([label, &key])
        })
        .await
    }

    pub async fn keys(&self) -> Result<Vec<String>> {
        self.read(move |connection, label| {
            connection
                .prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1")?
                .query_map([label], |row| row.get(0))?
                .collect()
        })
        .await
    }

    pub async fn get_many(&self, keys: Vec<String>) -> Result<Vec<(String, Option<Vec<u8>>)>> {
        self.read(move |connection, label| {
            let mut statement =
                connection.prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?;
            let mut found = Vec::new();
            for key in keys {
                if let Some(value) = statement.query_row([label, &key], |row| row.get(0)).optional()? {
                    found.push((key, Some(value)));
                }
            }
            Ok(found)
        })
        .await
    }

    pub async fn set_many(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<()> {
        self.write(move |connection, label| {
            let mut statement = connection.prepare_cached(
                "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (store, key) DO UPDATE SET value = excluded.value",
            )?;
            for (key, value) in &pairs {
                statement.execute(params![label, key, value])?;
            }
            Ok(())
        })
        .await
    }

    pub async fn delete_many(&self, keys: Vec<String>) -> Result<()> {
        self.write(move |connection, label| {
            let mut statement =
                connection.prepare_cached("DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2")?;
            for key in &keys {
                statement.execute([label, key])?;
            }
            Ok(())
        })
        .await
    }

    /// Numbers are eight little-endian bytes.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64> {
        self.write(move |connection, label| {
            let old: Option<Vec<u8>> = connection
                .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .query_row([label, &key], |row| row.get(0))
                .optional()?;
            let old = match old {
                Some(bytes) => {
                    let bytes =
                        bytes.try_into().map_err(|_| Failure(format!("the value under {key:?} is no number")))?;
                    i64::from_le_bytes(bytes)
                }
                None => 0,
            };
            let new =
                old.checked_add(delta).ok_or_else(|| Failure(format!("the number under {key:?} would overflow")))?;
            connection
                .prepare_cached(
                    "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
                     ON CONFLICT (store, key) DO UPDATE SET value = excluded.value",
                )?
                .execute(params![label, key, new.to_le_bytes()])?;
            Ok(new)
        })
        .await
    }

    /// Runs `query` on a connection that nobody else uses.
    ///
    /// It runs on the calling thread: what is read is nearly always in memory, and a few dozen microseconds are less
    /// than the way to another thread and back.
    async fn read<T, F>(&self, query: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &str) -> rusqlite::Result<T> + Send + 'static,
    {
        let Some(path) = &self.path else {
            return self.write(|connection, label| query(connection, label).map_err(Failure::from)).await;
        };
        let idle = self.readers.lock().expect("no reader panics").pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(path).map_err(Failure::from)?,
        };
        let result = query(&connection, &self.label);
        let mut readers = self.readers.lock().expect("no reader panics");
        if readers.len() < MAX_IDLE_READERS {
            readers.push(connection);
        }
        Ok(result.map_err(Failure::from)?)
    }

    /// Runs `statements` on the writing connection, all of them or none, and returns once they are durable.
    async fn write<T, F>(&self, statements: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &str) -> std::result::Result<T, Failure> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let label = self.label.clone();
        let run = Box::new(move |connection: Result<&Connection>| {
            let result = connection
                .and_then(|connection| Ok(within_savepoint(connection, |connection| statements(connection, &label))?));
            Box::new(move |committed: Result<()>| {
                // A guest that is gone does not wait for its answer.
                let _ = sender.send(committed.and(result));
            }) as Answer
        });
        let stopped = || Error("the key-value store has stopped".to_owned());
        self.writer.send(Job::Run(run)).await.map_err(|_| stopped())?;
        receiver.await.map_err(|_| stopped())?
    }
}

/// What can go wrong with a job.
struct Failure(String);

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<Failure> for Error {
    fn from(Failure(text): Failure) -> Self {
        Self(text)
    }
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    // The connection is used by one thread at a time, and SQLite need not check that.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Runs `statements` so that a failure leaves nothing of them, and everything of the transaction around them.
fn within_savepoint<T>(
    connection: &Connection,
    statements: impl FnOnce(&Connection) -> std::result::Result<T, Failure>,
) -> std::result::Result<T, Failure> {
    connection.prepare_cached("SAVEPOINT job")?.execute([])?;
    let result = statements(connection);
    if result.is_err() {
        connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    connection.prepare_cached("RELEASE job")?.execute([])?;
    result
}

/// The writing thread: one transaction after the other, until it is told to end.
fn write(connection: &Connection, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut is_last = false;
    while !is_last && jobs.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
        is_last = batch.iter().any(|job| matches!(job, Job::Stop));
        let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| logged("begin a transaction", &error));
        let run = |job| match job {
            Job::Run(run) => Some(run(begun.clone().map(|()| connection))),
            Job::Stop => None,
        };
        let answers: Vec<Answer> = batch.drain(..).filter_map(run).collect();
        let committed = begun.and_then(|()| {
            connection.execute_batch("COMMIT").map_err(|error| {
                // After a failed commit the transaction may still be open.
                let _ = connection.execute_batch("ROLLBACK");
                logged("commit", &error)
            })
        });
        for answer in answers {
            answer(committed.clone());
        }
    }
}

fn logged(what: &str, error: &rusqlite::Error) -> Error {
    eprintln!("key-value store: cannot {what}: {error}");
    Error(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A setting of the writing connection.
    async fn pragma(database: &Database, name: &'static str) -> String {
        let read = database.write(move |connection, _| {
            Ok(connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))?)
        });
        match read.await.expect("a value") {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(number) => number.to_string(),
            other => panic!("{other:?}"),
        }
    }

    fn open(folder: &tempfile::TempDir) -> Arc<Database> {
        Database::open(Some(&folder.path().join("a/b.db")), "default").expect("it opens")
    }

    #[tokio::test]
    async fn commits_are_synced() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = open(&folder);
        assert_eq!(pragma(&database, "journal_mode").await, "wal");
        assert_eq!(pragma(&database, "synchronous").await, "2", "FULL");
    }

    #[tokio::test]
    async fn a_failure_undoes_its_own_job_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = open(&folder);
        let half = database.write(|connection, label| {
            connection.execute("INSERT INTO spin_key_value VALUES (?1, 'half', x'00')", [label])?;
            Err::<(), _>(Failure("no further".to_owned()))
        });
        let whole = database.set_many(vec![("whole".to_owned(), vec![1])]);
        let (half, whole) = tokio::join!(half, whole);
        assert!(half.is_err());
        whole.expect("it is set");
        assert_eq!(database.keys().await.expect("keys"), ["whole"]);
    }

    #[tokio::test]
    async fn increments_from_64_tasks_are_all_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = open(&folder);
        let increments = (0..64).map(|_| database.increment("n".to_owned(), 1));
        let mut sums = futures::future::try_join_all(increments).await.expect("sums");
        sums.sort_unstable();
        assert_eq!(sums, (1..=64).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn closing_leaves_one_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = open(&folder);
        database.set_many(vec![("key".to_owned(), vec![1])]).await.expect("it is set");
        assert_eq!(database.get("key".to_owned()).await.expect("a value"), Some(vec![1]));
        database.close().await;
        let files: Vec<_> = std::fs::read_dir(folder.path().join("a")).expect("a folder").collect();
        assert_eq!(files.len(), 1, "{files:?}");
        assert!(database.set_many(vec![("key".to_owned(), vec![2])]).await.is_err());
    }

    #[tokio::test]
    async fn a_number_that_would_overflow_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = open(&folder);
        assert_eq!(database.increment("n".to_owned(), i64::MAX).await.expect("a sum"), i64::MAX);
        assert!(database.increment("n".to_owned(), 1).await.is_err());
    }
}
