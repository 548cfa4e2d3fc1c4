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
    /// Changes.
    Write,
}

impl AnyConnection {
    /// Opens a connection and sets it up.
    pub fn open(database: &Database, purpose: Use) -> Result<Self, StoreError> {
        let unavailable = |error: ConnectionError| StoreError::Unavailable(error.to_string());
        let (mut connection, setup) = match database {
            Database::Sqlite(path) => {
                let connection = SqliteConnection::establish(&path.to_string_lossy()).map_err(unavailable)?;
                (Self::Sqlite(connection), sqlite_setup(purpose))
            }
            Database::Postgres(url) => {
                let connection = PgConnection::establish(url).map_err(unavailable)?;
                (Self::Postgres(connection), POSTGRES_SETUP)
            }
        };
        connection.batch_execute(setup)?;
        Ok(connection)
    }

    /// Begins a transaction: for reading, one that sees the database as it was at its first question; for writing, on
    /// SQLite, one that holds the write lock from the start (one that takes it later fails when another came between).
    pub fn begin(&mut self, purpose: Use) -> Result<(), StoreError> {
        let begun = match (self, purpose) {
            (Self::Sqlite(connection), Use::Read) => AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN"),
            (Self::Sqlite(connection), Use::Write) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
            }
            (Self::Postgres(connection), Use::Read) => AnsiTransactionManager::begin_transaction_sql(
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

    fn is_broken(&mut self) -> bool {
        match self {
            Self::Sqlite(connection) => AnsiTransactionManager::is_broken_transaction_manager(connection),
            Self::Postgres(connection) => AnsiTransactionManager::is_broken_transaction_manager(connection),
        }
    }
}

/// `synchronous=FULL`: what was acknowledged survives a power loss. `trusted_schema=OFF`: a schema that was tampered
/// with runs no code of its own.
fn sqlite_setup(purpose: Use) -> &'static str {
    match purpose {
        Use::Read => {
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA query_only = ON;"
        }
        Use::Write => {
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
        }
    }
}

const POSTGRES_SETUP: &str = "SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
     SET idle_in_transaction_session_timeout = '30s'; SET client_min_messages = warning;";

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

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        match connection {
            AnyConnection::Sqlite(_) => Ok(()),
            AnyConnection::Postgres(connection) => Ok(connection.batch_execute("SELECT 1")?),
        }
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}
