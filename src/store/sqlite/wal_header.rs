//! The header of SQLite's wal-index, which all connections to a database share. A commit changes it before the commit
//! is acknowledged, so an unchanged header proves with one short read that nothing was committed.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::config::sqlite_companions;
use crate::store::error::StoreError;

/// The size of the header, of which the file begins with two copies (<https://www.sqlite.org/walformat.html>, section
/// 2.1): the number of changes, the number of frames in the log, their checksum and the salt of the log.
const HEADER_BYTES: usize = 48;
/// The format version, the first four bytes in native byte order.
const VERSION: u32 = 3_007_000;

pub(in crate::store) type WalHeader = [u8; HEADER_BYTES];

/// Returns the number of frames in the log, each of which is a page.
pub(in crate::store) fn frames(header: &WalHeader) -> u32 {
    u32::from_ne_bytes([header[16], header[17], header[18], header[19]])
}

/// Every wal-index that this process has opened, each once. They are never closed: closing a file releases all locks
/// of the process on it, those of SQLite included (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
static OPENED: Mutex<Vec<WalIndex>> = Mutex::new(Vec::new());

#[derive(QueryableByName)]
struct DatabaseFile {
    #[diesel(sql_type = Text)]
    file: String,
}

/// The wal-index of a database, opened for reading.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct WalIndex(&'static File);

impl WalIndex {
    /// Opens the wal-index that a connection uses. The connection has read the database before. The file stays the
    /// right one while the connection is open: SQLite replaces it only when all connections are closed.
    ///
    /// SQLite follows symbolic links to the database and keeps the wal-index beside the file they lead to. The file is
    /// accepted only if this process has mapped it.
    pub(in crate::store) fn of(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let database: DatabaseFile =
            diesel::sql_query("SELECT file FROM pragma_database_list WHERE name = 'main'").get_result(connection)?;
        let [_, path] = sqlite_companions(Path::new(&database.file));
        let metadata = fs::metadata(&path).map_err(StoreError::unavailable)?;
        if !is_mapped(&path, metadata.ino())? {
            return Err(StoreError::unavailable(format!("{} is not in use", path.display())));
        }
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        let identity_at_path = identity(&metadata);
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

/// Whether this process has mapped a file with this path and inode (proc_pid_maps(5)).
fn is_mapped(path: &Path, inode: u64) -> Result<bool, StoreError> {
    let maps = fs::read("/proc/self/maps").map_err(StoreError::unavailable)?;
    // Address, permissions, offset, device, inode and path; line feeds in a path are written as \012.
    let path = path.to_string_lossy().replace('\n', "\\012");
    Ok(String::from_utf8_lossy(&maps).lines().any(|line| {
        let mut fields = line.splitn(6, ' ');
        let has_inode = fields.nth(4).and_then(|text| text.parse().ok()) == Some(inode);
        has_inode && fields.next().is_some_and(|mapped| mapped.trim_start() == path)
    }))
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

    fn sqlite(connection: &mut AnyConnection) -> &mut SqliteConnection {
        match connection {
            AnyConnection::Sqlite(sqlite) => sqlite,
            AnyConnection::Postgres(_) => unreachable!("the tests use SQLite"),
        }
    }

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
        let wal_index = WalIndex::of(sqlite(&mut writer)).unwrap();
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
        let (_folder, path, mut writer) = database();
        let first = WalIndex::of(sqlite(&mut writer)).unwrap();
        assert!(std::ptr::eq(first.0, WalIndex::of(sqlite(&mut writer)).unwrap().0));
        drop(writer);
        // The last connection deletes the file.
        let mut writer = AnyConnection::open(&Database::Sqlite(path), ConnectionPurpose::Write).unwrap();
        writer.batch_execute("SELECT count(*) FROM t").unwrap();
        assert!(!std::ptr::eq(first.0, WalIndex::of(sqlite(&mut writer)).unwrap().0));
    }

    #[test]
    fn a_linked_database_has_its_wal_index_beside_the_target() {
        let (folder, path, mut writer) = database();
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        // Left over beside the link.
        let left_over = folder.path().join("link.db-shm");
        fs::copy(folder.path().join("keydesk.db-shm"), &left_over).unwrap();
        let mut linked = AnyConnection::open(&Database::Sqlite(link), ConnectionPurpose::Read).unwrap();
        linked.batch_execute("SELECT count(*) FROM t").unwrap();
        let wal_index = WalIndex::of(sqlite(&mut linked)).unwrap();
        let before = wal_index.header();
        writer.batch_execute("INSERT INTO t VALUES (1)").unwrap();
        assert_ne!(wal_index.header(), before);
    }

    #[test]
    fn only_a_mapped_file_is_accepted() {
        let (folder, path, _writer) = database();
        let wal_index = folder.path().join("keydesk.db-shm");
        let inode = fs::metadata(&wal_index).unwrap().ino();
        assert!(is_mapped(&wal_index, inode).unwrap());
        assert!(!is_mapped(&wal_index, inode + 1).unwrap());
        assert!(!is_mapped(&folder.path().join("link.db-shm"), inode).unwrap());
        assert!(!is_mapped(&path, fs::metadata(&path).unwrap().ino()).unwrap());
    }
}
