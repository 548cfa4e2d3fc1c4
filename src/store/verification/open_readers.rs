//! Connections for look-ups that are opened at the start, before the threads that use them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::thread_reader::OpenReader;

/// Open connections. Clones share them.
#[derive(Clone, Default)]
pub(in crate::store) struct OpenReaders(Arc<Mutex<Vec<OpenReader>>>);

impl OpenReaders {
    pub(in crate::store) fn keep(&self, reader: OpenReader) {
        self.lock().push(reader);
    }

    pub(in crate::store) fn take(&self) -> Option<OpenReader> {
        self.lock().pop()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<OpenReader>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for OpenReaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenReaders").field(&self.lock().len()).finish()
    }
}
