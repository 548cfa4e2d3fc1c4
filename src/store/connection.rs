//! One connection type over both databases, how each connection is set up, and how its transactions begin and end.

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::{PgConnection, SqliteConnection};

use super::error::StoreError;
use crate::config::Database;

/// A connection to either database; the queries are the same on both.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// PostgreSQL.
    Postgres(PgConnection),
    /// SQLite.
    Sqlite(SqliteConnection),
}

/// The backend of boxed queries.
pub type AnyBackend = <AnyConnection as Connection>::Backend;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Questions only; on SQLite the connection refuses to write.
    Read,
    /// The same from a thread that serves others: it waits hardly at all for a lock.
    LookUp,
    /// Changes.
    Write,
}

impl AnyConnection {
    /// Opens a connection and sets it up.
    pub fn open(database: &Database, purpose: Use) -> Result<Self, StoreError> {
        let (mut connection, setup) = match database {
            Database::Sqlite(path) => {
                let connection =
                    SqliteConnection::establish(&path.to_string_lossy()).map_err(StoreError::unavailable)?;
                (Self::Sqlite(connection), sqlite_setup(purpose))
            }
            Database::Postgres(url) => {
                let connection = PgConnection::establish(url).map_err(StoreError::unavailable)?;
                (Self::Postgres(connection), postgres_setup(purpose))
            }
        };
        connection.batch_execute(setup)?;
        Ok(connection)
    }

    /// Begins a transaction: for reading, one that sees the database as it was at its first question; for writing, on
    /// SQLite, one that holds the write lock from the start (one that takes it later fails when another came between).
    pub fn begin(&mut self, purpose: Use) -> Result<(), StoreError> {
        let begun = match (self, purpose) {
            (Self::Sqlite(connection), Use::Read | Use::LookUp) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN")
            }
            (Self::Sqlite(connection), Use::Write) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
            }
            (Self::Postgres(connection), Use::Read | Use::LookUp) => AnsiTransactionManager::begin_transaction_sql(
                connection,
                "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
            ),
            (Self::Postgres(connection), Use::Write) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN")
            }
        };
        Ok(begun?)
    }

    /// Commits the transaction; once this has answered, it is durable.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        Ok(match self {
            Self::Sqlite(connection) => AnsiTransactionManager::commit_transaction(connection),
            Self::Postgres(connection) => AnsiTransactionManager::commit_transaction(connection),
        }?)
    }

    /// Takes the transaction back. A connection on which that fails is given up by the pool.
    pub fn roll_back(&mut self) {
        let rolled_back = match self {
            Self::Sqlite(connection) => AnsiTransactionManager::rollback_transaction(connection),
            Self::Postgres(connection) => AnsiTransactionManager::rollback_transaction(connection),
        };
        if let Err(error) = rolled_back {
            tracing::debug!(%error, "a transaction could not be rolled back");
        }
    }

    /// Asks for the beginning of what an index has in order. PostgreSQL expects too little of places and dates together,
    /// and would rather collect all there is and sort it.
    pub fn in_order_of_an_index<T>(
        &mut self,
        ask: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Self::Postgres(_) = self else { return ask(self) };
        self.batch_execute("SET enable_bitmapscan = off;")?;
        let answer = ask(self);
        // In a transaction that has failed, its end takes the settings back.
        let set_back = self.batch_execute("RESET enable_bitmapscan;");
        let answer = answer?;
        set_back?;
        Ok(answer)
    }

    /// Moves SQLite's log of changes into the database file and empties it.
    pub fn empty_change_log(&mut self) -> Result<(), StoreError> {
        Ok(self.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }

    /// Whether it can still be asked, after something has failed. One that cannot is given up by the pool.
    pub fn stands(&mut self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(connection) => connection.batch_execute("SELECT 1").is_ok(),
        }
    }

    fn is_broken(&mut self) -> bool {
        match self {
            Self::Sqlite(connection) => AnsiTransactionManager::is_broken_transaction_manager(connection),
            Self::Postgres(connection) => AnsiTransactionManager::is_broken_transaction_manager(connection),
        }
    }
}

/// `synchronous=FULL`: what was acknowledged survives a power loss. `trusted_schema=OFF`: a schema that was tampered
/// with runs no code of its own. `secure_delete`: what is erased is overwritten, not only given up.
fn sqlite_setup(purpose: Use) -> &'static str {
    match purpose {
        Use::Read => {
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA query_only = ON;"
        }
        Use::LookUp => {
            "PRAGMA busy_timeout = 100; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA query_only = ON;"
        }
        Use::Write => {
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
             PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 33554432;"
        }
    }
}

/// Questions keep their plans, which tests explain: planned anew each time, the list was answered a quarter less often.
///
/// Nobody waits longer than two seconds for a look-up: one that takes longer would only keep the next from beginning. It has
/// one good plan, index by index, which PostgreSQL would otherwise weigh anew each time, at three times the cost.
fn postgres_setup(purpose: Use) -> &'static str {
    match purpose {
        Use::LookUp => {
            "SET statement_timeout = '1900ms'; SET client_min_messages = warning; \
             SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off; SET enable_mergejoin = off; \
             SET enable_bitmapscan = off; SET enable_seqscan = off; SET jit = off;"
        }
        Use::Read => {
            "SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
             SET idle_in_transaction_session_timeout = '30s'; SET client_min_messages = warning; \
             SET plan_cache_mode = force_generic_plan;"
        }
        Use::Write => {
            "SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
             SET idle_in_transaction_session_timeout = '30s'; SET client_min_messages = warning;"
        }
    }
}

/// Opens connections for a pool.
#[derive(Debug)]
pub struct ConnectionManager {
    /// Where the database is.
    pub database: Database,
    /// What the pool's connections are for.
    pub purpose: Use,
}

impl r2d2::ManageConnection for ConnectionManager {
    type Connection = AnyConnection;
    type Error = StoreError;

    fn connect(&self) -> Result<AnyConnection, StoreError> {
        AnyConnection::open(&self.database, self.purpose)
    }

    /// Not asked: whoever takes a connection finds out, see `standing`.
    fn is_valid(&self, _: &mut AnyConnection) -> Result<(), StoreError> {
        Ok(())
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
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
    fn every_connection_to_sqlite_is_durable_strict_and_patient() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("keydesk.db"));
        for purpose in [Use::Write, Use::Read, Use::LookUp] {
            let mut connection = AnyConnection::open(&database, purpose).unwrap();
            let full = 2;
            assert_eq!(pragma(&mut connection, "synchronous"), full);
            assert_eq!(pragma(&mut connection, "foreign_keys"), 1);
            assert_eq!(pragma(&mut connection, "trusted_schema"), 0);
            assert_eq!(pragma(&mut connection, "query_only"), i64::from(purpose != Use::Write));
            assert_eq!(pragma(&mut connection, "busy_timeout"), if purpose == Use::LookUp { 100 } else { 5_000 });
            let wal = "SELECT journal_mode = 'wal' AS value FROM pragma_journal_mode";
            assert_eq!(diesel::sql_query(wal).get_result::<Value>(&mut connection).unwrap().value, 1);
        }
    }

    #[test]
    fn a_connection_for_reading_refuses_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("keydesk.db"));
        AnyConnection::open(&database, Use::Write).unwrap().batch_execute("CREATE TABLE t (a)").unwrap();
        let mut reader = AnyConnection::open(&database, Use::Read).unwrap();
        assert!(reader.batch_execute("INSERT INTO t VALUES (1)").is_err());
    }
}
