//! Numbers of the database for the metrics. They are read in the background, so that a scrape waits for no query.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::actions::Actions;
use crate::clock::Clock;
use crate::domain::ids::InstallationId;
use crate::domain::timestamp::Timestamp;
use crate::last_backup;
use crate::store::{KeyStateCounts, Store, StoreError};
use crate::web::app::session::store::session_expiry;
use crate::witness::Witnesses;

/// Older numbers are not shown: a database that does not answer has no current ones.
const MAX_AGE: Duration = Duration::from_mins(10);
const EXPIRES_SOON: Duration = Duration::from_hours(7 * 24);

/// Numbers of the database at one time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) trail_events: i64,
    pub(super) sessions: i64,
    pub(super) keys: KeyStateCounts,
    pub(super) keys_expiring: i64,
    /// The time of the oldest event that a witness does not have.
    pub(super) unwitnessed_since: Option<Timestamp>,
    /// When the last backup began.
    pub(super) last_backup: Option<Timestamp>,
}

/// Reads the numbers, and keeps the last ones. Clones share them.
#[derive(Clone, Debug)]
pub struct Sampler {
    store: Store,
    clock: Clock,
    pub(super) witnesses: Witnesses,
    data_dir: PathBuf,
    installation: InstallationId,
    last: Arc<Mutex<Option<(Instant, Sample)>>>,
}

impl Sampler {
    pub(super) fn new(actions: &Actions, witnesses: Witnesses, data_dir: PathBuf) -> Self {
        let (store, clock, installation) = (actions.store.clone(), actions.clock.clone(), actions.installation);
        Self { store, clock, witnesses, data_dir, installation, last: Arc::default() }
    }

    /// Reads the numbers.
    ///
    /// # Errors
    /// [`StoreError`]; the former numbers stay until they are too old.
    pub fn sample(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        // Each in a query of its own: a long snapshot would keep SQLite's write-ahead log from being emptied.
        let trail_events = self.store.query(|db| db.trails().count_events())?;
        let sessions = self.store.query(|db| db.sessions().count_active(session_expiry(now)))?;
        let keys = self.store.query(|db| db.keys().count_by_state(now))?;
        let keys_expiring = self.store.query(|db| db.keys().count_expiring(now, now + EXPIRES_SOON))?;
        let unwitnessed_since = self.witnesses.unwitnessed_since(&self.store)?;
        let last_backup = self.last_backup();
        let sample = Sample { trail_events, sessions, keys, keys_expiring, unwitnessed_since, last_backup };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), sample));
        Ok(())
    }

    /// Backups of PostgreSQL are made by others.
    fn last_backup(&self) -> Option<Timestamp> {
        if self.store.is_remote() {
            return None;
        }
        last_backup::read(&self.data_dir, self.installation).unwrap_or_else(|error| {
            tracing::warn!(%error, "time of the last backup not read");
            None
        })
    }

    /// Returns the last numbers, unless they are too old.
    pub(super) fn last(&self) -> Option<Sample> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(at, _)| at.elapsed() <= MAX_AGE).map(|(_, sample)| sample)
    }
}
