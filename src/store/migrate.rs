//! Migrations: they bring the schema up to date, and refuse a database that a newer version migrated.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::config::Database;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::db::Db;
use crate::store::error::StoreError;
use crate::store::name_keys;
use crate::store::pool::Store;

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
    /// The database lacks migrations of this version.
    #[error("The database has the schema of an older version of Keydesk. Start the server, or run: keydesk migrate")]
    Older,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("The database could not be brought up to date: {0}")]
    Failed(String),
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

impl Store {
    /// Whether the database holds Keydesk's tables. A SQLite file need not exist.
    pub fn is_initialized(database: &Database) -> Result<bool, StoreError> {
        if let Database::Sqlite(path) = database
            && !path.exists()
        {
            return Ok(false);
        }
        let mut connection = AnyConnection::open(database, ConnectionPurpose::Read)?;
        let tables = match &connection {
            AnyConnection::Sqlite(_) => "SELECT count(*) AS count FROM sqlite_master WHERE name = 'installation'",
            AnyConnection::Postgres(_) => {
                "SELECT count(*) AS count FROM pg_class WHERE relname = 'installation' AND pg_table_is_visible(oid)"
            }
        };
        Ok(diesel::sql_query(tables).get_result::<Count>(&mut connection)?.count > 0)
    }

    /// Runs the pending migrations and brings what depends on the version of the program up to date. On PostgreSQL one
    /// server at a time does so.
    pub fn migrate(database: &Database) -> Result<(), MigrationError> {
        if let Database::Sqlite(path) = database {
            // SQLite gives its other files the mode of this one.
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
            file.map_err(StoreError::unavailable)?;
        }
        let mut connection = AnyConnection::open(database, ConnectionPurpose::Write)?;
        match &mut connection {
            AnyConnection::Sqlite(connection) => apply(connection, SQLITE)?,
            AnyConnection::Postgres(connection) => {
                let lock = format!(
                    "SET lock_timeout = 0; SET statement_timeout = 0; SELECT pg_advisory_lock({MIGRATION_LOCK})"
                );
                connection.batch_execute(&lock).map_err(StoreError::from)?;
                apply(connection, POSTGRES)?;
            }
        }
        Ok(name_keys::refresh(&mut connection)?)
    }
}

impl Store {
    /// Checks that the schema is that of this version, and changes nothing.
    ///
    /// # Errors
    /// [`MigrationError::Older`] or [`MigrationError::Newer`] if it is not.
    pub fn check_schema(&self) -> Result<(), MigrationError> {
        let (known, applied) = self.query(|db| Ok((db.known_versions()?, db.applied_versions()?)))?;
        if let Some(newer) = applied.iter().find(|applied| !known.contains(applied)) {
            return Err(MigrationError::Newer(newer.clone()));
        }
        if known.iter().all(|known| applied.contains(known)) { Ok(()) } else { Err(MigrationError::Older) }
    }
}

impl Db<'_> {
    /// Whether all migrations of this version of Keydesk have run.
    pub fn is_up_to_date(&mut self) -> Result<bool, StoreError> {
        let (known, applied) = (self.known_versions()?, self.applied_versions()?);
        Ok(known.iter().all(|known| applied.contains(known)))
    }

    fn known_versions(&self) -> Result<Vec<String>, StoreError> {
        let known = match self.connection {
            AnyConnection::Sqlite(_) => versions::<diesel::sqlite::Sqlite>(&SQLITE),
            AnyConnection::Postgres(_) => versions::<diesel::pg::Pg>(&POSTGRES),
        };
        known.map_err(StoreError::unexpected)
    }

    fn applied_versions(&mut self) -> Result<Vec<String>, StoreError> {
        let applied: Vec<Applied> =
            diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(self.connection)?;
        Ok(applied.into_iter().map(|applied| applied.version).collect())
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
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| MigrationError::Failed(error.to_string());
    let known = versions::<DB>(&migrations).map_err(failed)?;
    let applied = connection.applied_migrations().map_err(failed)?;
    if let Some(newer) = applied.iter().map(ToString::to_string).find(|applied| !known.contains(applied)) {
        return Err(MigrationError::Newer(newer));
    }
    connection.run_pending_migrations(migrations).map_err(failed)?;
    Ok(())
}
