//! Instants: UTC microseconds since 1970, the one representation of time in memory and in both databases.

use std::ops::{Add, Sub};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// An instant from microseconds since 1970, UTC.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970, UTC.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The instant as RFC 3339 writes it, UTC, in whole seconds; `None` beyond the calendar.
    #[must_use]
    pub fn to_rfc_3339(self) -> Option<String> {
        OffsetDateTime::from_unix_timestamp(self.as_seconds()).ok()?.format(&Rfc3339).ok()
    }

    /// The same with its microseconds, all six digits of them.
    #[must_use]
    pub fn to_rfc_3339_with_micros(self) -> Option<String> {
        let seconds = self.to_rfc_3339()?;
        Some(format!("{}.{:06}Z", seconds.strip_suffix('Z')?, self.0.rem_euclid(1_000_000)))
    }

    /// Whole seconds since 1970, UTC, as RFC 7519 counts them.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How much later `self` is than `earlier`; zero where it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros(duration)))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_instant_is_zero_later_than_a_later_one() {
        let earlier = Instant::from_micros(1);
        let later = earlier + Duration::from_secs(2);
        assert_eq!(later.since(earlier), Duration::from_secs(2));
        assert_eq!(earlier.since(later), Duration::ZERO);
    }

    #[test]
    fn an_instant_is_written_in_whole_seconds() {
        let last_micro = Instant::from_micros(1_795_424_399_999_999);
        assert_eq!(last_micro.to_rfc_3339().as_deref(), Some("2026-11-23T08:59:59Z"));
        assert_eq!((last_micro.as_seconds(), Instant::from_micros(-1).as_seconds()), (1_795_424_399, -1));
        assert_eq!(Instant::from_micros(i64::MAX).to_rfc_3339(), None);
        assert_eq!(last_micro.to_rfc_3339_with_micros().as_deref(), Some("2026-11-23T08:59:59.999999Z"));
        assert_eq!(Instant::from_micros(-1).to_rfc_3339_with_micros().as_deref(), Some("1969-12-31T23:59:59.999999Z"));
    }

    #[test]
    fn arithmetic_stops_at_the_ends_of_time_instead_of_wrapping() {
        let last = Instant::from_micros(i64::MAX);
        assert_eq!(last + Duration::from_secs(1), last);
        assert_eq!(Instant::from_micros(i64::MIN) - Duration::from_secs(1), Instant::from_micros(i64::MIN));
    }
}
