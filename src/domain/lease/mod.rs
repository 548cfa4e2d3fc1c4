//! The lease by which a server knows that its database is the primary: rules over times of one monotonic clock. The
//! argument is in docs/fleet.md.

mod identity;
#[cfg(test)]
mod model;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use identity::{ServerIdentity, Succession};

/// How long answers are valid after the last committed beat was sent.
pub const LEASE_DURATION: Duration = Duration::from_secs(1);
/// The pause between two beats.
pub const BEAT_INTERVAL: Duration = Duration::from_millis(250);
/// How long the first change on a new primary waits for the leases on the old one to end: their duration, and 1 % of it
/// for clocks that run at different rates.
const ACKNOWLEDGEMENT_DELAY: Duration = Duration::from_millis(1_010);

/// Times are nanoseconds since the start of the process. This one never comes.
const NEVER: u64 = u64::MAX;

/// The lease of one server on one primary. All times are readings of the server's monotonic clock, since an arbitrary
/// start.
#[derive(Debug)]
pub struct Lease {
    /// Answers are valid until then. [`NEVER`] as an end: the database has no lease.
    valid_until: AtomicU64,
    /// Changes are acknowledged from then on. [`NEVER`] before the first commit.
    acknowledged_from: AtomicU64,
    delay: Duration,
}

impl Lease {
    /// A lease that does not end until it is [suspended](Self::suspend). If another server may have been the primary
    /// before, the first acknowledgement waits for the leases on that one.
    #[must_use]
    pub const fn new(may_have_predecessor: bool) -> Self {
        Self {
            valid_until: AtomicU64::new(NEVER),
            acknowledged_from: AtomicU64::new(NEVER),
            delay: if may_have_predecessor { ACKNOWLEDGEMENT_DELAY } else { Duration::ZERO },
        }
    }

    /// Whether an answer that is read after `now` is valid. The clock is read only if the lease can end.
    pub fn is_valid(&self, now: impl FnOnce() -> Duration) -> bool {
        let until = self.valid_until.load(Ordering::Acquire);
        until == NEVER || nanos(now()) <= until
    }

    /// Whether the lease can end.
    #[must_use]
    pub fn can_end(&self) -> bool {
        self.valid_until.load(Ordering::Acquire) != NEVER
    }

    /// A beat that was sent at `sent` was committed at `committed`.
    pub fn extend(&self, sent: Duration, committed: Duration) {
        self.valid_until.store(nanos(sent + LEASE_DURATION), Ordering::Release);
        self.acknowledgement_wait(committed);
    }

    /// A commit needs no standby: the lease neither ends nor protects.
    pub fn waive(&self, committed: Duration) {
        self.valid_until.store(NEVER, Ordering::Release);
        self.acknowledgement_wait(committed);
    }

    /// A beat is sent at `sent` on a primary that needs a standby: a lease that did not end so far ends unless the beat
    /// is committed.
    pub fn limit(&self, sent: Duration) {
        let until = nanos(sent + LEASE_DURATION);
        let _ = self.valid_until.compare_exchange(NEVER, until, Ordering::AcqRel, Ordering::Acquire);
    }

    /// From now on, beats must renew the lease. No answer is valid before the first one.
    pub fn suspend(&self) {
        self.valid_until.store(0, Ordering::Release);
    }

    /// Returns how long the acknowledgement of a change must wait that was committed at `committed`.
    pub fn acknowledgement_wait(&self, committed: Duration) -> Duration {
        let first = nanos(committed + self.delay);
        let from = self.acknowledged_from.fetch_min(first, Ordering::AcqRel).min(first);
        Duration::from_nanos(from.saturating_sub(nanos(committed)))
    }

    /// A lease on the same primary for new connections, which waits no longer than this one.
    #[must_use]
    pub fn renewed(&self) -> Self {
        let copy = |value: &AtomicU64| AtomicU64::new(value.load(Ordering::Acquire));
        Self {
            valid_until: copy(&self.valid_until),
            acknowledged_from: copy(&self.acknowledged_from),
            delay: self.delay,
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_lease_counts_from_the_sending_of_its_beat() {
        let lease = Lease::new(true);
        lease.suspend();
        assert!(!lease.is_valid(|| at(1)), "no beat was committed");
        lease.extend(at(500), at(1_400));
        assert!(lease.is_valid(|| at(1_500)) && !lease.is_valid(|| at(1_501)));
        lease.suspend();
        assert!(!lease.is_valid(|| at(1_000)));
    }

    #[test]
    fn changes_on_a_new_primary_wait_for_the_leases_on_the_old_one() {
        let lease = Lease::new(true);
        assert_eq!(lease.acknowledgement_wait(at(100)), at(1_010));
        assert_eq!(lease.acknowledgement_wait(at(600)), at(510));
        lease.extend(at(650), at(700));
        assert_eq!(lease.renewed().acknowledgement_wait(at(1_110)), Duration::ZERO);
        assert_eq!(lease.acknowledgement_wait(at(9_000)), Duration::ZERO);
    }

    #[test]
    fn a_lease_without_beats_reads_no_clock_and_waits_for_nothing() {
        let lease = Lease::new(false);
        assert!(lease.is_valid(|| unreachable!("the clock was read")) && !lease.can_end());
        assert_eq!(lease.acknowledgement_wait(at(100)), Duration::ZERO);
    }

    #[test]
    fn a_primary_without_a_standby_has_no_lease_to_lose() {
        let lease = Lease::new(true);
        lease.waive(at(100));
        assert!(lease.is_valid(|| at(99_000)));
        assert_eq!(lease.acknowledgement_wait(at(600)), at(510), "leases on the old primary end all the same");
        lease.limit(at(99_000));
        assert!(lease.is_valid(|| at(100_000)) && !lease.is_valid(|| at(100_001)), "its beats need a standby now");
        lease.limit(at(101_000));
        assert!(!lease.is_valid(|| at(101_500)), "only a beat that was committed extends it");
    }
}
