//! The store: pools of connections that read and write, and its transactions.

use std::fs;
use std::path::Path;
use std::time::Duration;

use prometheus_client::registry::Registry;
use r2d2::{NopErrorHandler, Pool, PooledConnection};

use crate::config::{Database, sqlite_companions};
use crate::store::connection::{AnyConnection, ConnectionManager, ConnectionPurpose};
use crate::store::db::{Db, WriteDb};
use crate::store::error::StoreError;
use crate::store::file_watch::FileWatch;
use crate::store::metrics::{ConnectionCounts, StoreMetrics};
use crate::store::verification::{ReadLocation, ThreadReader};

const READERS: u32 = 8;
const POSTGRES_WRITERS: u32 = 8;
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(2);

/// The database, with connections that read and connections that write. SQLite has a single writer: sixteen threads
/// that wait for one connection have a far shorter tail latency than sixteen that contend for the lock on the file.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    readers: Pool<ConnectionManager>,
    writers: Pool<ConnectionManager>,
    files: FileWatch,
    metrics: StoreMetrics,
}

impl Store {
    /// Connects to a database whose schema is up to date, see [`Store::migrate`].
    pub fn connect(database: &Database) -> Result<Self, StoreError> {
        let writers = match database {
            Database::Sqlite(_) => 1,
            Database::Postgres(_) => POSTGRES_WRITERS,
        };
        let files = FileWatch::default();
        if let Database::Sqlite(path) = database {
            files.add_open(path)?;
        }
        let pool = |purpose, size| {
            // Connections stay open: on a full disk a new one cannot be opened, and reads must go on.
            Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .test_on_check_out(false)
                .idle_timeout(None)
                .max_lifetime(None)
                .connection_timeout(CHECKOUT_TIMEOUT)
                .error_handler(Box::new(NopErrorHandler))
                .build(ConnectionManager { database: database.clone(), purpose, files: files.clone() })
                .map_err(StoreError::unavailable)
        };
        let writers = pool(ConnectionPurpose::Write, writers)?;
        let readers = pool(ConnectionPurpose::Read, READERS)?;
        if let Database::Sqlite(path) = database {
            // They exist as long as a connection is open, beside the file that a link leads to.
            let path = path.canonicalize().map_err(StoreError::unavailable)?;
            for file in sqlite_companions(&path) {
                files.add_open_if_present(&file)?;
            }
        }
        Ok(Self { database: database.clone(), readers, writers, files, metrics: StoreMetrics::default() })
    }

    /// Also watches that this file of the installation exists.
    pub fn watch_file(&self, path: &Path) {
        self.files.add(path);
    }

    /// Looks whether the installation's files are still those that were opened. Until the next call, reads and writes
    /// fail if one was deleted or replaced.
    pub fn check_files(&self) -> Result<(), StoreError> {
        self.files.check()
    }

