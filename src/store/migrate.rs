//! Migrations: they bring the schema up to date, and refuse a database that a newer version migrated.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::config::Database;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::db::Db;
use crate::store::error::StoreError;
use crate::store::name_keys;
use crate::store::pool::Store;
use crate::store::waiting::{Attempt, wait_for};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// An arbitrary number: the advisory lock that a server holds while it migrates.
const MIGRATION_LOCK: i64 = 0x006b_6579_6465_736b;

/// Why a database cannot be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A newer version migrated the database.
    #[error("The database was made by a newer version of Keydesk (it knows the migration {0}). Start that version.")]
    Newer(String),
    /// Migrations are pending, and this program may not run them.
    #[error(
        "The database has the schema of an older version of Keydesk. Run: keydesk migrate, with a --database-url of the role that owns the tables."
    )]
    Pending,
    /// Another program has held the lock for a minute.
    #[error(
        "Another server has been migrating the database for a minute. Wait until it is done, or end the session in PostgreSQL that holds its advisory lock."
    )]
    Locked,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "The database could not be brought up to date: {0}. If its role may not change tables, run keydesk migrate as the role that owns them, and start the server with --migrate never."
    )]
    Failed(String),
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct IsLocked {
    #[diesel(sql_type = Bool)]
    is_locked: bool,
}

/// How the schema of a database compares with this version of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    Missing,
    /// Migrations or new sort keys of names are pending.
    Outdated,
    Current,
    /// A newer version of the program ran this migration.
    Newer(String),
}

impl Schema {
    /// Fails unless the schema is current.
    ///
    /// # Errors
    /// [`MigrationError`]: it is missing, older or newer.
    pub fn require_current(self) -> Result<(), MigrationError> {
        match self {
            Self::Current => Ok(()),
            Self::Missing | Self::Outdated => Err(MigrationError::Pending),
            Self::Newer(version) => Err(MigrationError::Newer(version)),
        }
    }
}

/// Compares the schema with this version of the program, without a change.
pub(super) fn schema_of(connection: &mut AnyConnection) -> Result<Schema, StoreError> {
    let table = "SELECT relname AS version FROM pg_class WHERE relname = '__diesel_schema_migrations' AND pg_table_is_visible(oid)";
    let table = match connection {
        AnyConnection::Sqlite(_) => &table
            .replace("relname", "name")
            .replace("pg_class", "sqlite_master")
            .replace(" AND pg_table_is_visible(oid)", ""),
        AnyConnection::Postgres(_) => table,
    };
    if diesel::sql_query(table).load::<Applied>(connection)?.is_empty() {
        return Ok(Schema::Missing);
    }
    let known = known_versions(connection)?;
    let applied = applied_versions(connection)?;
    if let Some(newer) = applied.iter().find(|applied| !known.contains(applied)) {
        return Ok(Schema::Newer(newer.clone()));
    }
    let is_current = known.iter().all(|known| applied.contains(known)) && name_keys::are_current(connection)?;
    Ok(if is_current { Schema::Current } else { Schema::Outdated })
}

pub(super) fn known_versions(connection: &AnyConnection) -> Result<Vec<String>, StoreError> {
    let known = match connection {
        AnyConnection::Sqlite(_) => versions::<diesel::sqlite::Sqlite>(&SQLITE),
        AnyConnection::Postgres(_) => versions::<diesel::pg::Pg>(&POSTGRES),
    };
    known.map_err(StoreError::unexpected)
}

pub(super) fn applied_versions(connection: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
    let applied: Vec<Applied> = diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(connection)?;
    Ok(applied.into_iter().map(|applied| applied.version).collect())
}

/// Returns the last migration that ran.
pub(super) fn last_migration(connection: &mut AnyConnection) -> Result<String, StoreError> {
    Ok(applied_versions(connection)?.into_iter().max().unwrap_or_default())
}

