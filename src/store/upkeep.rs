//! What operators see of a store, and the upkeep of SQLite's write-ahead log.

use std::fs;

use prometheus_client::registry::Registry;
use r2d2::Pool;

use crate::config::{Database, sqlite_companions};
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::metrics::ConnectionCounts;
use crate::store::pool::{Store, checkout};

impl Store {
    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        self.metrics().register(registry);
    }

    /// Counts the connections for reading and writing.
    #[must_use]
    pub fn connections(&self) -> ConnectionCounts {
        let pools = self.pools();
        let pools = [&pools.readers, &pools.writers];
        let max: u32 = pools.iter().map(|pool| pool.max_size()).sum();
        let states = pools.map(Pool::state);
        let (open, idle): (u32, u32) =
            states.iter().fold((0, 0), |(open, idle), state| (open + state.connections, idle + state.idle_connections));
        ConnectionCounts { in_use: open.saturating_sub(idle), idle, unopened: max.saturating_sub(open) }
    }

    /// The size of SQLite's write-ahead log; `None` on PostgreSQL.
    #[must_use]
    pub fn wal_bytes(&self) -> Option<u64> {
        let Database::Sqlite(path) = self.connector().database() else { return None };
        let path = path.canonicalize().ok()?;
        let [wal, _] = sqlite_companions(&path);
        Some(fs::metadata(wal).map_or(0, |metadata| metadata.len()))
    }

    /// Moves SQLite's write-ahead log into the database file as far as readers allow, and empties the log if all of it
    /// was moved. Delays other writes by a tenth of a second at most.
    pub fn checkpoint_wal(&self) -> Result<(), StoreError> {
        if self.is_remote() {
            return Ok(());
        }
        // The connections of the pool would wait for readers, while they keep others from writing.
        let purpose = ConnectionPurpose::Lookup;
        self.connector().open(purpose)?.0.checkpoint_wal()
    }

    /// Empties SQLite's write-ahead log, which otherwise keeps erased data for a while. A reader that still uses the
    /// log delays that until the next call. PostgreSQL's log is left to its operator.
    pub fn truncate_wal(&self) {
        if !self.is_remote()
            && let Err(error) = checkout(&self.pools().writers, AnyConnection::truncate_wal)
        {
            tracing::warn!(%error, "the write-ahead log could not be emptied");
        }
    }
}
