//! The header of SQLite's wal-index, which all connections to a database share. A commit changes it before the commit
//! is acknowledged, so an unchanged header proves with one short read that nothing was committed.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::store::error::StoreError;

/// The size of the header, of which the file begins with two copies (<https://www.sqlite.org/walformat.html>, section
/// 2.1): the number of changes, the number of frames in the log, their checksum and the salt of the log.
const HEADER_BYTES: usize = 48;
/// The format version, the first four bytes in native byte order.
const VERSION: u32 = 3_007_000;

pub(in crate::store) type WalHeader = [u8; HEADER_BYTES];

/// Every wal-index that this process has opened, each once. They are never closed: closing a file releases all locks
/// of the process on it, those of SQLite included (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
static OPENED: Mutex<Vec<WalIndex>> = Mutex::new(Vec::new());

/// The wal-index of a database, opened for reading.
#[derive(Clone, Copy)]
pub(in crate::store) struct WalIndex(&'static File);

impl WalIndex {
    /// Opens the wal-index of a database. It stays the right one while a connection is open that read the database
    /// before this call: SQLite replaces the file only when all connections are closed.
    pub(in crate::store) fn of(database: &Path) -> Result<Self, StoreError> {
        let mut path = database.as_os_str().to_owned();
        path.push("-shm");
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        let identity_at_path = identity(&fs::metadata(&path).map_err(StoreError::unavailable)?);
        for known in &*opened {
            if identity(&known.0.metadata().map_err(StoreError::unavailable)?) == identity_at_path {
                return Ok(*known);
            }
        }
        let file = File::open(&path).map_err(StoreError::unavailable)?;
        let new = Self(Box::leak(Box::new(file)));
        opened.push(new);
        Ok(new)
    }

    /// Reads the header; `None` while a commit is being written into it, or if it cannot be read.
    pub(in crate::store) fn header(self) -> Option<WalHeader> {
        let mut copies = [[0; HEADER_BYTES]; 2];
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
    use crate::store::connection::{AnyConnection, ConnectionPurpose};

    fn database() -> (TempDir, PathBuf, AnyConnection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keydesk.db");
        let mut writer = AnyConnection::open(&Database::Sqlite(path.clone()), ConnectionPurpose::Write).unwrap();
        writer.batch_execute("CREATE TABLE t (a)").unwrap();
        (folder, path, writer)
    }

    #[test]
    fn only_a_commit_changes_the_header() {
        let (_folder, path, mut writer) = database();
        let wal_index = WalIndex::of(&path).unwrap();
        let mut headers = vec![wal_index.header().unwrap()];
        for number in 0..200 {
            writer.batch_execute(&format!("BEGIN IMMEDIATE; INSERT INTO t VALUES ({number})")).unwrap();
            assert_eq!(wal_index.header(), headers.last().copied(), "changed before the commit");
            writer.batch_execute("COMMIT").unwrap();
            if number % 50 == 49 {
                writer.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
            }
            let header = wal_index.header().unwrap();
            assert!(!headers.contains(&header), "commit {number}");
            headers.push(header);
        }
        writer.batch_execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (1); ROLLBACK").unwrap();
        let mut reader = AnyConnection::open(&Database::Sqlite(path), ConnectionPurpose::Read).unwrap();
        reader.batch_execute("SELECT count(*) FROM t").unwrap();
        assert_eq!(wal_index.header(), headers.last().copied());
    }

    #[test]
    fn each_file_is_opened_once() {
        let (_folder, path, writer) = database();
        let first = WalIndex::of(&path).unwrap();
        assert!(std::ptr::eq(first.0, WalIndex::of(&path).unwrap().0));
        drop(writer);
        assert!(WalIndex::of(&path).is_err(), "the last connection deletes the file");
        let _writer = AnyConnection::open(&Database::Sqlite(path.clone()), ConnectionPurpose::Write).unwrap();
        assert!(!std::ptr::eq(first.0, WalIndex::of(&path).unwrap().0));
    }
}
