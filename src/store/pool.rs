//! The store: pools of connections that read and write, and its transactions.

use std::path::Path;
use std::time::Duration;

use r2d2::{NopErrorHandler, Pool, PooledConnection};

use crate::config::{Database, sqlite_companions};
use crate::store::connection::{AnyConnection, ConnectionManager, ConnectionPurpose};
use crate::store::db::{Db, WriteDb};
use crate::store::error::StoreError;
use crate::store::file_watch::FileWatch;
use crate::store::verification::{OpenReader, OpenReaders, ReadLocation, ThreadReader};
use crate::store::write_health::WriteHealth;

pub(super) const READERS: u32 = 8;
pub(super) const POSTGRES_WRITERS: u32 = 8;
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest wait for the first connection, before which several hosts may have to be given up.
const FIRST_CONNECTION_TIMEOUT: Duration = Duration::from_secs(15);

/// The database, with connections that read and connections that write. SQLite has a single writer: sixteen threads
/// that wait for one connection have a far shorter tail latency than sixteen that contend for the lock on the file.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) database: Database,
    pub(super) readers: Pool<ConnectionManager>,
    pub(super) writers: Pool<ConnectionManager>,
    pub(super) files: FileWatch,
    pub(super) write_health: WriteHealth,
    /// Opened at the start, for [`thread_reader`](Self::thread_reader).
    open_readers: OpenReaders,
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
                .connection_timeout(FIRST_CONNECTION_TIMEOUT)
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
        let (write_health, open_readers) = (WriteHealth::default(), OpenReaders::default());
        Ok(Self { database: database.clone(), readers, writers, files, write_health, open_readers })
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
        self.files.ensure_present()?;
        let (mut connection, ()) = checkout(&self.readers, |connection| connection.begin(ConnectionPurpose::Read))?;
        let result = queries(&mut Db::new(&mut connection));
        connection.roll_back();
        result
    }

    /// Runs one query outside a transaction, which saves the round trips of a transaction. It may run again on another
    /// connection if the first one was cut.
    pub fn query<T>(&self, mut query: impl FnMut(&mut Db<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.files.ensure_present()?;
        let (_, result) = checkout(&self.readers, |connection| query(&mut Db::new(connection)))?;
        Ok(result)
    }

    /// Returns a reader for one thread, and where its reads take place. On PostgreSQL the thread waits for the
    /// server, so it should serve nothing else; on SQLite a hop to another thread costs more than the read.
    #[must_use]
    pub fn thread_reader(&self) -> (ThreadReader, ReadLocation) {
        let reader = ThreadReader::new(self.database.clone(), self.files.clone(), self.open_readers.take());
        (reader, self.read_location())
    }

    /// Returns where the reads of a [`thread_reader`](Self::thread_reader) take place.
    #[must_use]
    pub fn read_location(&self) -> ReadLocation {
        match &self.database {
            Database::Sqlite(_) => ReadLocation::InProcess,
            Database::Postgres(_) => ReadLocation::Remote,
        }
    }

    /// Opens a connection for a [`thread_reader`](Self::thread_reader).
    pub(super) fn open_reader(&self) -> Result<OpenReader, StoreError> {
        self.files.open(|| OpenReader::new(&self.database))
    }

    /// Keeps a connection for the next [`thread_reader`](Self::thread_reader).
    pub(super) fn keep_reader(&self, reader: OpenReader) {
        self.open_readers.keep(reader);
    }

    /// Runs changes in one transaction, all or nothing. They are durable once this returns `Ok`.
    ///
    /// # Errors
    /// The error of `changes`, or a [`StoreError`] if the transaction cannot begin or commit. Nothing is changed then.
    pub fn write<T, E: From<StoreError>>(
        &self,
        changes: impl FnOnce(&mut WriteDb<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (mut connection, ()) = checkout(&self.writers, |connection| connection.begin(ConnectionPurpose::Write))?;
        // A commit into a deleted file would be acknowledged and lost.
        let result = changes(&mut WriteDb::new(&mut connection)).and_then(|value| {
            self.files.check()?;
            connection.commit()?;
            self.files.check()?;
            self.write_health.on_commit();
            Ok(value)
        });
        if result.is_err() {
            connection.roll_back();
        }
        result
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
pub(super) fn checkout<T>(
    pool: &Pool<ConnectionManager>,
    mut first: impl FnMut(&mut AnyConnection) -> Result<T, StoreError>,
) -> Result<(PooledConnection<ConnectionManager>, T), StoreError> {
    let mut retries = pool.max_size();
    loop {
        let mut connection = pool.get_timeout(CHECKOUT_TIMEOUT).map_err(StoreError::unavailable)?;
        match first(&mut connection) {
            Ok(value) => return Ok((connection, value)),
            Err(_) if retries > 0 && !connection.is_alive() => retries -= 1,
            Err(error) => return Err(error),
        }
    }
}
