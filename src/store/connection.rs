//! One connection type for both databases: its settings and its transactions.

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::Integer;
use diesel::{PgConnection, SqliteConnection};

use crate::config::Database;
use crate::store::error::StoreError;

/// A connection to either database. The queries are the same on both.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// The backend of boxed queries.
pub type AnyBackend = <AnyConnection as Connection>::Backend;

/// The columns of a row type, to be a field of another row type.
pub type Columns<T> = <T as Selectable<AnyBackend>>::SelectExpression;

/// Selects the columns of a row type for a field of another one. `#[diesel(embed)]` does the same for a field that is
/// not converted to another type.
pub fn columns<T: Selectable<AnyBackend>>() -> Columns<T> {
    T::construct_selection()
}

/// What SQLite answers to a checkpoint of its write-ahead log: whether it was kept from it, and the log's frames.
#[derive(QueryableByName)]
struct WalCheckpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
    #[diesel(sql_type = Integer)]
    log: i32,
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

/// The use of a connection, which decides its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionPurpose {
    /// Queries of pages and commands; on SQLite the connection refuses to write.
    Read,
    /// Look-ups of keys and gateways: read-only, with short timeouts, as requests wait for them.
    Lookup,
    Write,
    /// The one snapshot of which a whole database is copied. On SQLite, no other program may use the file meanwhile.
    CopySource,
    /// The one transaction in which an empty database is filled. On SQLite, it is not durable, and references are checked
    /// at its end.
    CopyTarget,
}

impl AnyConnection {
    /// Opens a connection with the settings for its purpose.
    pub fn open(database: &Database, purpose: ConnectionPurpose) -> Result<Self, StoreError> {
        let (mut connection, setup) = match database {
            Database::Sqlite(path) => {
                let connection =
                    SqliteConnection::establish(&path.to_string_lossy()).map_err(StoreError::unavailable)?;
                (Self::Sqlite(connection), sqlite_setup(purpose))
            }
            Database::Postgres(url) => {
                let connection = PgConnection::establish(url)
                    .map_err(|error| StoreError::unavailable(database.without_secrets(&error.to_string())))?;
                (Self::Postgres(connection), postgres_setup(purpose))
            }
        };
        connection.batch_execute(setup)?;
        Ok(connection)
    }

