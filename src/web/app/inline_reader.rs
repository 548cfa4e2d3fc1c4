//! Runs short SQLite queries on the worker thread: a hop to the blocking pool costs more than the query.

use std::cell::RefCell;

use crate::store::{Db, ReadLocation, Store, StoreError, ThreadReader};

/// The reader of one worker thread. On PostgreSQL it is empty, because a query waits for the network.
pub struct InlineReader(Option<RefCell<ThreadReader>>);

impl InlineReader {
    /// Creates the reader of the calling thread.
    #[must_use]
    pub fn new(store: &Store) -> Self {
        Self(match store.read_location() {
            ReadLocation::InProcess => Some(RefCell::new(store.thread_reader())),
            ReadLocation::Remote => None,
        })
    }

    /// Runs one query. `None` if it cannot run here or fails; the caller then repeats it on the blocking pool.
    pub fn query<T>(&self, query: impl Fn(&mut Db<'_>) -> Result<T, StoreError>) -> Option<T> {
        self.0.as_ref()?.borrow_mut().query(query).ok()
    }

    /// Runs several queries on one snapshot; otherwise like [`query`](Self::query).
    pub fn read<T>(&self, queries: impl Fn(&mut Db<'_>) -> Result<T, StoreError>) -> Option<T> {
        self.0.as_ref()?.borrow_mut().read(queries).ok()
    }
}
