//! Follows the secrets file and the other servers while this one runs, and renews the digests of keys that are used.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::actions::{Actions, OpenError, ReloadError};
use crate::random;
use crate::store::StoreError;
use crate::verify::RenewalQueue;

/// A changed file is in use within a few of these.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);
pub(super) const RENEWAL_INTERVAL: Duration = Duration::from_secs(1);
/// Well below the time after which other servers take this one for stopped.
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(3);

/// The secrets of one running server. Clones share it.
#[derive(Clone, Debug)]
pub struct SecretsWatch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    actions: Actions,
    /// Names this server among the others, until it stops.
    server: String,
    announced: Mutex<Option<Instant>>,
    renewals: RenewalQueue,
    is_lacking: AtomicBool,
    is_failing: AtomicBool,
}

impl SecretsWatch {
    pub(super) fn new(actions: &Actions) -> Self {
        Self(Arc::new(Inner {
            actions: actions.clone(),
            server: random::hex::<8>(),
            announced: Mutex::default(),
            renewals: RenewalQueue::default(),
            is_lacking: AtomicBool::new(false),
            is_failing: AtomicBool::new(false),
        }))
    }

    /// Announces this server, and learns which set is active. Run before the server listens: from then on, no set becomes
    /// active that it lacks.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        self.announce()?;
        self.0.actions.refresh_secrets()?;
        self.0.actions.secrets.lacking().map_or(Ok(()), |id| Err(StoreError::lacks_secrets(&id)))
    }

    /// Reads the file if it has changed, follows the database, and activates a set that every server has. Of consecutive
    /// failures, the first one is returned: others would fill the log while the database is out of reach.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let result = self.check_now();
        let was_failing = self.0.is_failing.swap(result.is_err(), Ordering::Relaxed);
        if was_failing { Ok(()) } else { result }
    }

    fn check_now(&self) -> Result<(), StoreError> {
        let actions = &self.0.actions;
        let has_changed = match actions.reload_secrets() {
            Ok(has_changed) => has_changed,
            Err(ReloadError::Open(OpenError::Store(error))) => return Err(error),
            Err(error) => {
                tracing::error!(%error, "changed secrets file not used");
                false
            }
        };
        if has_changed {
            let keyring = actions.secrets.keyring();
            let sets: Vec<&str> = keyring.sets().map(|set| set.id()).collect();
            tracing::info!(sets = sets.join(" "), "secrets file read again");
        }
        let is_pending = actions.refresh_secrets()?;
        let announced = *self.0.announced.lock().unwrap_or_else(PoisonError::into_inner);
        if has_changed || announced.is_none_or(|at| at.elapsed() >= ANNOUNCE_INTERVAL) {
            self.announce()?;
        }
        if is_pending {
            actions.activate_pending_secrets()?;
        }
        self.report_lacking();
        Ok(())
    }

    /// Tells the other servers that this one has stopped.
    pub fn end(&self) {
        if let Err(error) = self.0.actions.withdraw_server(&self.0.server) {
            tracing::warn!(%error, "server not withdrawn");
        }
    }

    /// The keys whose digests are to be renewed.
    pub(super) fn renewals(&self) -> &RenewalQueue {
        &self.0.renewals
    }

    /// Writes the digests of used keys under the active pepper.
    pub(super) fn renew_digests(&self) -> Result<(), StoreError> {
        let pending = self.0.renewals.take();
        if pending.is_empty() {
            return Ok(());
        }
        let (unwritten, result) = self.0.actions.renew_digests(pending);
        self.0.renewals.put_back(unwritten);
        result
    }

    fn announce(&self) -> Result<(), StoreError> {
        self.0.actions.announce_server(&self.0.server)?;
        *self.0.announced.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(())
    }

    fn report_lacking(&self) {
        let lacking = self.0.actions.secrets.lacking();
        let was_lacking = self.0.is_lacking.swap(lacking.is_some(), Ordering::Relaxed);
        match lacking {
            Some(set) if !was_lacking => tracing::error!(set, "the secrets file lacks the active set"),
            None if was_lacking => tracing::info!("the secrets file has the active set again"),
            _ => {}
        }
    }
}
