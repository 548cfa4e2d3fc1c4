//! Tests whether changes can be saved, without making one.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Integer;

use crate::config::Database;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::pool::{Store, checkout};

/// A commit this long ago says as much as an attempt.
const RECENT: Duration = Duration::from_secs(2);

/// More than the pages of a change take.
const SPACE_OF_A_CHANGE: usize = 128 * 1_024;

/// With a cache of one page, the second statement writes the changed page of the first one to the write-ahead log, after
/// its end. The roll-back leaves it there without effect, and the next transaction overwrites it: the log does not grow,
/// no other connection notices, and no disk waits.
const SQLITE_WRITE: &str = "UPDATE installation SET created_at = created_at + 1; SELECT count(*) FROM sqlite_master";

impl Store {
    /// Tries to save a change on the connections of [`write`](Store::write), unless one was saved just now. The result
    /// is in [`write_health`](Store::write_health).
    pub fn probe_write(&self) {
        if !self.write_health().has_committed_within(RECENT) {
            self.write_health().record(|| self.try_write());
        }
    }

    fn try_write(&self) -> Result<(), StoreError> {
        self.connector().files().check()?;
        if let Database::Sqlite(path) = self.connector().database() {
            require_space(path)?;
        }
        checkout(&self.pools().writers, |connection| match connection {
            AnyConnection::Sqlite(_) => write_and_roll_back(connection),
            // One statement, so that a server that is stopped between two keeps no lock. Its commit waits for the disk and
            // for a synchronous standby, which a roll-back does not.
            AnyConnection::Postgres(_) => {
                Ok(connection.batch_execute("UPDATE installation SET created_at = created_at")?)
            }
        })?;
        self.connector().files().check()
    }
}

/// Fails if the disk has no space for a change. The roll-back below needs none after the first time.
fn require_space(database: &Path) -> Result<(), StoreError> {
    // SQLite keeps its log beside the file that a link leads to.
    let file = database.canonicalize().map_err(StoreError::unavailable)?;
    let folder = file.parent().unwrap_or(&file);
    let written = tempfile::tempfile_in(folder).and_then(|mut file| file.write_all(&vec![0; SPACE_OF_A_CHANGE]));
    written.map_err(StoreError::unavailable)
}

#[derive(QueryableByName)]
struct CacheSize {
    #[diesel(sql_type = Integer)]
    cache_size: i32,
}

fn write_and_roll_back(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let cache: CacheSize = diesel::sql_query("PRAGMA cache_size").get_result(connection)?;
    connection.batch_execute("PRAGMA cache_size = 1")?;
    let result = connection.begin(ConnectionPurpose::Write).and_then(|()| {
        let written = connection.batch_execute(SQLITE_WRITE).map_err(StoreError::from);
        let is_rolled_back = connection.roll_back();
        // SQLite itself rolls back after some errors.
        written.and(if is_rolled_back { Ok(()) } else { Err(StoreError::unavailable("a change was not rolled back")) })
    });
    let restored = connection.batch_execute(&format!("PRAGMA cache_size = {}", cache.cache_size));
    result.and(restored.map_err(StoreError::from))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use diesel::sql_types::BigInt;

    use super::*;
    use crate::store::WriteTrouble;

    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = BigInt)]
        data_version: i64,
    }

    fn store(folder: &tempfile::TempDir) -> (Store, Database) {
        let database = Database::Sqlite(folder.path().join("keydesk.db"));
        Store::migrate(&database).unwrap();
        let store = Store::connect(&database).unwrap();
        let insert = "INSERT INTO audit_trails (id, size, frontier, checkpoint) VALUES ('i', 0, x'', ''); \
             INSERT INTO installation (id, created_at, checkpoint_key, pepper_id) VALUES ('i', 7, x'', '')";
        AnyConnection::open(&database, ConnectionPurpose::Write).unwrap().batch_execute(insert).unwrap();
        (store, database)
    }

    #[test]
    fn an_attempt_writes_to_the_log_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (store, database) = store(&folder);
        let mut other = AnyConnection::open(&database, ConnectionPurpose::Read).unwrap();
        let mut version = || {
            let query = diesel::sql_query("PRAGMA data_version").get_result::<Version>(&mut other);
            query.unwrap().data_version
        };
        let log = || fs::read(folder.path().join("keydesk.db-wal")).unwrap();
        let (before, log_before) = (version(), log());
        store.probe_write();
        assert_eq!(store.write_health().trouble(), None);
        assert_ne!(log(), log_before, "nothing was written to the disk");
        assert_eq!(version(), before, "another connection sees a change");
        let size = log().len();
        (0..10).for_each(|_| store.try_write().unwrap());
        assert_eq!(log().len(), size, "the log grows");
    }

    #[test]
    fn a_lock_of_another_program_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (store, database) = store(&folder);
        let mut other = AnyConnection::open(&database, ConnectionPurpose::Write).unwrap();
        other.begin(ConnectionPurpose::Write).unwrap();
        store.probe_write();
        assert_eq!(store.write_health().trouble(), Some(WriteTrouble::Locked));
        other.roll_back();
        store.probe_write();
        assert_eq!(store.write_health().trouble(), None);
    }
}
