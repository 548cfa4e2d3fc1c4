//! How long a session lasts.

use std::time::Duration;

use crate::domain::timestamp::Timestamp;

/// A session that is unused for this long expires.
pub const IDLE_TIMEOUT: Duration = Duration::from_hours(1);
/// A session expires this long after sign-in, even if it is in use.
pub const MAX_AGE: Duration = Duration::from_hours(24);
/// Clocks of two servers may differ by this much. A session from further in the future was created before a clock was
/// set back, and is refused.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_mins(5);

/// Whether a session with these times has expired.
#[must_use]
pub fn has_expired(created_at: Timestamp, last_seen_at: Timestamp, now: Timestamp) -> bool {
    created_at.since(now) > MAX_CLOCK_SKEW
        || now.since(last_seen_at) >= IDLE_TIMEOUT
        || now.since(created_at) >= MAX_AGE
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    #[test]
    fn an_idle_hour_or_a_day_ends_a_session() {
        let just_after = START + Duration::from_micros(1);
        assert!(!has_expired(just_after, just_after, START + IDLE_TIMEOUT));
        assert!(has_expired(START, START, START + IDLE_TIMEOUT));
        assert!(!has_expired(just_after, START + MAX_AGE, START + MAX_AGE));
        assert!(has_expired(START, START + MAX_AGE, START + MAX_AGE));
    }

    #[test]
    fn a_session_from_the_future_has_expired() {
        assert!(!has_expired(START + MAX_CLOCK_SKEW, START, START));
        assert!(has_expired(START + MAX_CLOCK_SKEW + Duration::from_micros(1), START, START));
    }
}
