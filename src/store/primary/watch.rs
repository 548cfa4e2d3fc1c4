//! The primary that is in use. Each new connection is compared with it; a successor supersedes it, with all its
//! connections.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::identity::{DescribedServer, describe};
use crate::domain::lease::{Lease, ServerIdentity, Succession};
use crate::store::connection::AnyConnection;
use crate::store::error::StoreError;

/// One primary, as long as its connections are used. On SQLite, the file.
#[derive(Debug)]
pub(in crate::store) struct Primary {
    /// `None` on SQLite.
    identity: Option<ServerIdentity>,
    /// Its position in the order of the primaries that were in use.
    generation: u64,
    lease: Lease,
    is_superseded: AtomicBool,
    started: Instant,
}

/// The state of a server's lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// Commits need no standby, so another primary would go unnoticed.
    Missing,
    Held,
    /// Nothing was committed in the last second, so another server may be the primary.
    Lost,
}

/// The primary that is in use. Clones share it.
#[derive(Clone, Debug)]
pub struct PrimaryWatch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    current: Mutex<Arc<Primary>>,
    /// Whether leases are renewed by beats.
    has_beats: AtomicBool,
    started: Instant,
}

impl Primary {
    pub(in crate::store) fn is_superseded(&self) -> bool {
        self.is_superseded.load(Ordering::Acquire)
    }

    /// Fails if the lease ended: another server may be the primary. To be called after the request arrived.
    pub(in crate::store) fn ensure_lease(&self) -> Result<(), StoreError> {
        if self.lease.is_valid(|| self.started.elapsed()) { Ok(()) } else { Err(lease_lost()) }
    }

