//! The head of SQLite's wal-index, which all connections to a database share: a commit changes it before it is acknowledged.
//! Whoever finds it as it was knows by one short read that nothing was committed since.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::error::StoreError;

/// One of the two copies that the file begins with (<https://www.sqlite.org/walformat.html>, section 2.1): the count of
/// changes, the number of frames in the log, their checksum and the log's salt.
const COPY: usize = 48;
/// The format that this file knows, as the first four bytes have it in the machine's byte order.
const VERSION: u32 = 3_007_000;

/// What a wal-index begins with at one moment.
pub(super) type Head = [u8; COPY];

/// Every wal-index that this process has opened, each once. None is ever closed: closing a file takes away all locks that
/// the process has on it, SQLite's own among them (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
static OPENED: Mutex<Vec<WalIndex>> = Mutex::new(Vec::new());

/// The wal-index of a database, opened for reading.
#[derive(Clone, Copy)]
pub(super) struct WalIndex(&'static File);

impl WalIndex {
    /// The wal-index of that database. It is the right one for as long as a connection stays open that has read the database
    /// before this was called: SQLite puts another in its place only when nobody is connected.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(super) fn of(database: &Path) -> Result<Self, StoreError> {
        let mut path = database.as_os_str().to_owned();
        path.push("-shm");
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        let at_the_path = identity(&fs::metadata(&path).map_err(StoreError::unavailable)?);
        for known in &*opened {
            if identity(&known.0.metadata().map_err(StoreError::unavailable)?) == at_the_path {
                return Ok(*known);
            }
        }
        let file = File::open(&path).map_err(StoreError::unavailable)?;
        let new = Self(Box::leak(Box::new(file)));
        opened.push(new);
        Ok(new)
    }

    /// What it begins with now; `None` while a commit is being written into it, or where it cannot be read.
    pub(super) fn head(self) -> Option<Head> {
        let mut copies = [[0; COPY]; 2];
        self.0.read_exact_at(copies.as_flattened_mut(), 0).ok()?;
        let [first, second] = copies;
        let is_known = first.starts_with(&VERSION.to_ne_bytes());
        (is_known && first == second).then_some(first)
    }
}

fn identity(metadata: &fs::Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use diesel::connection::SimpleConnection;
    use tempfile::TempDir;

    use super::*;
    use crate::config::Database;
    use crate::store::connection::{AnyConnection, Use};

    fn database() -> (TempDir, PathBuf, AnyConnection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keydesk.db");
        let mut writer = AnyConnection::open(&Database::Sqlite(path.clone()), Use::Write).unwrap();
        writer.batch_execute("CREATE TABLE t (a)").unwrap();
        (folder, path, writer)
    }

    #[test]
    fn every_commit_changes_the_head_and_nothing_else_does() {
        let (_folder, path, mut writer) = database();
        let wal_index = WalIndex::of(&path).unwrap();
        let mut heads = vec![wal_index.head().unwrap()];
        for number in 0..200 {
            writer.batch_execute(&format!("BEGIN IMMEDIATE; INSERT INTO t VALUES ({number})")).unwrap();
            assert_eq!(wal_index.head(), heads.last().copied(), "changed before the commit");
            writer.batch_execute("COMMIT").unwrap();
            if number % 50 == 49 {
                writer.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
            }
            let head = wal_index.head().unwrap();
            assert!(!heads.contains(&head), "commit {number}");
            heads.push(head);
        }
        writer.batch_execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (1); ROLLBACK").unwrap();
        let mut reader = AnyConnection::open(&Database::Sqlite(path), Use::Read).unwrap();
        reader.batch_execute("SELECT count(*) FROM t").unwrap();
        assert_eq!(wal_index.head(), heads.last().copied());
    }

    #[test]
    fn one_file_is_opened_once_and_another_in_its_place_is_another() {
        let (_folder, path, writer) = database();
        let first = WalIndex::of(&path).unwrap();
        assert!(std::ptr::eq(first.0, WalIndex::of(&path).unwrap().0));
        drop(writer);
        assert!(WalIndex::of(&path).is_err(), "the last connection takes the file along");
        let _writer = AnyConnection::open(&Database::Sqlite(path.clone()), Use::Write).unwrap();
        assert!(!std::ptr::eq(first.0, WalIndex::of(&path).unwrap().0));
    }
}
