//! Prepares a store to serve: opens the connections of look-ups, and checks that PostgreSQL allows those that pages need.

use std::thread;

use crate::config::Database;
use crate::store::connection::AnyConnection;
use crate::store::error::StoreError;
use crate::store::inspect::{ConnectionLimits, TooFewConnections};
use crate::store::pool::{POSTGRES_WRITERS, READERS, Store, checkout};

/// For beats, for observing the primary, and for comparing the trails with what is remembered of them.
const BACKGROUND_CONNECTIONS: u32 = 3;

/// Why a store cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("{0}")]
    TooFewConnections(TooFewConnections),
    #[error(
        "{error}. One Keydesk server needs {needed} connections to PostgreSQL: check the CONNECTION LIMIT of its role and max_connections."
    )]
    NoConnection { error: StoreError, needed: u32 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Returns how many connections to PostgreSQL one server with this many threads for look-ups opens at most.
    #[must_use]
    pub fn connections_needed(lookup_threads: usize) -> u32 {
        READERS + POSTGRES_WRITERS + BACKGROUND_CONNECTIONS + u32::try_from(lookup_threads).unwrap_or(u32::MAX)
    }

    /// Opens a connection for each of `workers` threads that look up keys, before pages can take it.
    ///
    /// # Errors
    /// [`ServeError`]: PostgreSQL allows too few connections, or the database cannot be reached.
    pub fn prepare_to_serve(&self, workers: usize) -> Result<(), ServeError> {
        let needed = Self::connections_needed(workers);
        let readers = match self.connector().database() {
            // On SQLite, each worker has a second reader, for pages.
            Database::Sqlite(_) => workers * 2,
            Database::Postgres(_) => {
                self.check_postgres(needed)?;
                workers
            }
        };
        let opened: Vec<_> = thread::scope(|scope| {
            let opening: Vec<_> = (0..readers).map(|_| scope.spawn(|| self.open_reader())).collect();
            opening.into_iter().map(|thread| thread.join()).collect()
        });
        for reader in opened {
            let reader = reader.unwrap_or_else(|_| Err(StoreError::unexpected("opening a connection panicked")));
            self.keep_reader(reader.map_err(|error| match self.connector().database() {
                Database::Sqlite(_) => ServeError::Store(error),
                Database::Postgres(_) => ServeError::NoConnection { error, needed },
            })?);
        }
        Ok(())
    }

    /// Fails if PostgreSQL allows too few connections for one server with this many threads for look-ups.
    ///
    /// # Errors
    /// [`ServeError`], see [`prepare_to_serve`](Self::prepare_to_serve).
    pub fn check_connections(&self, workers: usize) -> Result<(), ServeError> {
        if self.is_remote() { self.check_postgres(Self::connections_needed(workers)) } else { Ok(()) }
    }

    fn check_postgres(&self, needed: u32) -> Result<(), ServeError> {
        let (_, limits) = checkout(&self.pools().readers, |connection| match connection {
            AnyConnection::Postgres(postgres) => ConnectionLimits::of(postgres),
            AnyConnection::Sqlite(_) => Err(StoreError::unexpected("a connection to SQLite")),
        })?;
        limits.allow(needed).map_err(ServeError::TooFewConnections)?;
        if limits.commits_asynchronously() {
            tracing::warn!(
                "synchronous_commit is off in PostgreSQL; the connections of Keydesk set it to on, those of other programs lose changes in a crash"
            );
        }
        Ok(())
    }
}
