//! Metrics of the store: the duration of its transactions, its errors, and its connections.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// From a read in memory to the statement timeout of PostgreSQL.
const BUCKETS: [f64; 13] = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.5, 2.0, 10.0];

/// Errors of the database since the program started.
static ERRORS: AtomicU64 = AtomicU64::new(0);

/// Counts an error of the database.
pub(in crate::store) fn count_error() {
    ERRORS.fetch_add(1, Ordering::Relaxed);
}

/// The number of errors of the database since the program started: it could not be reached, or gave an unexpected
/// answer.
#[must_use]
pub fn store_errors() -> u64 {
    ERRORS.load(Ordering::Relaxed)
}

/// The connections of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionCounts {
    pub in_use: u32,
    pub idle: u32,
    /// Connections that are opened when they are needed.
    pub unopened: u32,
}

/// The duration of reads and writes.
#[derive(Clone, Debug)]
pub(in crate::store) struct StoreMetrics {
    seconds: Family<Kind, Histogram, fn() -> Histogram>,
    read: Histogram,
    write: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        let seconds = Family::<Kind, Histogram, fn() -> Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let histogram = |kind| seconds.get_or_create(&Kind { kind }).clone();
        let (read, write) = (histogram("read"), histogram("write"));
        Self { seconds, read, write }
    }
}

impl StoreMetrics {
    pub(in crate::store) fn register(&self, registry: &mut Registry) {
        let help = "Time to read from the database and to write to it, without the look-ups of verification";
        registry.register_with_unit("keydesk_store", help, Unit::Seconds, self.seconds.clone());
    }

    /// Measures a read that started at this time and has ended.
    pub(in crate::store) fn observe_read(&self, started: Instant) {
        self.read.observe(started.elapsed().as_secs_f64());
    }

    /// Measures a read until the timer is dropped.
    pub(in crate::store) fn time_read(&self) -> Timer<'_> {
        Timer { histogram: &self.read, started: Instant::now() }
    }

    /// Measures a write until the timer is dropped.
    pub(in crate::store) fn time_write(&self) -> Timer<'_> {
        Timer { histogram: &self.write, started: Instant::now() }
    }
}

/// Observes the time until it is dropped.
pub(in crate::store) struct Timer<'a> {
    histogram: &'a Histogram,
    started: Instant,
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.histogram.observe(self.started.elapsed().as_secs_f64());
    }
}