    /// Runs queries in one read transaction: all of them see the same snapshot.
    ///
    /// # Errors
    /// The error of `queries`, or a [`StoreError`] if the transaction cannot begin.
    pub fn read<T, E: From<StoreError>>(&self, queries: impl FnOnce(&mut Db<'_>) -> Result<T, E>) -> Result<T, E> {
        let _timer = self.metrics.time_read();
        self.files.ensure_present()?;
        let (mut connection, ()) = checkout(&self.readers, |connection| connection.begin(ConnectionPurpose::Read))?;
        let result = queries(&mut Db::new(&mut connection));
        connection.roll_back();
        result
    }

    /// Runs one query outside a transaction, which saves the round trips of a transaction. It may run again on another
    /// connection if the first one was cut.
    pub fn query<T>(&self, mut query: impl FnMut(&mut Db<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _timer = self.metrics.time_read();
        self.files.ensure_present()?;
        let (_, result) = checkout(&self.readers, |connection| query(&mut Db::new(connection)))?;
        Ok(result)
    }

    /// Returns a reader for one thread, and where its reads take place. On PostgreSQL the thread waits for the
    /// server, so it should serve nothing else; on SQLite a hop to another thread costs more than the read.
    #[must_use]
    pub fn thread_reader(&self) -> (ThreadReader, ReadLocation) {
        let location = match &self.database {
            Database::Sqlite(_) => ReadLocation::InProcess,
            Database::Postgres(_) => ReadLocation::Remote,
        };
        (ThreadReader::new(self.database.clone(), self.files.clone(), self.metrics.clone()), location)
    }

    /// Runs changes in one transaction, all or nothing. They are durable once this returns `Ok`.
    ///
    /// # Errors
    /// The error of `changes`, or a [`StoreError`] if the transaction cannot begin or commit. Nothing is changed then.
    pub fn write<T, E: From<StoreError>>(
        &self,
        changes: impl FnOnce(&mut WriteDb<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _timer = self.metrics.time_write();
        let (mut connection, ()) = checkout(&self.writers, |connection| connection.begin(ConnectionPurpose::Write))?;
        // A commit into a deleted file would be acknowledged and lost.
        let result = changes(&mut WriteDb::new(&mut connection)).and_then(|value| {
            self.files.check()?;
            connection.commit()?;
            self.files.check()?;
            Ok(value)
        });
        if result.is_err() {
            connection.roll_back();
        }
        result
    }

    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        self.metrics.register(registry);
    }

    /// Counts the connections for reading and writing.
    #[must_use]
    pub fn connections(&self) -> ConnectionCounts {
        let pools = [&self.readers, &self.writers];
        let max: u32 = pools.iter().map(|pool| pool.max_size()).sum();
        let states = pools.map(Pool::state);
        let (open, idle): (u32, u32) =
            states.iter().fold((0, 0), |(open, idle), state| (open + state.connections, idle + state.idle_connections));
        ConnectionCounts { in_use: open.saturating_sub(idle), idle, unopened: max.saturating_sub(open) }
    }

    /// Whether the database is SQLite's.
    #[must_use]
    pub const fn is_sqlite(&self) -> bool {
        matches!(self.database, Database::Sqlite(_))
    }

    /// The size of SQLite's write-ahead log; `None` on PostgreSQL.
    #[must_use]
    pub fn wal_bytes(&self) -> Option<u64> {
        let Database::Sqlite(path) = &self.database else { return None };
        let path = path.canonicalize().ok()?;
        let [wal, _] = sqlite_companions(&path);
        Some(fs::metadata(wal).map_or(0, |metadata| metadata.len()))
    }

    /// Moves SQLite's write-ahead log into the database file as far as readers allow, and empties the log if all of it
    /// was moved. Delays other writes by a tenth of a second at most.
    pub fn checkpoint_wal(&self) -> Result<(), StoreError> {
        let Database::Sqlite(_) = &self.database else { return Ok(()) };
        // The connections of the pool would wait for readers, while they keep others from writing.
        let purpose = ConnectionPurpose::Lookup;
        self.files.open(|| AnyConnection::open(&self.database, purpose))?.checkpoint_wal()
    }

    /// Empties SQLite's write-ahead log, which otherwise keeps erased data for a while. A reader that still uses the
    /// log delays that until the next call. PostgreSQL's log is left to its operator.
    pub fn truncate_wal(&self) {
        if let Database::Sqlite(_) = &self.database
            && let Err(error) = checkout(&self.writers, AnyConnection::truncate_wal)
        {
            tracing::warn!(%error, "the write-ahead log could not be emptied");
        }
    }
}

/// Takes a connection from the pool and runs a first statement on it. A connection that was cut while it was idle fails
/// then, and the next one is tried: a ping before each use would cost every request a round trip.
fn checkout<T>(
    pool: &Pool<ConnectionManager>,
    mut first: impl FnMut(&mut AnyConnection) -> Result<T, StoreError>,
) -> Result<(PooledConnection<ConnectionManager>, T), StoreError> {
    let mut retries = pool.max_size();
    loop {
        let mut connection = pool.get().map_err(StoreError::unavailable)?;
        match first(&mut connection) {
            Ok(value) => return Ok((connection, value)),
            Err(_) if retries > 0 && !connection.is_alive() => retries -= 1,
            Err(error) => return Err(error),
        }
    }
}
