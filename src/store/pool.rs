//! The store: pools of connections that read and write, and its transactions.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use r2d2::{NopErrorHandler, Pool, PooledConnection};

use crate::config::{Database, sqlite_companions};
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::connector::{ConnectionManager, Connector};
use crate::store::db::{Db, WriteDb};
use crate::store::error::StoreError;
use crate::store::group_commit::{GroupCommit, commit};
use crate::store::metrics::StoreMetrics;
use crate::store::primary::Primary;
use crate::store::verification::{OpenReader, OpenReaders, ReadLocation, ThreadReader};
use crate::store::write_health::WriteHealth;

pub(super) const READERS: u32 = 8;
pub(super) const POSTGRES_WRITERS: u32 = 8;
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest wait for the first connection of a pool.
const FIRST_CONNECTION_TIMEOUT: Duration = Duration::from_secs(15);

/// The database, with connections that read and connections that write. SQLite has a single writer: sixteen threads
/// that wait for one connection have a far shorter tail latency than sixteen that contend for the lock on the file.
/// PostgreSQL commits in groups by itself.
#[derive(Clone, Debug)]
pub struct Store {
    connector: Connector,
    pools: Arc<RwLock<Pools>>,
    write_health: WriteHealth,
    metrics: StoreMetrics,
    /// Opened at the start, for [`thread_reader`](Self::thread_reader).
    open_readers: OpenReaders,
    /// Whether SQLite's write-ahead log holds data that was erased.
    holds_erased_data: Arc<AtomicBool>,
}

/// The connections to one primary.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    pub readers: Pool<ConnectionManager>,
    pub writers: Pool<ConnectionManager>,
    /// On SQLite, the queue for the only writer.
    group_commit: Option<GroupCommit>,
    primary: Arc<Primary>,
}

impl Store {
    /// Connects to a database whose schema is up to date, see [`Store::migrate`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be reached, or is not the primary.
    pub fn connect(database: &Database) -> Result<Self, StoreError> {
        let connector = Connector::new(database.clone());
        if let Database::Sqlite(path) = database {
            connector.files().add_open(path)?;
        }
        let (_first, primary) = connector.open(ConnectionPurpose::Read)?;
        let pools = Pools::new(&connector, primary);
        // The first connection of each pool, so that a start without a database fails.
        for pool in [&pools.writers, &pools.readers] {
            pool.get_timeout(FIRST_CONNECTION_TIMEOUT).map_err(StoreError::unavailable)?;
        }
        if let Database::Sqlite(path) = database {
            // They exist as long as a connection is open, beside the file that a link leads to.
            let path = path.canonicalize().map_err(StoreError::unavailable)?;
            for file in sqlite_companions(&path) {
                connector.files().add_open_if_present(&file)?;
            }
        }
        Ok(Self {
            connector,
            pools: Arc::new(RwLock::new(pools)),
            write_health: WriteHealth::default(),
            metrics: StoreMetrics::default(),
            open_readers: OpenReaders::default(),
            holds_erased_data: Arc::default(),
        })
    }

    /// Also watches that this file of the installation exists.
    pub fn watch_file(&self, path: &Path) {
        self.connector.files().add(path);
    }

    /// Checks that the installation's files are still those that were opened. Until the next call, reads and writes
    /// fail if one was deleted or replaced.
    pub fn check_files(&self) -> Result<(), StoreError> {
        self.connector.files().check()
    }

