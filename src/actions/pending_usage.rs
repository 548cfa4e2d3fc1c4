//! Usage data that this process has not written to the database yet.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use crate::domain::ids::KeyId;
use crate::domain::timestamp::Timestamp;

/// Usage data that is not in the database yet, shared by all clones.
#[derive(Clone, Debug, Default)]
pub struct PendingUsage(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Revocations that were acknowledged to the caller, and when.
    acknowledgements: Mutex<Vec<(KeyId, Timestamp)>>,
    /// In microseconds; 0 before the first flush.
    recorded_until: AtomicI64,
    accepted_after_end: Counter,
}

impl PendingUsage {
    /// Returns the time up to which this process has written all usage; `None` before the first flush.
    #[must_use]
    pub fn recorded_until(&self) -> Option<Timestamp> {
        Some(self.0.recorded_until.load(Ordering::Relaxed)).filter(|at| *at != 0).map(Timestamp::from_micros)
    }

    /// Registers the metric of accepted requests that should have been refused.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Requests that were accepted although the API key had ended";
        registry.register("keydesk_accepted_after_end", help, self.0.accepted_after_end.clone());
    }

    pub(super) fn count_accepted_after_end(&self, requests: u64) {
        self.0.accepted_after_end.inc_by(requests);
    }

    pub(super) fn set_recorded_until(&self, until: Timestamp) {
        self.0.recorded_until.store(until.as_micros(), Ordering::Relaxed);
    }

    /// Adds revocations that were acknowledged at `at`. From then on every request with the key must be refused; the
    /// stored time reveals requests that were accepted all the same.
    pub(super) fn add_acknowledgements(&self, keys: impl IntoIterator<Item = KeyId>, at: Timestamp) {
        self.lock().extend(keys.into_iter().map(|key| (key, at)));
    }

    /// Removes and returns all acknowledgements.
    pub(super) fn take_acknowledgements(&self) -> Vec<(KeyId, Timestamp)> {
        std::mem::take(&mut *self.lock())
    }

    /// Puts back acknowledgements that could not be written.
    pub(super) fn restore_acknowledgements(&self, acknowledgements: Vec<(KeyId, Timestamp)>) {
        self.lock().extend(acknowledgements);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(KeyId, Timestamp)>> {
        self.0.acknowledgements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