    /// Waits until a change that was just committed may be acknowledged: until no server that still uses a former
    /// primary answers.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] if another primary was seen during the change, which may or may not be in its data.
    pub(in crate::store) fn await_acknowledgement(&self) -> Result<(), StoreError> {
        let wait = self.lease.acknowledgement_wait(self.started.elapsed());
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        if self.is_superseded() && self.identity.is_some() {
            return Err(StoreError::outcome_unknown("the primary changed meanwhile"));
        }
        Ok(())
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl PrimaryWatch {
    /// Watches a database that is a file, or a server that is yet to be seen.
    pub(in crate::store) fn new() -> Self {
        let started = Instant::now();
        let is_superseded = AtomicBool::new(false);
        let unseen = Primary { identity: None, generation: 0, lease: Lease::new(false), is_superseded, started };
        Self(Arc::new(Inner { current: Mutex::new(Arc::new(unseen)), has_beats: AtomicBool::new(false), started }))
    }

    pub(in crate::store) fn current(&self) -> Arc<Primary> {
        Arc::clone(&self.lock())
    }

    /// Returns the primary that a new connection leads to: the current one or its successor.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is a standby, a former primary or one with other data.
    pub(in crate::store) fn admit(&self, connection: &mut AnyConnection) -> Result<Arc<Primary>, StoreError> {
        let AnyConnection::Postgres(postgres) = connection else { return Ok(self.current()) };
        self.admit_server(&describe(postgres)?)
    }

    pub(super) fn admit_server(&self, server: &DescribedServer) -> Result<Arc<Primary>, StoreError> {
        let mut current = self.lock();
        let succession = current.identity.map(|identity| identity.succession(&server.identity));
        match succession {
            Some(Succession::Same) => {}
            Some(Succession::Outdated) => {
                return Err(StoreError::unavailable(
                    "the PostgreSQL server was the primary before the one that was last used",
                ));
            }
            Some(Succession::Foreign) => {
                return Err(StoreError::unavailable(
                    "the PostgreSQL server belongs to another cluster than the one that was last used; restart Keydesk if that is intended",
                ));
            }
            Some(Succession::Successor) => {
                tracing::warn!(timeline = server.identity.timeline, "another primary or a restarted one; reconnecting");
                self.supersede(&mut current, Some(server.identity), Lease::new(true));
            }
            None => {
                let may_have_predecessor = server.has_synchronous_standby || server.identity.has_predecessor();
                self.supersede(&mut current, Some(server.identity), Lease::new(may_have_predecessor));
            }
        }
        Ok(Arc::clone(&current))
    }

    /// Supersedes the connections to the current primary, which may hang, by new ones.
    pub fn renew(&self) {
        let mut current = self.lock();
        let (identity, lease) = (current.identity, current.lease.renewed());
        tracing::warn!("the connections to the database hang; opening new ones");
        self.replace(&mut current, identity, lease);
    }

    /// Returns a number that grows with each primary, and each time its connections are replaced.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Makes answers depend on beats from now on.
    pub fn require_beats(&self) {
        let current = self.lock();
        self.0.has_beats.store(true, Ordering::Release);
        current.lease.suspend();
    }

    /// Returns the state of the lease; `None` on SQLite, and without beats.
    #[must_use]
    pub fn lease_state(&self) -> Option<LeaseState> {
        let current = self.current();
        if current.identity.is_none() || !self.0.has_beats.load(Ordering::Acquire) {
            return None;
        }
        Some(match (current.lease.can_end(), current.ensure_lease()) {
            (false, _) => LeaseState::Missing,
            (true, Ok(())) => LeaseState::Held,
            (true, Err(_)) => LeaseState::Lost,
        })
    }

    fn supersede(&self, current: &mut MutexGuard<'_, Arc<Primary>>, identity: Option<ServerIdentity>, lease: Lease) {
        if self.0.has_beats.load(Ordering::Acquire) {
            lease.suspend();
        }
        self.replace(current, identity, lease);
    }

    fn replace(&self, current: &mut MutexGuard<'_, Arc<Primary>>, identity: Option<ServerIdentity>, lease: Lease) {
        let (generation, is_superseded) = (current.generation + 1, AtomicBool::new(false));
        let primary = Primary { identity, generation, lease, is_superseded, started: self.0.started };
        std::mem::replace(&mut **current, Arc::new(primary)).is_superseded.store(true, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Primary>> {
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lease_lost() -> StoreError {
    StoreError::unavailable("the primary has committed nothing for a second, so another one may have taken its place")
}

/// A connection that led to a former primary.
pub(in crate::store) fn superseded() -> StoreError {
    StoreError::unavailable("the primary changed meanwhile")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::Timestamp;

    fn server(timeline: u32, started: i64) -> DescribedServer {
        let identity = ServerIdentity { system: 7, timeline, started_at: Timestamp::from_micros(started) };
        DescribedServer { identity, has_synchronous_standby: true }
    }

    #[test]
    fn a_successor_supersedes_the_primary_and_its_predecessors_are_refused() {
        let watch = PrimaryWatch::new();
        let first = watch.admit_server(&server(2, 10)).unwrap();
        assert!(Arc::ptr_eq(&first, &watch.admit_server(&server(2, 10)).unwrap()));
        let second = watch.admit_server(&server(3, 5)).unwrap();
        assert!(first.is_superseded() && !second.is_superseded());
        assert!(first.await_acknowledgement().is_err(), "a change on the former primary was acknowledged");
        for former in [server(2, 10), server(3, 4)] {
            assert!(watch.admit_server(&former).is_err());
        }
        let foreign = ServerIdentity { system: 8, ..server(9, 9).identity };
        assert!(watch.admit_server(&DescribedServer { identity: foreign, ..server(9, 9) }).is_err());
        assert!(Arc::ptr_eq(&second, &watch.current()));
    }

    #[test]
    fn answers_need_a_beat_once_beats_are_required() {
        let watch = PrimaryWatch::new();
        let first = watch.admit_server(&server(2, 10)).unwrap();
        assert!(first.ensure_lease().is_ok() && watch.lease_state().is_none(), "a command commits no beats");
        watch.require_beats();
        assert!(first.ensure_lease().is_err());
        first.lease().extend(first.elapsed(), first.elapsed());
        assert_eq!(watch.lease_state(), Some(LeaseState::Held));
        let second = watch.admit_server(&server(3, 5)).unwrap();
        assert!(second.ensure_lease().is_err(), "the successor took the lease over");
        assert_eq!(watch.lease_state(), Some(LeaseState::Lost));
        second.lease().waive(second.elapsed());
        assert_eq!(watch.lease_state(), Some(LeaseState::Missing));
    }

    #[test]
    fn renewed_connections_keep_the_lease() {
        let watch = PrimaryWatch::new();
        let first = watch.admit_server(&server(2, 10)).unwrap();
        watch.require_beats();
        first.lease().extend(first.elapsed(), first.elapsed());
        watch.renew();
        assert!(first.is_superseded());
        let renewed = watch.admit_server(&server(2, 10)).unwrap();
        assert!(!renewed.is_superseded() && renewed.ensure_lease().is_ok());
    }
}