    /// Begins a transaction. A read transaction sees the snapshot of its first query. A write transaction on SQLite
    /// takes the write lock at once: one that takes it later fails if another transaction committed in between.
    pub fn begin(&mut self, purpose: ConnectionPurpose) -> Result<(), StoreError> {
        use ConnectionPurpose as Purpose;
        let result = match (self, purpose) {
            (Self::Sqlite(connection), Purpose::Read | Purpose::Lookup | Purpose::CopySource) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN")
            }
            (Self::Sqlite(connection), Purpose::Write | Purpose::CopyTarget) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
            }
            (Self::Postgres(connection), Purpose::Read | Purpose::Lookup | Purpose::CopySource) => {
                AnsiTransactionManager::begin_transaction_sql(
                    connection,
                    "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
                )
            }
            (Self::Postgres(connection), Purpose::Write | Purpose::CopyTarget) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN")
            }
        };
        Ok(result?)
    }

    /// Commits the transaction, which is durable once this returns `Ok`.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] if the change may have been made.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        let (result, is_remote) = match self {
            Self::Sqlite(connection) => (AnsiTransactionManager::commit_transaction(connection), false),
            Self::Postgres(connection) => (AnsiTransactionManager::commit_transaction(connection), true),
        };
        result.map_err(|error| StoreError::of_commit(error, is_remote))
    }

    /// Rolls the transaction back, and returns whether that succeeded. After a failure the connection may still read the
    /// snapshot of the transaction, so it must be dropped, which a pool does by itself.
    pub fn roll_back(&mut self) -> bool {
        let result = match self {
            Self::Sqlite(connection) => AnsiTransactionManager::rollback_transaction(connection),
            Self::Postgres(connection) => AnsiTransactionManager::rollback_transaction(connection),
        };
        if let Err(error) = &result {
            tracing::debug!(%error, "a transaction could not be rolled back");
        }
        result.is_ok()
    }

    /// Runs queries that read the first rows in the order of an index. PostgreSQL underestimates the rows between two
    /// positions and two dates, and would collect all of them with a bitmap scan and sort.
    ///
    /// The setting is taken back afterwards: the rest of a transaction needs bitmap scans, for its counts and for
    /// [`in_padded`](super::in_padded).
    pub fn with_index_order<T>(
        &mut self,
        queries: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Self::Postgres(_) = self else { return queries(self) };
        self.batch_execute("SET enable_bitmapscan = off;")?;
        let result = queries(self);
        // In a failed transaction, the roll-back resets it.
        let reset = self.batch_execute("RESET enable_bitmapscan;");
        let value = result?;
        reset?;
        Ok(value)
    }

    /// Moves SQLite's write-ahead log into the database file and empties the log. Returns `false` if a reader or a writer
    /// keeps it from that; other writers wait while this waits for them, as long as the connection's timeout allows.
    pub fn truncate_wal(&mut self) -> Result<bool, StoreError> {
        Ok(self.move_wal("TRUNCATE")?.busy == 0)
    }

    /// Moves SQLite's write-ahead log into the database file as far as readers allow, and empties the log if all of it
    /// was moved.
    pub fn checkpoint_wal(&mut self) -> Result<(), StoreError> {
        let moved = self.move_wal("PASSIVE")?;
        if moved.log == moved.checkpointed {
            self.truncate_wal()?;
        }
        Ok(())
    }

    /// Moves SQLite's write-ahead log into the database file as far as readers allow. Writers go on meanwhile.
    pub fn move_wal_behind_writers(&mut self) -> Result<(), StoreError> {
        self.move_wal("PASSIVE").map(drop)
    }

    fn move_wal(&mut self, mode: &str) -> Result<WalCheckpoint, StoreError> {
        Ok(diesel::sql_query(format!("PRAGMA wal_checkpoint({mode})")).get_result(self)?)
    }

    /// Whether the connection still works after a failed statement.
    pub fn is_alive(&mut self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(connection) => connection.batch_execute("SELECT 1").is_ok(),
        }
    }

    /// Whether a reading connection serves on after a failed statement. One to a file is opened again at no cost.
    pub fn is_usable_after_error(&mut self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            // Ends a transaction that the error left open; without one, PostgreSQL only warns.
            Self::Postgres(connection) => connection.batch_execute("ROLLBACK").is_ok(),
        }
    }

    /// Whether a transaction could be neither committed nor rolled back.
    pub fn is_broken(&mut self) -> bool {
        match self {
            Self::Sqlite(connection) => AnsiTransactionManager::is_broken_transaction_manager(connection),
            Self::Postgres(connection) => AnsiTransactionManager::is_broken_transaction_manager(connection),
        }
    }
}

/// `synchronous=FULL`: acknowledged changes survive a power loss. `trusted_schema=OFF`: a schema that was tampered
/// with runs no code of its own. `secure_delete`: erased data is overwritten. `temp_store=MEMORY`: what savepoints may roll
/// back is in memory, so that a change needs no folder for temporary files. `cache_size`: a group's pages stay in memory, up
/// to 16 MiB.
/// `wal_autocheckpoint`: the [`WalCheckpointer`](super::sqlite::wal_checkpointer::WalCheckpointer) moves the log into the
/// database; a commit does it only from 48 MiB on, in case that the thread cannot.
fn sqlite_setup(purpose: ConnectionPurpose) -> &'static str {
    match purpose {
        ConnectionPurpose::Read => {
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA query_only = ON;"
        }
        ConnectionPurpose::Lookup => {
            "PRAGMA busy_timeout = 100; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA query_only = ON;"
        }
        ConnectionPurpose::Write => {
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
             PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 33554432; \
             PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; \
             PRAGMA wal_autocheckpoint = 12000;"
        }
        ConnectionPurpose::CopySource => {
            "PRAGMA busy_timeout = 5000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; \
             PRAGMA query_only = ON;"
        }
        ConnectionPurpose::CopyTarget => {
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; \
             PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; \
             PRAGMA cache_size = -65536;"
        }
    }
}

