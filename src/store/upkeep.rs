//! What operators see of a store, and the upkeep of SQLite's write-ahead log.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use std::{fs, thread};

use diesel::connection::SimpleConnection;
use prometheus_client::registry::Registry;
use r2d2::Pool;

use crate::config::{Database, sqlite_companions};
use crate::store::connection::ConnectionPurpose;
use crate::store::error::StoreError;
use crate::store::metrics::ConnectionCounts;
use crate::store::pool::Store;

/// A deletion waits this long for the log to be emptied.
const TRUNCATION_TIMEOUT: Duration = Duration::from_secs(1);
const TRUNCATION_INTERVAL: Duration = Duration::from_millis(20);

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

    /// Empties SQLite's write-ahead log, in which erased data otherwise stays for a while. No change waits for that: if
    /// readers or writers keep it from being emptied, [`Self::retry_truncating_wal`] tries again. PostgreSQL's log is left
    /// to its operator.
    pub fn truncate_wal(&self) {
        if self.is_remote() {
            return;
        }
        self.holds_erased_data().store(true, Ordering::Relaxed);
        let started = Instant::now();
        loop {
            self.retry_truncating_wal();
            let is_pending = self.holds_erased_data().load(Ordering::Relaxed);
            if !is_pending {
                return;
            }
            if started.elapsed() >= TRUNCATION_TIMEOUT {
                tracing::warn!("erased data stays in the write-ahead log until a long read has ended");
                return;
            }
            thread::sleep(TRUNCATION_INTERVAL);
        }
    }

    /// Empties SQLite's write-ahead log if it holds erased data, and no connection is using it at this moment.
    pub fn retry_truncating_wal(&self) {
        if !self.holds_erased_data().swap(false, Ordering::Relaxed) {
            return;
        }
        let truncated = self.connector().open(ConnectionPurpose::Lookup).and_then(|(mut connection, _)| {
            connection.batch_execute("PRAGMA busy_timeout = 0")?;
            connection.truncate_wal()
        });
        if let Err(error) = &truncated {
            tracing::warn!(%error, "the write-ahead log could not be emptied");
        }
        if !matches!(truncated, Ok(true)) {
            self.holds_erased_data().store(true, Ordering::Relaxed);
        }
    }
}
