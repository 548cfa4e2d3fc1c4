//! Attempts at what can be guessed: passwords and codes. An attempt is counted as a failure before it is checked, in the
//! transaction that checks its limits. Concurrent attempts therefore cannot exceed a limit.

use super::throttle::{Limit, Throttle};
use crate::domain::timestamp::Timestamp;
use crate::store::{Db, StoreError, WriteDb};

/// The key of a counter.
pub(super) type Subject = [u8; 32];

/// An attempt, with the counters of its failures.
pub(super) struct Attempt {
    /// In the order in which every transaction locks them, so that no two wait for each other.
    pub(super) counters: Vec<(Subject, Limit)>,
    /// The email address, if the trail reports failures.
    pub(super) address: Option<Subject>,
}

/// An attempt that is counted as a failure and may now be checked, once. Every function that checks a guess takes one, so
/// that no guess is checked without being counted.
pub(super) struct Reservation {
    counted_at: Timestamp,
    /// Each counter, with the time of its last failure before this one.
    counters: Vec<(Subject, Limit, Timestamp)>,
    address: Option<Subject>,
}

impl Attempt {
    /// Whether the attempt comes from a browser that the user has signed in with.
    pub(super) fn is_from_known_browser(&self) -> bool {
        self.counters.iter().any(|(_, limit)| *limit == Limit::KnownBrowser)
    }

    /// Returns whether the attempt must wait. A cheap first answer; [`reserve`](Self::reserve) decides.
    pub(super) fn check(&self, db: &mut Db<'_>, now: Timestamp) -> Result<Option<Throttle>, StoreError> {
        let mut throttle = None;
        for (subject, limit) in &self.counters {
            let counted = db.sign_in_failures().of(subject)?;
            throttle = throttle.max(counted.and_then(|counted| limit.throttle(&counted, now)));
        }
        Ok(throttle)
    }

    /// Counts the attempt as a failure, unless it must wait.
    pub(super) fn reserve(
        &self,
        tx: &mut WriteDb<'_>,
        now: Timestamp,
    ) -> Result<Result<Reservation, Throttle>, StoreError> {
        let mut throttle = None;
        let mut counters = Vec::with_capacity(self.counters.len());
        for (subject, limit) in &self.counters {
            let counted = tx.sign_in_failures().lock(subject, now)?;
            if limit.is_over(&counted, now) {
                tx.sign_in_failures().reset(subject, now)?;
            } else {
                throttle = throttle.max(limit.throttle(&counted, now));
            }
            counters.push((*subject, *limit, Timestamp::from_micros(counted.last_at)));
        }
        if let Some(throttle) = throttle {
            return Ok(Err(throttle));
        }
        for (subject, ..) in &counters {
            tx.sign_in_failures().count(subject, now)?;
        }
        Ok(Ok(Reservation { counted_at: now, counters, address: self.address }))
    }
}

impl Reservation {
    /// The email address whose refusals the trail reports.
    pub(super) const fn address(&self) -> Option<&Subject> {
        self.address.as_ref()
    }

    /// Ends the count of consecutive failures: the guess was right. A client keeps its other failures.
    pub(super) fn succeed(&self, tx: &mut WriteDb<'_>, now: Timestamp) -> Result<(), StoreError> {
        for (subject, limit, last_at) in &self.counters {
            match limit {
                Limit::Address | Limit::KnownBrowser => tx.sign_in_failures().reset(subject, now)?,
                Limit::Client => tx.sign_in_failures().take_back(subject, self.counted_at, *last_at)?,
            }
        }
        self.address.map_or(Ok(()), |address| tx.sign_in_failures().reset(&address, now))
    }

    /// Takes the failure back, and keeps earlier ones: the guess was right, and more is to be proven.
    pub(super) fn take_back(&self, tx: &mut WriteDb<'_>) -> Result<(), StoreError> {
        for (subject, _, last_at) in &self.counters {
            tx.sign_in_failures().take_back(subject, self.counted_at, *last_at)?;
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) const fn uncounted() -> Self {
        Self { counted_at: Timestamp::from_micros(0), counters: Vec::new(), address: None }
    }
}
