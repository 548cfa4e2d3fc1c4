//! Timestamps: UTC microseconds since 1970, in memory and in both databases.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns the time in RFC 3339, UTC, in whole seconds; `None` if it is beyond the calendar.
    #[must_use]
    pub fn to_rfc_3339(self) -> Option<String> {
        OffsetDateTime::from_unix_timestamp(self.as_seconds()).ok()?.format(&Rfc3339).ok()
    }

    /// Returns the time in RFC 3339, UTC, with six digits of microseconds.
    #[must_use]
    pub fn to_rfc_3339_with_micros(self) -> Option<String> {
        let seconds = self.to_rfc_3339()?;
        Some(format!("{}.{:06}Z", seconds.strip_suffix('Z')?, self.0.rem_euclid(1_000_000)))
    }

    /// Parses a time in RFC 3339, with any offset.
    #[must_use]
    pub fn parse_rfc_3339(text: &str) -> Option<Self> {
        let nanos = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
        i64::try_from(nanos.div_euclid(1_000)).ok().map(Self)
    }

    /// Returns whole seconds since 1970, UTC (RFC 7519).
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Returns how much later `self` is than `earlier`; zero if it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }
}

impl Sub<Duration> for Timestamp {
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
    fn the_time_since_a_later_timestamp_is_zero() {
        let earlier = Timestamp::from_micros(1);
        let later = earlier + Duration::from_secs(2);
        assert_eq!(later.since(earlier), Duration::from_secs(2));
        assert_eq!(earlier.since(later), Duration::ZERO);
    }

    #[test]
    fn rfc_3339_has_whole_seconds_or_six_digits() {
        let last_micro = Timestamp::from_micros(1_795_424_399_999_999);
        assert_eq!(last_micro.to_rfc_3339().as_deref(), Some("2026-11-23T08:59:59Z"));
        assert_eq!((last_micro.as_seconds(), Timestamp::from_micros(-1).as_seconds()), (1_795_424_399, -1));
        assert_eq!(Timestamp::from_micros(i64::MAX).to_rfc_3339(), None);
        assert_eq!(last_micro.to_rfc_3339_with_micros().as_deref(), Some("2026-11-23T08:59:59.999999Z"));
        assert_eq!(
            Timestamp::from_micros(-1).to_rfc_3339_with_micros().as_deref(),
            Some("1969-12-31T23:59:59.999999Z")
        );
    }

    #[test]
    fn a_time_is_parsed_with_any_offset() {
        let parsed = |text| Timestamp::parse_rfc_3339(text).map(Timestamp::as_micros);
        assert_eq!(parsed("2026-11-23T08:59:59.999999Z"), Some(1_795_424_399_999_999));
        assert_eq!(parsed("2026-11-23T10:59:59+02:00"), Some(1_795_424_399_000_000));
        for wrong in ["", "2026-11-23", "2026-11-23T08:59:59", "never"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn arithmetic_saturates() {
        let last = Timestamp::from_micros(i64::MAX);
        assert_eq!(last + Duration::from_secs(1), last);
        assert_eq!(Timestamp::from_micros(i64::MIN) - Duration::from_secs(1), Timestamp::from_micros(i64::MIN));
    }
}
