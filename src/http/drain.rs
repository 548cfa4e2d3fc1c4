//! The state of a server that was told to stop: first it still serves, so that a proxy can find out before it is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const SERVING: u8 = 0;
const DRAINING: u8 = 1;
const STOPPING: u8 = 2;

/// How far the stop of the server is. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Drain(Arc<AtomicU8>);

impl Drain {
    /// Begins to drain: from now on, each response closes its connection.
    pub fn begin(&self) {
        self.0.fetch_max(DRAINING, Ordering::Relaxed);
    }

    /// Ends the drain: from now on, streamed responses end at their next chunk, incomplete.
    pub fn end(&self) {
        self.0.store(STOPPING, Ordering::Relaxed);
    }

    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed) != SERVING
    }

    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.0.load(Ordering::Relaxed) == STOPPING
    }
}
