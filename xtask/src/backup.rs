//! Copies of a store in a file: taken while the app runs, and put back while it does not.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::up::state_folder;

/// The store's file in the state folder, by Spin's name, which the bundled runner uses too.
pub const STORE: &str = "sqlite_key_value.db";

/// Pages copied between two looks at the progress.
const PAGES_A_STEP: i32 = 1_000;

/// How long to wait for a writer, and in all for pages that nobody writes to.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to look for a moment in which nobody writes.
const LOG_PATIENCE: Duration = Duration::from_secs(30);

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask backup images.backup\n\nThe app goes on meanwhile. The copy is the store as it was at one moment, is checked before it gets its name, and comes back with `cargo xtask restore`. A store on Redis is backed up with Redis itself: `redis-cli --rdb FILE`."
)]
pub struct BackupOptions {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the store lives [default: .state in the checkout]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Replace FILE if it is there
    #[arg(long)]
    force: bool,
}

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask restore images.backup\n\nStop the app first. The store that was there stays beside the restored one, under its name and the time."
)]
pub struct RestoreOptions {
    /// The file that `cargo xtask backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the store lives [default: .state in the checkout]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// Copies the store of a state folder, in use or not.
///
/// # Errors
/// When there is none, the copy can't be written, or it is not sound.
pub fn backup(options: &BackupOptions) -> Result<()> {
    let store = state_folder(options.state.as_deref()).join(STORE);
    ensure!(store.is_file(), "there is no store at {}", store.display());
    if options.file.exists() && !options.force {
        bail!("{} is there already; --force replaces it", options.file.display());
    }
    let source = open(&store, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    use_write_ahead_log(&source, &store)?;
    // Everything copied is as it is now: the log grows until this ends.
    source.execute_batch("BEGIN")?;
    check_is_store(&source, &store)?;
    let copy = copy(&source, &options.file)?;
    std::fs::rename(&copy, &options.file).with_context(|| format!("{} can't be written", options.file.display()))?;
    sync_folder(&options.file)?;
    println!("{} bytes in {}", options.file.metadata()?.len(), options.file.display());
    Ok(())
}

/// In a file with a rollback journal, which is what Spin makes, nobody can write while it is read, and the copy begins again
/// after each write. With a write-ahead log neither is in the other's way. The file remembers it, and whoever has it open
/// notices.
fn use_write_ahead_log(connection: &Connection, store: &Path) -> Result<()> {
    let started = Instant::now();
    // The change needs a moment in which nobody else is at it. SQLite's own waiting looks ten times a second, which a
    // busy writer leaves no moment for.
    connection.busy_timeout(Duration::ZERO)?;
    loop {
        let journal = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        match journal {
            Ok(journal) if journal == "wal" => break,
            Err(error) if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) => return Err(error.into()),
            _ if started.elapsed() > LOG_PATIENCE => {
                bail!("{} is written to without a pause, and can't be given a write-ahead log", store.display())
            }
            _ => std::thread::sleep(Duration::from_micros(200)),
        }
    }
    Ok(connection.busy_timeout(PATIENCE)?)
}

/// Puts a copy in the place of a state folder's store.
///
/// # Errors
/// When an app has the store open, or the file is not a sound store.
pub fn restore(options: &RestoreOptions) -> Result<()> {
    let state = state_folder(options.state.as_deref());
    std::fs::create_dir_all(&state).with_context(|| format!("{} can't be made", state.display()))?;
    let store = state.join(STORE);
    let source = open(&options.file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    check_is_store(&source, &options.file)?;
    let held = Held::take(&store)?;
    let copy = copy(&source, &store)?;
    if let Some(held) = held {
        held.settle()?;
        let kept = state.join(format!("{STORE}.{}", jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S%.3fZ")));
        std::fs::hard_link(&store, &kept).with_context(|| format!("{} can't be written", kept.display()))?;
        println!("the store that was there is {}", kept.display());
    }
    std::fs::rename(&copy, &store).with_context(|| format!("{} can't be written", store.display()))?;
    sync_folder(&store)?;
    println!("restored {}", store.display());
    Ok(())
}

/// A store that nobody else has open.
struct Held {
    connection: Connection,
    store: PathBuf,
}

impl Held {
    /// Takes the store, if there is one.
    fn take(store: &Path) -> Result<Option<Self>> {
        if !store.exists() {
            return Ok(None);
        }
        if let Some(pid) = who_has_open(store)? {
            bail!("process {pid} has {} open: stop the app first", store.display());
        }
        Self::lock(store).map(Some)
    }

    fn lock(store: &Path) -> Result<Self> {
        // A process of another user, or of another container, shows in its locks. An idle one has them in a file with a
        // write-ahead log alone.
        let connection = open(store, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(Duration::from_millis(200))?;
        connection
            .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
            .with_context(|| format!("{} is in use: stop the app first", store.display()))?;
        Ok(Self { connection, store: store.to_owned() })
    }

    /// Brings all that was written into the one file, so that it can go and nothing of it stays.
    fn settle(self) -> Result<()> {
        let journal: String = self.connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
        ensure!(journal == "delete", "the write-ahead log of {} can't be ended", self.store.display());
        self.connection.close().map_err(|(_, error)| error)?;
        // SQLite would write what such a file holds into the restored store.
        for journal in ["-wal", "-journal"] {
            let file = PathBuf::from(format!("{}{journal}", self.store.display()));
            ensure!(!file.exists(), "{} is still there", file.display());
        }
        // What a killed process left, and describes a log that is gone.
        let _ = std::fs::remove_file(format!("{}-shm", self.store.display()));
        Ok(())
    }
}

/// A process that has the file open, of those that this one may look into.
fn who_has_open(file: &Path) -> Result<Option<String>> {
    let file = file.canonicalize()?;
    let Ok(processes) = std::fs::read_dir("/proc") else { return Ok(None) };
    // "self" and "thread-self" are links to what is there under its number.
    let is_number = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.parse::<u32>().is_ok());
    for process in processes.flatten().filter(|process| is_number(&process.file_name())) {
        let Ok(handles) = std::fs::read_dir(process.path().join("fd")) else { continue };
        if handles.flatten().any(|handle| std::fs::read_link(handle.path()).is_ok_and(|target| target == file)) {
            return Ok(Some(process.file_name().to_string_lossy().into_owned()));
        }
    }
    Ok(None)
}

fn open(path: &Path, mode: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .with_context(|| format!("{} can't be opened", path.display()))?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

/// Refuses what is no store of Spin's. Reads, and so begins the transaction that `BEGIN` announced.
fn check_is_store(connection: &Connection, path: &Path) -> Result<()> {
    let mut statement = connection
        .prepare("SELECT name FROM pragma_table_info('spin_key_value') ORDER BY cid")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>())
        .with_context(|| format!("{} is no store", path.display()))?;
    statement.retain(|column| ["store", "key", "value"].contains(&column.as_str()));
    ensure!(statement.len() == 3, "{} is no store: it has no table of keys and values", path.display());
    Ok(())
}

/// Copies a database to a file beside `target` and checks it there: a name that is left over means a copy that failed.
fn copy(source: &Connection, target: &Path) -> Result<PathBuf> {
    let part = target.with_added_extension("part");
    if part.exists() {
        std::fs::remove_file(&part).with_context(|| format!("{} can't be removed", part.display()))?;
    }
    let mut destination = Connection::open(&part).with_context(|| format!("{} can't be written", part.display()))?;
    copy_pages(source, &mut destination)?;
    check_is_sound(&destination, &part)?;
    destination.close().map_err(|(_, error)| error)?;
    File::open(&part)?.sync_all()?;
    Ok(part)
}

fn copy_pages(source: &Connection, destination: &mut Connection) -> Result<()> {
    let backup = Backup::new(source, destination)?;
    let mut last_done = Instant::now();
    loop {
        let step = backup.step(PAGES_A_STEP)?;
        show(&backup.progress());
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => last_done = Instant::now(),
            _ if last_done.elapsed() > PATIENCE => bail!("the store has been locked for {} s", PATIENCE.as_secs()),
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// One line that is written over: for people alone.
fn show(progress: &rusqlite::backup::Progress) {
    if !std::io::stderr().is_terminal() || progress.pagecount == 0 {
        return;
    }
    let done = progress.pagecount - progress.remaining;
    let end = if progress.remaining == 0 { "\n" } else { "" };
    eprint!(
        "\r{} of {} pages, {} %{end}",
        done,
        progress.pagecount,
        i64::from(done) * 100 / i64::from(progress.pagecount)
    );
    let _ = std::io::stderr().flush();
}

fn check_is_sound(connection: &Connection, path: &Path) -> Result<()> {
    // The copy says that it has a write-ahead log, which a file that is to be carried about should not need.
    connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    let found: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(found == "ok", "the copy {} is not sound: {found}", path.display());
    check_is_store(connection, path)
}

/// So that the new name outlasts a power failure.
fn sync_folder(file: &Path) -> Result<()> {
    let file = std::path::absolute(file)?;
    File::open(file.parent().context("a file is in a folder")?)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const TABLE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (
        store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))";

    /// A state folder with an open store, as the runner (`WAL`) or Spin (`DELETE`) leaves it.
    fn state(journal: &str) -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = Connection::open(folder.path().join(STORE)).expect("a store");
        connection.pragma_update(None, "journal_mode", journal).expect("a journal");
        connection.execute_batch(TABLE).expect("a table");
        (folder, connection)
    }

    fn put(connection: &Connection, key: i64, value: &[u8]) {
        let sql = "INSERT INTO spin_key_value VALUES ('default', ?1, ?2)
            ON CONFLICT (store, key) DO UPDATE SET value = excluded.value";
        connection.execute(sql, (key.to_string(), value)).expect("a write");
    }

    fn sum(path: &Path) -> i64 {
        let connection = Connection::open(path).expect("a store");
        let sql = "SELECT coalesce(sum(CAST(value AS INTEGER)), 0) FROM spin_key_value WHERE length(value) < 20";
        connection.query_row(sql, [], |row| row.get(0)).expect("values")
    }

    fn back_up(state: &Path, file: &Path, force: bool) -> Result<()> {
        backup(&BackupOptions { file: file.to_owned(), state: Some(state.to_owned()), force })
    }

    fn put_back(state: &Path, file: &Path) -> Result<()> {
        restore(&RestoreOptions { file: file.to_owned(), state: Some(state.to_owned()) })
    }

    /// Two values whose sum is 0 in every transaction, written without pause while the store is copied.
    fn copies_one_moment_while_others_write(journal: &str) {
        let (folder, connection) = state(journal);
        for key in 10..200 {
            put(&connection, key, &[7; 300_000]);
        }
        let file = folder.path().join("copy");
        let is_over = AtomicBool::new(false);
        let written = std::thread::scope(|scope| {
            let over = &is_over;
            let writer = scope.spawn(move || {
                let mut number = 0;
                while !over.load(Ordering::Relaxed) {
                    number += 1;
                    connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
                    put(&connection, 1, number.to_string().as_bytes());
                    put(&connection, 2, (-number).to_string().as_bytes());
                    connection.execute_batch("COMMIT").expect("a commit");
                }
                number
            });
            let copied = back_up(folder.path(), &file, false);
            is_over.store(true, Ordering::Relaxed);
            copied.expect("a copy");
            writer.join().expect("no write fails")
        });
        assert!(written > 10, "the writer went on: {written}");
        assert_eq!(sum(&file), 0);
        let count = |path: &Path| -> i64 {
            let copy = Connection::open(path).expect("a store");
            copy.query_row("SELECT count(*) FROM spin_key_value", [], |row| row.get(0)).expect("a count")
        };
        assert!(count(&file) >= 190, "{}", count(&file));
        assert!(!folder.path().join("copy.part").exists() && !folder.path().join("copy-wal").exists());
    }

    #[test]
    fn copies_one_moment_of_a_write_ahead_log() {
        copies_one_moment_while_others_write("WAL");
    }

    #[test]
    fn copies_one_moment_of_a_rollback_journal() {
        copies_one_moment_while_others_write("DELETE");
    }

    #[test]
    fn replaces_a_file_only_by_force() {
        let (folder, connection) = state("WAL");
        let file = folder.path().join("copy");
        put(&connection, 1, b"1");
        back_up(folder.path(), &file, false).expect("a copy");
        put(&connection, 1, b"2");
        let error = back_up(folder.path(), &file, false).expect_err("it is there").to_string();
        assert!(error.contains("--force"), "{error}");
        assert_eq!(sum(&file), 1);
        back_up(folder.path(), &file, true).expect("a copy");
        assert_eq!(sum(&file), 2);
    }

    #[test]
    fn puts_a_copy_back_and_keeps_what_was_there() {
        for journal in ["WAL", "DELETE"] {
            let (folder, connection) = state(journal);
            let file = folder.path().join("copy");
            put(&connection, 1, b"1");
            back_up(folder.path(), &file, false).expect("a copy");
            put(&connection, 1, b"2");
            // As after kill -9: what was written last is in the log alone.
            let log = folder.path().join(format!("{STORE}-wal"));
            let left = std::fs::read(&log).expect("a log");
            drop(connection);
            if journal == "WAL" {
                std::fs::write(&log, left).expect("a log");
            }
            put_back(folder.path(), &file).expect("nobody has it open");
            assert_eq!(sum(&folder.path().join(STORE)), 1);
            let kept: Vec<PathBuf> = std::fs::read_dir(folder.path())
                .expect("a folder")
                .map(|entry| entry.expect("an entry").path())
                .filter(|path| path.to_string_lossy().contains(".db.20"))
                .collect();
            assert_eq!(kept.len(), 1, "{kept:?}");
            assert_eq!(sum(&kept[0]), 2);
        }
    }

    #[test]
    fn restores_into_an_empty_folder() {
        let (folder, connection) = state("WAL");
        put(&connection, 1, b"5");
        let file = folder.path().join("copy");
        back_up(folder.path(), &file, false).expect("a copy");
        let other = folder.path().join("other");
        put_back(&other, &file).expect("nothing is there");
        assert_eq!(sum(&other.join(STORE)), 5);
    }

    #[test]
    fn errors_when_an_app_has_the_store_open() {
        for journal in ["WAL", "DELETE"] {
            let (folder, connection) = state(journal);
            let file = folder.path().join("copy");
            put(&connection, 1, b"1");
            back_up(folder.path(), &file, false).expect("a copy");
            let error = put_back(folder.path(), &file).expect_err("it is open").to_string();
            assert!(error.contains(&format!("process {} has", std::process::id())), "{error}");
            put(&connection, 1, b"3");
            assert_eq!(sum(&folder.path().join(STORE)), 3);
        }
    }

    #[test]
    fn errors_when_the_store_is_locked() {
        let (folder, connection) = state("WAL");
        put(&connection, 1, b"1");
        let error = Held::lock(&folder.path().join(STORE)).err().expect("it is open").to_string();
        assert!(error.ends_with("is in use: stop the app first"), "{error}");
    }

    #[test]
    fn errors_when_the_file_is_no_store() {
        let (folder, connection) = state("WAL");
        drop(connection);
        let text = folder.path().join("text");
        std::fs::write(&text, "This is a text and no database at all.\n".repeat(100)).expect("a file");
        let other = folder.path().join("other");
        Connection::open(&other).expect("a file").execute_batch("CREATE TABLE t (a)").expect("a table");
        let cut = folder.path().join("cut");
        back_up(folder.path(), &cut, false).expect("a copy");
        let bytes = std::fs::read(&cut).expect("a copy");
        std::fs::write(&cut, &bytes[..bytes.len() - 4096]).expect("a file");
        for file in [text, other, cut, folder.path().join("missing")] {
            put_back(folder.path(), &file).expect_err(&file.to_string_lossy());
            assert!(folder.path().join(STORE).exists());
        }
    }
}