    /// Runs queries in one read transaction: all of them see the same snapshot.
    ///
    /// # Errors
    /// The error of `queries`, or a [`StoreError`] if the transaction cannot begin.
    pub fn read<T, E: From<StoreError>>(&self, queries: impl FnOnce(&mut Db<'_>) -> Result<T, E>) -> Result<T, E> {
        let _timer = self.metrics.time_read();
        let pools = self.pools_for_reading()?;
        let (mut connection, ()) = checkout(&pools.readers, |connection| connection.begin(ConnectionPurpose::Read))?;
        let result = queries(&mut Db::new(&mut connection));
        connection.roll_back();
        result
    }

    /// Runs one query outside a transaction, which saves the round trips of a transaction. It may run again on another
    /// connection if the first one was cut.
    pub fn query<T>(&self, mut query: impl FnMut(&mut Db<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _timer = self.metrics.time_read();
        let pools = self.pools_for_reading()?;
        let (_, result) = checkout(&pools.readers, |connection| query(&mut Db::new(connection)))?;
        Ok(result)
    }

    /// Returns a reader for one thread, with a connection that was opened at the start, if one is left. On PostgreSQL the
    /// thread waits for the server, so it should serve nothing else; on SQLite a hop to another thread costs more than the
    /// read.
    #[must_use]
    pub fn thread_reader(&self) -> ThreadReader {
        ThreadReader::new(self.connector.clone(), self.open_readers.take(), self.metrics.clone())
    }

    /// Returns a reader for a background job, which opens a connection of its own.
    #[must_use]
    pub fn background_reader(&self) -> ThreadReader {
        ThreadReader::new(self.connector.clone(), None, self.metrics.clone())
    }

    /// Returns where the reads of a [`thread_reader`](Self::thread_reader) take place.
    #[must_use]
    pub fn read_location(&self) -> ReadLocation {
        if self.is_remote() { ReadLocation::Remote } else { ReadLocation::InProcess }
    }

    /// Opens a connection for a [`thread_reader`](Self::thread_reader).
    pub(super) fn open_reader(&self) -> Result<OpenReader, StoreError> {
        OpenReader::new(&self.connector)
    }

    /// Keeps a connection for the next [`thread_reader`](Self::thread_reader).
    pub(super) fn keep_reader(&self, reader: OpenReader) {
        self.open_readers.keep(reader);
    }

    /// What the attempts to write showed.
    #[must_use]
    pub fn write_health(&self) -> &WriteHealth {
        &self.write_health
    }

    pub(super) const fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// Whether the database is a PostgreSQL server.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        matches!(self.connector.database(), Database::Postgres(_))
    }

    pub(super) fn holds_erased_data(&self) -> &AtomicBool {
        &self.holds_erased_data
    }

    pub(in crate::store) const fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Runs changes in one transaction, all or nothing. They are durable once this returns `Ok`.
    ///
    /// # Errors
    /// The error of `changes`, or a [`StoreError`] if the transaction cannot begin or commit. Nothing is changed then,
    /// except perhaps with [`StoreError::OutcomeUnknown`].
    pub fn write<T, E: From<StoreError>>(
        &self,
        changes: impl FnOnce(&mut WriteDb<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _timer = self.metrics.time_write();
        let pools = self.pools();
        if let Some(group_commit) = &pools.group_commit {
            return group_commit.write(changes).inspect(|_| self.write_health.on_commit());
        }
        // Without a lease the commit would wait for a standby, or for another primary.
        pools.primary.ensure_lease()?;
        let (mut connection, ()) = checkout(&pools.writers, |connection| connection.begin(ConnectionPurpose::Write))?;
        let result = changes(&mut WriteDb::new(&mut connection)).and_then(|value| {
            commit(&mut connection, self.connector.files())?;
            self.write_health.on_commit();
            Ok(value)
        });
        if result.is_err() {
            connection.roll_back();
        }
        drop(connection);
        let value = result?;
        pools.primary.await_acknowledgement()?;
        Ok(value)
    }

    fn pools_for_reading(&self) -> Result<Pools, StoreError> {
        self.connector.files().ensure_present()?;
        let pools = self.pools();
        pools.primary.ensure_lease()?;
        Ok(pools)
    }

    /// Returns the connections to the current primary. Those to a former one are given up: they may hang.
    pub(super) fn pools(&self) -> Pools {
        let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner).clone();
        if !pools.primary.is_superseded() {
            return pools;
        }
        let mut shared = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        if shared.primary.is_superseded() {
            *shared = Pools::new(&self.connector, self.connector.primaries().current());
        }
        shared.clone()
    }
}

impl Pools {
    /// Returns pools that connect when they are used.
    fn new(connector: &Connector, primary: Arc<Primary>) -> Self {
        let writers = match connector.database() {
            Database::Sqlite(_) => 1,
            Database::Postgres(_) => POSTGRES_WRITERS,
        };
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
                .build_unchecked(ConnectionManager {
                    connector: connector.clone(),
                    purpose,
                    primary: Arc::clone(&primary),
                })
        };
        let (readers, writers) = (pool(ConnectionPurpose::Read, READERS), pool(ConnectionPurpose::Write, writers));
        let group_commit = match connector.database() {
            Database::Sqlite(_) => Some(GroupCommit::new(writers.clone(), connector, CHECKOUT_TIMEOUT)),
            Database::Postgres(_) => None,
        };
        Self { readers, writers, group_commit, primary }
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
