//! Checks all trails and their rows one after the other while the server runs, and keeps the last result of each.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::SigningKey;
use super::check::{CheckRequest, Pace};
use super::state::{check_state, stray_rows};
use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::checkpoint;
use crate::store::{Store, StoreError};

/// The result of the last complete check of a trail and its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrailVerdict {
    /// When the check ended.
    pub at: Timestamp,
    pub verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The events verify, and the rows are what they say.
    Fits,
    /// This many differences between rows and events.
    RowsDiffer(usize),
    /// The events do not verify.
    TrailIsBroken,
}

/// Checks trails in the background.
#[derive(Clone)]
pub struct StateMonitor {
    store: Store,
    installation: InstallationId,
    key: SigningKey,
    verdicts: Arc<Mutex<HashMap<TrailId, TrailVerdict>>>,
    differences: Gauge,
    finished_at: Gauge,
}

impl fmt::Debug for StateMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateMonitor").field("installation", &self.installation).finish_non_exhaustive()
    }
}

impl StateMonitor {
    #[must_use]
    pub fn new(store: Store, installation: InstallationId, key: SigningKey) -> Self {
        let (differences, finished_at) = (Gauge::default(), Gauge::default());
        Self { store, installation, key, verdicts: Arc::default(), differences, finished_at }
    }

    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "keydesk_audit_check_differences",
            "Differences between tables and audit trails that the last complete check found",
            self.differences.clone(),
        );
        registry.register(
            "keydesk_audit_check_timestamp_seconds",
            "When the last complete check of tables and audit trails ended; 0 before the first one",
            self.finished_at.clone(),
        );
    }

    /// Returns the result of the last complete check of a trail.
    #[must_use]
    pub fn verdict(&self, trail: TrailId) -> Option<TrailVerdict> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner).get(&trail).copied()
    }

    /// Checks all trails on this thread. `pause` is called after each batch with the time that it took; the check ends
    /// if it returns false.
    pub fn check_all(&self, now: impl Fn() -> Timestamp, pause: &dyn Fn(Duration) -> bool) -> Result<(), StoreError> {
        let mut differences = 0;
        for (trail, _) in self.store.query(|db| db.stored_rows().trails())? {
            let origin = checkpoint::origin(self.installation, trail);
            let request = CheckRequest { trail, origin, key: (self.key)(), kept_checkpoint: None };
            let Some(checked) = check_state(&self.store, &request, Pace::Slow(pause), &mut |_| {})? else {
                return Ok(());
            };
            let verdict = match checked {
                Ok(state) if state.difference_count == 0 => Verdict::Fits,
                Ok(state) => Verdict::RowsDiffer(state.difference_count),
                Err(error) => {
                    tracing::error!(%trail, %error, "the audit trail does not verify");
                    Verdict::TrailIsBroken
                }
            };
            if let Verdict::RowsDiffer(count) = verdict {
                tracing::error!(%trail, differences = count, "tables are not what the audit trail says");
            }
            differences += verdict.differences();
            let verdict = TrailVerdict { at: now(), verdict };
            self.verdicts.lock().unwrap_or_else(PoisonError::into_inner).insert(trail, verdict);
        }
        let strays = stray_rows(&self.store)?.len();
        if strays > 0 {
            tracing::error!(rows = strays, "tables hold rows of no audit trail");
        }
        self.differences.set(i64::try_from(differences + strays).unwrap_or(i64::MAX));
        self.finished_at.set(now().as_seconds());
        Ok(())
    }
}

impl Verdict {
    /// The number of differences. A broken trail is one.
    const fn differences(self) -> usize {
        match self {
            Self::Fits => 0,
            Self::RowsDiffer(count) => count,
            Self::TrailIsBroken => 1,
        }
    }
}
