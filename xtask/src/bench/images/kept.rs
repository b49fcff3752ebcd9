//! What the app keeps of pictures, taken out of its store's file: so that it has to be made anew.
//!
//! The alternative is a new asset for each request, as the bench of one variant has it: that would be hundreds.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;

use crate::backup::STORE;

/// How long the app may take to store what it has sent, and to let us into the file.
const PATIENCE: Duration = Duration::from_secs(10);

/// The store of an app that is running.
pub struct Kept {
    connection: Connection,
}

impl Kept {
    /// Opens the store of a state folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(state: &Path) -> Result<Self> {
        let path = state.join(STORE);
        ensure!(path.is_file(), "there is no store at {}", path.display());
        let connection = Connection::open(&path).with_context(|| format!("{} can't be opened", path.display()))?;
        connection.busy_timeout(PATIENCE)?;
        Ok(Self { connection })
    }

    /// Takes out every variant, once all are stored that were sent.
    ///
    /// # Errors
    /// When there were fewer than `n_made` of them: then not each request was for one that had to be made.
    pub fn forget_variants(&self, n_made: usize) -> Result<()> {
        let began = Instant::now();
        while self.count("variant:*:take:*")? > 0 {
            ensure!(began.elapsed() < PATIENCE, "variants that were sent are not stored");
            std::thread::sleep(Duration::from_millis(2));
        }
        let n_forgotten = self.forget("variant:*")?;
        ensure!(n_forgotten >= n_made, "{n_made} variants should have been made and {n_forgotten} were");
        Ok(())
    }

    /// Takes out every rung, so that the original is what is left to make anything from.
    ///
    /// # Errors
    /// When there was none.
    pub fn forget_rungs(&self) -> Result<()> {
        ensure!(self.forget("rung:*")? > 0, "there were no rungs");
        Ok(())
    }

    fn count(&self, keys: &str) -> Result<u32> {
        let count = "SELECT count(*) FROM spin_key_value WHERE key GLOB ?1";
        Ok(self.connection.query_row(count, [keys], |row| row.get(0))?)
    }

    fn forget(&self, keys: &str) -> Result<usize> {
        Ok(self.connection.execute("DELETE FROM spin_key_value WHERE key GLOB ?1", [keys])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_what_can_be_made_again_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join(STORE)).unwrap();
        connection.execute_batch("CREATE TABLE spin_key_value (store TEXT, key TEXT, value BLOB)").unwrap();
        for key in ["variant:a.0:w=1", "variant:a.0:w=1:c:0", "rung:a.0:1024x836", "blob:a.0:data", "derived:a.0"] {
            connection.execute("INSERT INTO spin_key_value VALUES ('default', ?1, '')", [key]).unwrap();
        }
        let kept = Kept::open(folder.path()).unwrap();
        kept.forget_variants(2).unwrap();
        assert!(kept.forget_variants(1).is_err());
        kept.forget_rungs().unwrap();
        assert!(kept.forget_rungs().is_err());
        assert_eq!(kept.count("*").unwrap(), 2);
    }
}