/// Reads keep generic plans, which the tests of query plans check; with a plan for each execution the list of keys
/// served a quarter fewer requests.
///
/// A commit waits for the log of the server and of its synchronous standby, whatever the server's own setting:
/// acknowledged changes survive a crash.
///
/// Requests wait at most two seconds for a look-up, so a longer one only delays the next. Its plan uses indexes alone;
/// without these settings, PostgreSQL plans each look-up again at three times the cost.
fn postgres_setup(purpose: ConnectionPurpose) -> &'static str {
    match purpose {
        ConnectionPurpose::Lookup => {
            "SET statement_timeout = '1900ms'; SET client_min_messages = warning; \
             SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off; SET enable_mergejoin = off; \
             SET enable_bitmapscan = off; SET enable_seqscan = off; SET jit = off;"
        }
        ConnectionPurpose::Read => {
            "SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
             SET idle_in_transaction_session_timeout = '30s'; SET client_min_messages = warning; \
             SET plan_cache_mode = force_generic_plan;"
        }
        ConnectionPurpose::Write => {
            "SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
             SET idle_in_transaction_session_timeout = '30s'; SET client_min_messages = warning; \
             SELECT set_config('synchronous_commit', 'on', false) \
             WHERE current_setting('synchronous_commit') <> 'remote_apply';"
        }
        ConnectionPurpose::CopySource => {
            "SET statement_timeout = 0; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = 0; \
             SET client_min_messages = warning;"
        }
        ConnectionPurpose::CopyTarget => {
            "SET statement_timeout = 0; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = 0; \
             SET client_min_messages = error; \
             SELECT set_config('synchronous_commit', 'on', false) \
             WHERE current_setting('synchronous_commit') <> 'remote_apply';"
        }
    }
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::BigInt;

    use super::*;

    #[derive(QueryableByName)]
    struct Value {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }

    fn pragma(connection: &mut AnyConnection, name: &str) -> i64 {
        let query = format!(
            "SELECT {column} AS value FROM pragma_{name}",
            column = if name == "busy_timeout" { "timeout" } else { name }
        );
        diesel::sql_query(query).get_result::<Value>(connection).unwrap().value
    }

    #[test]
    fn sqlite_connections_are_durable_strict_and_patient() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("keydesk.db"));
        for purpose in [ConnectionPurpose::Write, ConnectionPurpose::Read, ConnectionPurpose::Lookup] {
            let mut connection = AnyConnection::open(&database, purpose).unwrap();
            let full = 2;
            assert_eq!(pragma(&mut connection, "synchronous"), full);
            assert_eq!(pragma(&mut connection, "foreign_keys"), 1);
            assert_eq!(pragma(&mut connection, "trusted_schema"), 0);
            assert_eq!(pragma(&mut connection, "query_only"), i64::from(purpose != ConnectionPurpose::Write));
            assert_eq!(
                pragma(&mut connection, "busy_timeout"),
                if purpose == ConnectionPurpose::Lookup { 100 } else { 5_000 }
            );
            let wal = "SELECT journal_mode = 'wal' AS value FROM pragma_journal_mode";
            assert_eq!(diesel::sql_query(wal).get_result::<Value>(&mut connection).unwrap().value, 1);
        }
    }

    #[test]
    fn a_read_connection_refuses_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("keydesk.db"));
        AnyConnection::open(&database, ConnectionPurpose::Write).unwrap().batch_execute("CREATE TABLE t (a)").unwrap();
        let mut reader = AnyConnection::open(&database, ConnectionPurpose::Read).unwrap();
        assert!(reader.batch_execute("INSERT INTO t VALUES (1)").is_err());
    }
}
