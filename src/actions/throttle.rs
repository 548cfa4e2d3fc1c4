//! The limits on failed guesses: how long a counter makes the next attempt wait.

use std::time::Duration;

use crate::domain::timestamp::Timestamp;
use crate::store::SignInFailures;

/// From this many consecutive failures on, each one causes a wait. Honest typos stay below 5.
const FAILURES_BEFORE_WAIT: i64 = 7;
/// From this many consecutive failures on, only browsers that the user has signed in with may try.
const FAILURES_BEFORE_BLOCK: i64 = 100;
/// From this many failures within [`WAIT`] on, a client must wait.
pub(super) const CLIENT_FAILURES_BEFORE_WAIT: i64 = 100;
pub(super) const WAIT: Duration = Duration::from_mins(15);
/// The clocks of two servers may differ by this much.
const MAX_CLOCK_SKEW: Duration = Duration::from_mins(5);

/// Why an attempt is refused before it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Throttle {
    Wait(Duration),
    Blocked,
}

/// What a counter counts, which decides its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// The failures of all unknown browsers for one email address.
    Address,
    /// The failures of one browser that the user has signed in with, or of a signed-in user.
    KnownBrowser,
    /// The failures of one client for all email addresses.
    Client,
}

impl Limit {
    pub(super) fn throttle(self, counted: &SignInFailures, now: Timestamp) -> Option<Throttle> {
        match self {
            Self::Address if counted.failures >= FAILURES_BEFORE_BLOCK => Some(Throttle::Blocked),
            Self::Address | Self::KnownBrowser => {
                let is_waiting = counted.failures >= FAILURES_BEFORE_WAIT;
                is_waiting.then(|| remaining(counted.last_at, now))?.map(Throttle::Wait)
            }
            Self::Client => {
                let is_waiting = counted.failures >= CLIENT_FAILURES_BEFORE_WAIT;
                is_waiting.then(|| remaining(counted.first_at, now))?.map(Throttle::Wait)
            }
        }
    }

    /// Whether counting starts again at zero: failures of a client count for a limited time.
    pub(super) fn is_over(self, counted: &SignInFailures, now: Timestamp) -> bool {
        self == Self::Client && now.since(Timestamp::from_micros(counted.first_at)) >= WAIT
    }
}

/// Returns the rest of a wait; `None` if it started in the future, as after a clock went back.
fn remaining(start_micros: i64, now: Timestamp) -> Option<Duration> {
    let start = Timestamp::from_micros(start_micros);
    let is_past = start.since(now) <= MAX_CLOCK_SKEW;
    WAIT.checked_sub(now.since(start)).filter(|wait| is_past && !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn throttle(limit: Limit, failures: i64, now: Timestamp) -> Option<Throttle> {
        let at = NOW.as_micros();
        let counted = SignInFailures { failures, first_at: at, last_at: at, unreported: 0, reported_at: None };
        limit.throttle(&counted, now)
    }

    #[test]
    fn the_seventh_failure_in_a_row_causes_a_wait_of_15_minutes() {
        for limit in [Limit::Address, Limit::KnownBrowser] {
            assert_eq!(throttle(limit, 6, NOW), None);
            assert_eq!(throttle(limit, 7, NOW), Some(Throttle::Wait(WAIT)));
            let later = NOW + Duration::from_mins(14);
            assert_eq!(throttle(limit, 7, later), Some(Throttle::Wait(Duration::from_mins(1))));
            assert_eq!(throttle(limit, 7, NOW + WAIT), None);
        }
    }

    #[test]
    fn the_hundredth_failure_blocks_unknown_browsers_only() {
        assert_eq!(throttle(Limit::Address, 100, NOW + WAIT), Some(Throttle::Blocked));
        assert_eq!(throttle(Limit::KnownBrowser, 100, NOW + WAIT), None);
    }

    #[test]
    fn a_clock_that_went_back_causes_no_wait() {
        assert_eq!(throttle(Limit::Address, 7, NOW - Duration::from_hours(48)), None);
    }

    #[test]
    fn the_hundredth_failure_of_a_client_causes_a_wait() {
        assert_eq!(throttle(Limit::Client, 99, NOW), None);
        assert_eq!(throttle(Limit::Client, 100, NOW), Some(Throttle::Wait(WAIT)));
        assert_eq!(throttle(Limit::Client, 100, NOW + WAIT), None);
    }

    #[test]
    fn a_block_outweighs_any_wait() {
        assert!(Throttle::Blocked > Throttle::Wait(Duration::MAX));
        assert!(Throttle::Wait(WAIT) > Throttle::Wait(Duration::from_mins(1)));
    }
}
