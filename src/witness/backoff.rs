//! Decides when a failed checkpoint is retried. Kept in memory: after a restart, every checkpoint is due.

use std::collections::HashMap;
use std::time::Duration;

use super::error::Failure;
use crate::domain::ids::TrailId;
use crate::domain::timestamp::Timestamp;

const MIN_DELAY: Duration = Duration::from_secs(15);
const MAX_DELAY: Duration = Duration::from_mins(10);
/// Further trails are tried in every round.
const MAX_TRAILS: usize = 10_000;

/// Exponential backoff for each trail, and the outage that concerns all of them.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failed: HashMap<TrailId, FailedTrail>,
    /// The last outage since a success.
    outage: Option<(Timestamp, String)>,
    resume_after: Option<TrailId>,
}

#[derive(Debug)]
struct FailedTrail {
    delay: Duration,
    failed_at: Timestamp,
    failure: Failure,
}

impl Backoff {
    /// Returns whether the checkpoint of a trail is to be tried. A clock that was set back does not extend the delay.
    pub(super) fn is_due(&self, trail: TrailId, now: Timestamp) -> bool {
        self.failed
            .get(&trail)
            .is_none_or(|failed| now < failed.failed_at || now.since(failed.failed_at) >= failed.delay)
    }

    /// Returns, once, the trail after which the next round starts: a failing trail must not starve the others.
    pub(super) fn take_resume_point(&mut self) -> Option<TrailId> {
        self.resume_after.take()
    }

    pub(super) fn set_resume_point(&mut self, trail: TrailId) {
        self.resume_after = Some(trail);
    }

    /// Returns why the latest checkpoint of a trail is not witnessed, and when it was last tried.
    pub(super) fn failure(&self, trail: TrailId) -> Option<(Timestamp, String)> {
        let own = self.failed.get(&trail).map(|failed| (failed.failed_at, failed.failure.to_string()));
        own.or_else(|| self.outage.clone())
    }

    /// Records a failure. Returns whether it is the first since all trails were witnessed: the log reports only that
    /// one.
    pub(super) fn record_failure(&mut self, trail: TrailId, failure: &Failure, now: Timestamp) -> bool {
        let is_first = self.failed.is_empty() && self.outage.is_none();
        if failure.is_outage {
            self.outage = Some((now, failure.to_string()));
        }
        let delay = self.failed.get(&trail).map_or(MIN_DELAY, |failed| (failed.delay * 2).min(MAX_DELAY));
        if self.failed.len() < MAX_TRAILS || self.failed.contains_key(&trail) {
            self.failed.insert(trail, FailedTrail { delay, failed_at: now, failure: failure.clone() });
        }
        is_first
    }

    /// Records a success, which ends an outage. Returns whether no failure is left.
    pub(super) fn record_success(&mut self, trail: TrailId) -> bool {
        let had_failures = !self.failed.is_empty() || self.outage.is_some();
        self.outage = None;
        self.failed.retain(|failed, reason| *failed != trail && !reason.failure.is_outage);
        had_failures && self.failed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CompanyId;

    const NOW: Timestamp = Timestamp::from_micros(1_795_424_400_000_000);

    fn trail(number: u8) -> TrailId {
        CompanyId::new(NOW, &[number; 10]).into()
    }

    #[test]
    fn delays_double_from_fifteen_seconds_to_ten_minutes() {
        let (mut backoff, mut now) = (Backoff::default(), NOW);
        assert!(backoff.is_due(trail(1), now));
        for seconds in [15, 30, 60, 120, 240, 480, 600, 600] {
            backoff.record_failure(trail(1), &Failure::outage("down"), now);
            assert!(!backoff.is_due(trail(1), now + Duration::from_secs(seconds - 1)), "{seconds}");
            now = now + Duration::from_secs(seconds);
            assert!(backoff.is_due(trail(1), now), "{seconds}");
        }
        assert!(backoff.is_due(trail(1), NOW), "a clock that was set back");
        assert!(backoff.is_due(trail(2), now), "another trail has no delay");
    }

    #[test]
    fn one_success_ends_an_outage_for_all_trails_but_no_refusal() {
        let mut backoff = Backoff::default();
        assert!(backoff.record_failure(trail(1), &Failure::outage("down"), NOW));
        assert!(!backoff.record_failure(trail(2), &Failure::outage("down"), NOW));
        assert!(!backoff.record_failure(trail(3), &Failure::refusal("it answered 404"), NOW));
        assert_eq!(backoff.failure(trail(4)), Some((NOW, "down".to_owned())));
        assert!(!backoff.record_success(trail(4)));
        assert!(backoff.is_due(trail(1), NOW) && backoff.is_due(trail(2), NOW) && !backoff.is_due(trail(3), NOW));
        assert_eq!(backoff.failure(trail(3)), Some((NOW, "it answered 404".to_owned())));
        assert_eq!(backoff.failure(trail(1)), None);
        assert!(backoff.record_success(trail(3)));
        assert!(!backoff.record_success(trail(3)), "the recovery is reported once");
        assert!(backoff.record_failure(trail(1), &Failure::outage("down"), NOW));
    }

    #[test]
    fn the_number_of_trails_is_bounded() {
        let mut backoff = Backoff::default();
        for number in 0..=u64::try_from(MAX_TRAILS).unwrap() {
            let at = NOW + Duration::from_millis(number);
            backoff.record_failure(CompanyId::new(at, &[0; 10]).into(), &Failure::refusal("it answered 404"), NOW);
        }
        assert_eq!(backoff.failed.len(), MAX_TRAILS);
    }
}
