//! Moves SQLite's write-ahead log into the database, in a thread of its own while others go on writing.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use super::wal_header::{WalIndex, frames};
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::connector::Connector;
use crate::store::error::StoreError;

/// The log is moved when it has this many more pages: 16 MiB. Groups write the same pages again and again, and each is
/// moved once.
const INTERVAL: u32 = 4_000;

/// What is to be done after a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum AfterCommit {
    Nothing,
    /// The thread has moved most of the log. Once the rest is moved as well, SQLite begins the log anew.
    MoveRest,
}

/// The checkpoints of a database. Only the thread whose turn it is to write calls the methods.
#[derive(Debug)]
pub(in crate::store) struct WalCheckpointer {
    connector: Connector,
    interval: u32,
    wal_index: OnceLock<Option<WalIndex>>,
    /// The number of pages at which the next checkpoint begins.
    next_at: AtomicU32,
    has_moved: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl WalCheckpointer {
    pub(in crate::store) fn new(connector: Connector) -> Self {
        Self::with_interval(connector, INTERVAL)
    }

    fn with_interval(connector: Connector, interval: u32) -> Self {
        Self {
            connector,
            interval,
            wal_index: OnceLock::new(),
            next_at: AtomicU32::new(interval),
            has_moved: Arc::default(),
            thread: Mutex::default(),
        }
    }

    /// Looks at the log after a commit, and starts the thread if the log is large.
    pub(in crate::store) fn after_commit(&self, connection: &mut AnyConnection) -> AfterCommit {
        if self.has_moved.swap(false, Ordering::Acquire) {
            return AfterCommit::MoveRest;
        }
        let Some(pages) = self.pages(connection) else { return AfterCommit::Nothing };
        let next_at = self.next_at.load(Ordering::Relaxed);
        if pages >= next_at {
            self.next_at.store(pages.saturating_add(self.interval), Ordering::Relaxed);
            self.start();
        } else if pages < self.interval {
            // The log may have begun anew.
            self.next_at.store(self.interval, Ordering::Relaxed);
        }
        AfterCommit::Nothing
    }

    /// Moves what was written since the thread began. Without a transaction of the connection.
    pub(in crate::store) fn move_rest(connection: &mut AnyConnection) {
        log_failure(connection.move_wal_behind_writers());
    }

    /// The number of pages in the log; `None` if that cannot be read now. SQLite moves a very large log by itself.
    fn pages(&self, connection: &mut AnyConnection) -> Option<u32> {
        let AnyConnection::Sqlite(sqlite) = connection else { return None };
        let wal_index = self.wal_index.get_or_init(|| WalIndex::of(sqlite).ok());
        wal_index.as_ref()?.header().map(|header| frames(&header))
    }

    fn start(&self) {
        let mut running = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if running.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        let (connector, has_moved) = (self.connector.clone(), Arc::clone(&self.has_moved));
        let checkpoint = move || {
            let moved = connector.open(ConnectionPurpose::Lookup).and_then(|(mut connection, _)| {
                connection.move_wal_behind_writers()?;
                Ok(())
            });
            has_moved.store(moved.is_ok(), Ordering::Release);
            log_failure(moved);
        };
        *running = thread::Builder::new().name("wal-checkpoint".to_owned()).spawn(checkpoint).ok();
    }
}

/// A failed checkpoint loses nothing: the log stays, and the next checkpoint moves it.
fn log_failure(moved: Result<(), StoreError>) {
    if let Err(error) = moved {
        tracing::warn!(%error, "the write-ahead log could not be moved into the database");
    }
}

impl Drop for WalCheckpointer {
    /// Waits for the thread: no connection outlives the store.
    fn drop(&mut self) {
        let running = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = running {
            // It logs its errors, and has none to report here.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;

    use super::*;
    use crate::config::Database;

    const INTERVAL: u32 = 40;

    #[test]
    fn the_log_is_moved_while_others_write_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let connector = Connector::new(Database::Sqlite(folder.path().join("keydesk.db")));
        let (mut writer, _) = connector.open(ConnectionPurpose::Write).unwrap();
        writer.batch_execute("CREATE TABLE t (a)").unwrap();
        let checkpointer = WalCheckpointer::with_interval(connector, INTERVAL);
        for round in 0..3 {
            let mut longest = 0;
            let mut has_moved_rest = false;
            // The thread takes its time; a log that began anew has few pages.
            loop {
                writer.batch_execute("INSERT INTO t VALUES (randomblob(8000))").unwrap();
                let pages = checkpointer.pages(&mut writer).unwrap();
                if has_moved_rest && pages < longest {
                    break;
                }
                longest = longest.max(pages);
                if checkpointer.after_commit(&mut writer) == AfterCommit::MoveRest {
                    assert!(longest >= INTERVAL, "{longest} in round {round}");
                    WalCheckpointer::move_rest(&mut writer);
                    has_moved_rest = true;
                }
            }
        }
    }

    #[test]
    fn a_checkpoint_that_fails_is_left_to_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keydesk.db");
        let connector = Connector::new(Database::Sqlite(path.clone()));
        let (mut writer, _) = connector.open(ConnectionPurpose::Write).unwrap();
        writer.batch_execute("CREATE TABLE t (a)").unwrap();
        connector.files().add_open(&path).unwrap();
        let checkpointer = WalCheckpointer::with_interval(connector, 1);
        let aside = folder.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        let run = |writer: &mut AnyConnection| {
            assert_eq!(checkpointer.after_commit(writer), AfterCommit::Nothing);
            checkpointer.thread.lock().unwrap().take().unwrap().join().unwrap();
        };
        run(&mut writer);
        assert!(!checkpointer.has_moved.load(Ordering::Relaxed));
        std::fs::rename(&aside, &path).unwrap();
        writer.batch_execute("INSERT INTO t VALUES (1), (2)").unwrap();
        run(&mut writer);
        assert!(checkpointer.has_moved.load(Ordering::Relaxed));
    }
}
