//! Watches the size of SQLite's write-ahead log: a long read keeps the log from being emptied, and it grows with each
//! change until the read ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::store::{Store, StoreError};

/// From this size on, the log is large.
const LARGE_BYTES: u64 = 64 * 1_024 * 1_024;

/// Returns the warning about a log of this size; `None` if it is not large.
pub(super) fn warning(bytes: u64) -> Option<String> {
    (bytes >= LARGE_BYTES).then(|| {
        format!(
            "SQLite's write-ahead log has {} MiB. End the read that keeps it from being emptied, such as a backup or a query by hand.",
            bytes / 1_024 / 1_024
        )
    })
}

/// Measures the log, warns when it becomes large, and empties it as soon as readers allow. Clones share the state.
#[derive(Clone, Debug)]
pub(super) struct WalWatch {
    store: Store,
    large_bytes: u64,
    bytes: Arc<AtomicU64>,
    is_large: Arc<AtomicBool>,
}

impl WalWatch {
    pub(super) fn new(store: Store) -> Self {
        Self::with_limit(store, LARGE_BYTES)
    }

    fn with_limit(store: Store, large_bytes: u64) -> Self {
        let bytes = Arc::new(AtomicU64::new(store.wal_bytes().unwrap_or(0)));
        Self { store, large_bytes, bytes, is_large: Arc::default() }
    }

    /// The size at the last check; `None` on PostgreSQL.
    pub(super) fn bytes(&self) -> Option<u64> {
        (!self.store.is_remote()).then(|| self.bytes.load(Ordering::Relaxed))
    }

    /// Checks the size. Half of the large size is small again: a size about the limit causes one warning.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.store.retry_truncating_wal();
        let Some(bytes) = self.measure() else { return Ok(()) };
        if bytes >= self.large_bytes && !self.is_large.swap(true, Ordering::Relaxed) {
            tracing::warn!(bytes, "the write-ahead log is large; a read that takes long keeps it from being emptied");
        }
        if bytes > self.large_bytes / 2 {
            self.store.checkpoint_wal()?;
        }
        let is_small = self.measure().is_some_and(|bytes| bytes <= self.large_bytes / 2);
        if is_small && self.is_large.swap(false, Ordering::Relaxed) {
            tracing::info!("the write-ahead log is small again");
        }
        Ok(())
    }

    fn measure(&self) -> Option<u64> {
        let bytes = self.store.wal_bytes()?;
        self.bytes.store(bytes, Ordering::Relaxed);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Database;
    use crate::domain::timestamp::Timestamp;

    const LARGE: u64 = 256 * 1_024;

    #[test]
    fn a_long_read_makes_the_log_large_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("keydesk.db"));
        Store::migrate(&database).unwrap();
        let store = Store::connect(&database).unwrap();
        let watch = WalWatch::with_limit(store.clone(), LARGE);
        let write = |n: u8| store.write(|tx| tx.sign_in_failures().lock(&[n; 32], Timestamp::from_micros(0)));
        let is_large = || watch.is_large.load(Ordering::Relaxed);
        let read = store.read(|db| {
            db.companies().all()?;
            for n in 1..=u8::MAX {
                write(n)?;
                if store.wal_bytes().unwrap() >= LARGE {
                    break;
                }
            }
            watch.check()?;
            assert!(is_large() && watch.bytes() >= Some(LARGE), "{:?}", watch.bytes());
            // Writes go on, and the log stays as large as it is.
            write(0)?;
            watch.check()?;
            assert!(is_large());
            Ok::<_, StoreError>(())
        });
        read.unwrap();
        watch.check().unwrap();
        assert_eq!((watch.bytes(), is_large()), (Some(0), false));
        write(1).unwrap();
    }

    #[test]
    fn erased_data_leaves_the_log_once_a_long_read_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("keydesk.db"));
        Store::migrate(&database).unwrap();
        let store = Store::connect(&database).unwrap();
        let watch = WalWatch::new(store.clone());
        let write = |n: u8| store.write(|tx| tx.sign_in_failures().lock(&[n; 32], Timestamp::from_micros(0)));
        let read = store.read(|db| {
            db.companies().all()?;
            write(1)?;
            std::thread::scope(|scope| {
                let truncation = scope.spawn(|| store.truncate_wal());
                // Changes do not wait for the reader.
                while !truncation.is_finished() {
                    write(2).unwrap();
                }
            });
            watch.check()?;
            assert!(watch.bytes() > Some(0), "the read still uses the log");
            Ok::<_, StoreError>(())
        });
        read.unwrap();
        watch.check().unwrap();
        assert_eq!(watch.bytes(), Some(0));
        write(3).unwrap();
        watch.check().unwrap();
        assert!(watch.bytes() > Some(0), "nothing was erased since");
    }
}