impl Store {
    /// Runs the pending migrations and brings what depends on the version of the program up to date. On PostgreSQL one
    /// server at a time does so, and others wait for it for a minute.
    pub fn migrate(database: &Database) -> Result<(), MigrationError> {
        if let Database::Sqlite(path) = database {
            // SQLite gives its other files the mode of this one.
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
            file.map_err(StoreError::unavailable)?;
        }
        let mut connection = connect(database)?;
        match &mut connection {
            AnyConnection::Sqlite(connection) => apply(connection, SQLITE)?,
            AnyConnection::Postgres(connection) => {
                lock(connection)?;
                apply(connection, POSTGRES)?;
            }
        }
        Ok(name_keys::refresh(&mut connection)?)
    }
}

/// Connects for a migration. What it sorts for an index is in memory: a container may have no folder for temporary files.
fn connect(database: &Database) -> Result<AnyConnection, StoreError> {
    let mut connection = AnyConnection::open(database, ConnectionPurpose::Write)?;
    if let AnyConnection::Sqlite(sqlite) = &mut connection {
        sqlite.batch_execute("PRAGMA temp_store = MEMORY")?;
    }
    Ok(connection)
}

/// Creates all tables in a new SQLite database.
pub(super) fn apply_to_new_sqlite(connection: &mut SqliteConnection) -> Result<(), MigrationError> {
    apply(connection, SQLITE)
}

/// Takes the advisory lock, which the end of the connection releases.
fn lock(connection: &mut PgConnection) -> Result<(), MigrationError> {
    let timeouts = "SET lock_timeout = 0; SET statement_timeout = 0";
    connection.batch_execute(timeouts).map_err(StoreError::from)?;
    let query = format!("SELECT pg_try_advisory_lock({MIGRATION_LOCK}) AS is_locked");
    wait_for("the migration by another server", || match diesel::sql_query(&query).get_result::<IsLocked>(connection) {
        Ok(IsLocked { is_locked: true }) => Attempt::Done(Ok(())),
        Ok(_) => Attempt::NotYet("it holds the lock"),
        Err(error) => Attempt::Done(Err(StoreError::from(error).into())),
    })
    .map_err(|_| MigrationError::Locked)?
}

impl Db<'_> {
    /// Whether all migrations of this version of Keydesk have run.
    pub fn is_up_to_date(&mut self) -> Result<bool, StoreError> {
        let known = known_versions(self.connection)?;
        let applied = applied_versions(self.connection)?;
        Ok(known.iter().all(|known| applied.contains(known)))
    }

    /// Returns the last migration that ran.
    pub fn schema_version(&mut self) -> Result<String, StoreError> {
        Ok(applied_versions(self.connection)?.into_iter().max().unwrap_or_default())
    }
}

/// The versions of the embedded migrations.
fn versions<DB: diesel::backend::Backend>(
    migrations: &EmbeddedMigrations,
) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    let migrations = MigrationSource::<DB>::migrations(migrations)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn apply<DB: diesel::backend::Backend>(
    connection: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
) -> Result<(), MigrationError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        MigrationError::Failed(StoreError::one_line(&error.to_string()))
    };
    let known = versions::<DB>(&migrations).map_err(failed)?;
    let applied = connection.applied_migrations().map_err(failed)?;
    if let Some(newer) = applied.iter().map(ToString::to_string).find(|applied| !known.contains(applied)) {
        return Err(MigrationError::Newer(newer));
    }
    let is_new = applied.is_empty();
    for migration in connection.pending_migrations(migrations).map_err(failed)? {
        let started = Instant::now();
        connection.run_migration(&migration).map_err(failed)?;
        log_migration(&migration.name().to_string(), started, is_new);
    }
    Ok(())
}

/// The log names migrations of existing data. Those that create a database are details.
fn log_migration(migration: &str, started: Instant, is_new: bool) {
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if is_new {
        tracing::debug!(migration, milliseconds, "migration applied");
    } else {
        tracing::info!(migration, milliseconds, "migration applied");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(QueryableByName)]
    struct TempStore {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        temp_store: i32,
    }

    #[test]
    fn a_migration_needs_no_temporary_files() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("keydesk.db"));
        let mut connection = connect(&database).unwrap();
        let found: TempStore = diesel::sql_query("PRAGMA temp_store").get_result(&mut connection).unwrap();
        assert_eq!(found.temp_store, 2, "in memory");
    }
}
