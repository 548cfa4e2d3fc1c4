//! What failed at a witness, and when it is tried again. In memory: after a restart everything is tried at once.

use std::collections::HashMap;
use std::time::Duration;

use super::Failure;
use crate::domain::ids::TrailId;
use crate::domain::instant::Instant;

const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// So many trails are remembered; of more, each is tried in every round.
const MOST_TRAILS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Retries {
    waiting: HashMap<TrailId, Waiting>,
    /// Since something last succeeded.
    outage: Option<(Instant, String)>,
    begins_after: Option<TrailId>,
}

#[derive(Debug)]
struct Waiting {
    pause: Duration,
    failed_at: Instant,
    failure: Failure,
}

impl Retries {
    /// Whether a trail's checkpoint is to be tried. A clock that was set back keeps nobody waiting.
    pub(super) fn is_due(&self, trail: TrailId, now: Instant) -> bool {
        self.waiting
            .get(&trail)
            .is_none_or(|waiting| now < waiting.failed_at || now.since(waiting.failed_at) >= waiting.pause)
    }

    /// The trail behind which the next round begins: one that fails must not keep the others from being tried.
    pub(super) fn begins_after(&mut self) -> Option<TrailId> {
        self.begins_after.take()
    }

    /// Says so.
    pub(super) fn begin_after(&mut self, trail: TrailId) {
        self.begins_after = Some(trail);
    }

    /// Why a trail's latest checkpoint is not witnessed, and when that was found.
    pub(super) fn failure(&self, trail: TrailId) -> Option<(Instant, String)> {
        let own = self.waiting.get(&trail).map(|waiting| (waiting.failed_at, waiting.failure.to_string()));
        own.or_else(|| self.outage.clone())
    }

    /// Notes a failure; whether it is the first since everything was well, which is worth a line in the log.
    pub(super) fn failed(&mut self, trail: TrailId, failure: &Failure, now: Instant) -> bool {
        let is_first = self.waiting.is_empty() && self.outage.is_none();
        if failure.is_outage {
            self.outage = Some((now, failure.to_string()));
        }
        let pause = self.waiting.get(&trail).map_or(FIRST_PAUSE, |before| (before.pause * 2).min(LONGEST_PAUSE));
        if self.waiting.len() < MOST_TRAILS || self.waiting.contains_key(&trail) {
            self.waiting.insert(trail, Waiting { pause, failed_at: now, failure: failure.clone() });
        }
        is_first
    }

    /// Notes that a trail's checkpoint is witnessed, with which an outage is over; whether all is well again by it.
    pub(super) fn succeeded(&mut self, trail: TrailId) -> bool {
        let was_well = self.waiting.is_empty() && self.outage.is_none();
        self.outage = None;
        self.waiting.retain(|waiting, reason| *waiting != trail && !reason.failure.is_outage);
        !was_well && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CompanyId;

    const NOW: Instant = Instant::from_micros(1_795_424_400_000_000);

    fn trail(number: u8) -> TrailId {
        CompanyId::new(NOW, &[number; 10]).into()
    }

    #[test]
    fn pauses_grow_from_fifteen_seconds_to_ten_minutes() {
        let (mut retries, mut now) = (Retries::default(), NOW);
        assert!(retries.is_due(trail(1), now));
        for seconds in [15, 30, 60, 120, 240, 480, 600, 600] {
            retries.failed(trail(1), &Failure::outage("down"), now);
            assert!(!retries.is_due(trail(1), now + Duration::from_secs(seconds - 1)), "{seconds}");
            now = now + Duration::from_secs(seconds);
            assert!(retries.is_due(trail(1), now), "{seconds}");
        }
        assert!(retries.is_due(trail(1), NOW), "a clock that was set back");
        assert!(retries.is_due(trail(2), now), "another trail waits for nothing");
    }

    #[test]
    fn an_outage_is_over_for_all_trails_at_the_first_success_and_a_refusal_is_not() {
        let mut retries = Retries::default();
        assert!(retries.failed(trail(1), &Failure::outage("down"), NOW));
        assert!(!retries.failed(trail(2), &Failure::outage("down"), NOW));
        assert!(!retries.failed(trail(3), &Failure::refusal("it answered 404"), NOW));
        assert_eq!(retries.failure(trail(4)), Some((NOW, "down".to_owned())));
        assert!(!retries.succeeded(trail(4)));
        assert!(retries.is_due(trail(1), NOW) && retries.is_due(trail(2), NOW) && !retries.is_due(trail(3), NOW));
        assert_eq!(retries.failure(trail(3)), Some((NOW, "it answered 404".to_owned())));
        assert_eq!(retries.failure(trail(1)), None);
        assert!(retries.succeeded(trail(3)));
        assert!(!retries.succeeded(trail(3)), "it is said once");
        assert!(retries.failed(trail(1), &Failure::outage("down"), NOW));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut retries = Retries::default();
        for number in 0..=u64::try_from(MOST_TRAILS).unwrap() {
            let at = NOW + Duration::from_millis(number);
            retries.failed(CompanyId::new(at, &[0; 10]).into(), &Failure::refusal("it answered 404"), NOW);
        }
        assert_eq!(retries.waiting.len(), MOST_TRAILS);
    }
}
