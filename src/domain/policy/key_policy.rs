//! A company's key policy, and the expiry of a new key under it.

use std::ops::RangeInclusive;
use std::time::Duration;

use time::Date;

use crate::domain::text::date;
use crate::domain::timestamp::Timestamp;

const DAY: Duration = Duration::from_hours(24);
/// Ten years. A later date is a typing error.
const MAX_EXPIRY: Duration = Duration::from_hours(24 * 3_653);
const MAX_PERIOD_DAYS: u16 = 3_650;
/// A shorter idle end would end keys of monthly jobs, a longer one none.
const IDLE_END_DAYS: RangeInclusive<u16> = 30..=365;

/// A number of days, from 1 to 3,650.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(u16);

impl Days {
    pub const ONE: Self = Self(1);
    /// The periods that forms offer.
    pub const PRESETS: [Self; 4] = [Self(30), Self(90), Self(180), Self(365)];

    /// Returns `None` if the number is out of range.
    #[must_use]
    pub fn new(days: i32) -> Option<Self> {
        u16::try_from(days).ok().filter(|days| (1..=MAX_PERIOD_DAYS).contains(days)).map(Self)
    }

    #[must_use]
    pub const fn count(self) -> u16 {
        self.0
    }

    #[must_use]
    pub fn duration(self) -> Duration {
        DAY * u32::from(self.0)
    }
}

/// The rules of a company for its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyPolicy {
    /// The lifetime of a key if the request does not set an expiry.
    pub default_expiry: Option<Days>,
    pub maximum_lifetime: Option<Days>,
    /// The age from which a key should be rotated.
    pub rotation_period: Option<Days>,
    /// A key that was not used for so long ends.
    pub idle_end: Option<Days>,
}

/// Why an expiry is refused, as a sentence for the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// Not one of the choices.
    #[error("Choose when the key expires")]
    Unknown,
    #[error("Choose a date")]
    Malformed,
    #[error("Choose a date in the future")]
    Past,
    #[error("Choose a date within the next 10 years")]
    TooFar,
    /// Later than the maximum lifetime, in days.
    #[error("Your company allows keys to live up to {0} days. Choose an earlier date.")]
    BeyondPolicy(u16),
}

/// The expiry that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestedExpiry {
    /// The policy decides.
    Default,
    Never,
    For(Days),
    /// The end of a day.
    Until(Timestamp),
}

impl RequestedExpiry {
    /// Parses the form field `expires`, and `expires_on` if the former is `date`. `end_of_day` returns the end of a day
    /// in the user's time zone.
    pub fn parse(
        expires: &str,
        expires_on: &str,
        end_of_day: impl Fn(Date) -> Option<Timestamp>,
    ) -> Result<Self, ExpiryError> {
        let on = |date: &str| {
            let date = date::parse_date(date.trim()).ok_or(ExpiryError::Malformed)?;
            end_of_day(date).map(Self::Until).ok_or(ExpiryError::TooFar)
        };
        match expires {
            "" => Ok(Self::Default),
            "none" => Ok(Self::Never),
            "date" => on(expires_on),
            days if days.ends_with('d') => {
                let preset = Days::PRESETS.into_iter().find(|preset| days == format!("{}d", preset.0));
                preset.map(Self::For).ok_or(ExpiryError::Unknown)
            }
            date if date.starts_with(|first: char| first.is_ascii_digit()) => on(date),
            _ => Err(ExpiryError::Unknown),
        }
    }
}

impl KeyPolicy {
    /// Parses a field of the policy form: a number of days, or `none`. Returns `None` if it is neither.
    #[must_use]
    pub fn parse_days(value: &str) -> Option<Option<Days>> {
        match value {
            "" | "none" => Some(None),
            days => days.parse().ok().and_then(Days::new).map(Some),
        }
    }

    /// Parses the field for the idle end: 30 to 365 days, or `none`. Returns `None` if it is neither.
    #[must_use]
    pub fn parse_idle_end(value: &str) -> Option<Option<Days>> {
        let days = Self::parse_days(value)?;
        days.is_none_or(|days| IDLE_END_DAYS.contains(&days.0)).then_some(days)
    }

    /// Returns the lifetime of a key if the request does not set an expiry. It never exceeds the maximum.
    #[must_use]
    pub fn default_lifetime(&self) -> Option<Days> {
        match (self.default_expiry, self.maximum_lifetime) {
            (Some(default), Some(maximum)) => Some(default.min(maximum)),
            (default, maximum) => default.or(maximum),
        }
    }

    /// Returns when a key that is created at `now` expires; `None` if it never does.
    pub fn resolve_expiry(&self, requested: RequestedExpiry, now: Timestamp) -> Result<Option<Timestamp>, ExpiryError> {
        let maximum = self.maximum_lifetime;
        let beyond = |maximum: Days| ExpiryError::BeyondPolicy(maximum.0);
        match requested {
            RequestedExpiry::Default => Ok(self.default_lifetime().map(|days| now + days.duration())),
            RequestedExpiry::Never => maximum.map_or(Ok(None), |maximum| Err(beyond(maximum))),
            RequestedExpiry::For(days) => match maximum.filter(|maximum| days > *maximum) {
                Some(maximum) => Err(beyond(maximum)),
                None => Ok(Some(now + days.duration())),
            },
            RequestedExpiry::Until(at) if at <= now => Err(ExpiryError::Past),
            RequestedExpiry::Until(at) if at.since(now) > MAX_EXPIRY => Err(ExpiryError::TooFar),
            // A date means the end of that day, so it may be up to a day later than the maximum.
            RequestedExpiry::Until(at) => match maximum.filter(|maximum| at.since(now) > maximum.duration() + DAY) {
                Some(maximum) => Err(beyond(maximum)),
                None => Ok(Some(at)),
            },
        }
    }

    /// Returns the new expiry of a key that was created at `created_at` and expires at `current`. Its maximum lifetime
    /// counts from its creation. A key that exceeds it may get an earlier expiry.
    pub fn change_expiry(
        &self,
        requested: RequestedExpiry,
        created_at: Timestamp,
        current: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, ExpiryError> {
        let expiry = Self { maximum_lifetime: None, ..*self }.resolve_expiry(requested, now)?;
        let Some(maximum) = self.maximum_lifetime else { return Ok(expiry) };
        let order = |expiry: Option<Timestamp>| expiry.map_or(i64::MAX, Timestamp::as_micros);
        // A date means the end of that day, so it may be up to a day later than the maximum.
        let latest = created_at + maximum.duration() + DAY;
        if order(expiry) <= order(Some(latest)).max(order(current)) {
            return Ok(expiry);
        }
        Err(ExpiryError::BeyondPolicy(maximum.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_424_400_000_000);

    fn end_of_day(date: Date) -> Option<Timestamp> {
        let end = date.next_day()?.midnight().assume_utc().unix_timestamp();
        Some(Timestamp::from_micros(end * 1_000_000 - 1))
    }

    fn parse(expires: &str, expires_on: &str) -> Result<RequestedExpiry, ExpiryError> {
        RequestedExpiry::parse(expires, expires_on, end_of_day)
    }

    fn policy(default: i32, maximum: i32) -> KeyPolicy {
        let (default_expiry, maximum_lifetime) = (Days::new(default), Days::new(maximum));
        KeyPolicy { default_expiry, maximum_lifetime, ..KeyPolicy::default() }
    }

    #[test]
    fn a_requested_expiry_is_a_choice_or_a_date() {
        assert_eq!(parse("", ""), Ok(RequestedExpiry::Default));
        assert_eq!(parse("none", "2026-12-31"), Ok(RequestedExpiry::Never));
        assert_eq!(parse("90d", ""), Ok(RequestedExpiry::For(Days(90))));
        let until = RequestedExpiry::Until(Timestamp::from_micros(1_798_761_599_999_999));
        assert_eq!((parse("2026-12-31", ""), parse("date", " 2026-12-31 ")), (Ok(until), Ok(until)));
        for unknown in ["31d", "d", "-90d", "never", "NONE"] {
            assert_eq!(parse(unknown, ""), Err(ExpiryError::Unknown), "{unknown}");
        }
        for malformed in ["", "31.12.2026", "2026-02-29", "2026-13-01", "10000-01-01", "99999999999-01-01", "2026-1-1"]
        {
            assert_eq!(parse("date", malformed), Err(ExpiryError::Malformed), "{malformed}");
        }
        assert_eq!(parse("9999-12-31", ""), Err(ExpiryError::TooFar));
    }

    #[test]
    fn a_key_expires_as_requested_or_by_the_policy() {
        let expiry = |policy: KeyPolicy, requested| policy.resolve_expiry(requested, NOW);
        assert_eq!(expiry(policy(0, 0), RequestedExpiry::Default), Ok(None));
        assert_eq!(expiry(policy(90, 0), RequestedExpiry::Default), Ok(Some(NOW + DAY * 90)));
        assert_eq!(expiry(policy(90, 30), RequestedExpiry::Default), Ok(Some(NOW + DAY * 30)));
        assert_eq!(expiry(policy(0, 30), RequestedExpiry::Default), Ok(Some(NOW + DAY * 30)));
        assert_eq!(expiry(policy(90, 0), RequestedExpiry::Never), Ok(None));
        assert_eq!(expiry(policy(0, 0), RequestedExpiry::For(Days(365))), Ok(Some(NOW + DAY * 365)));
    }

    #[test]
    fn an_expiry_beyond_the_policy_is_refused() {
        let expiry = |requested| policy(0, 90).resolve_expiry(requested, NOW);
        assert_eq!(expiry(RequestedExpiry::Never), Err(ExpiryError::BeyondPolicy(90)));
        assert_eq!(expiry(RequestedExpiry::For(Days(180))), Err(ExpiryError::BeyondPolicy(90)));
        assert!(expiry(RequestedExpiry::For(Days(90))).is_ok());
        assert!(expiry(RequestedExpiry::Until(NOW + DAY * 91)).is_ok());
        let later = NOW + DAY * 91 + Duration::from_micros(1);
        assert_eq!(expiry(RequestedExpiry::Until(later)), Err(ExpiryError::BeyondPolicy(90)));
    }

    #[test]
    fn a_changed_expiry_counts_from_the_creation_of_the_key() {
        let created_at = NOW - DAY * 60;
        let change = |requested, current| policy(0, 90).change_expiry(requested, created_at, current, NOW);
        let current = Some(NOW + DAY * 10);
        assert_eq!(change(RequestedExpiry::For(Days(30)), current), Ok(Some(NOW + DAY * 30)));
        assert_eq!(change(RequestedExpiry::For(Days(90)), current), Err(ExpiryError::BeyondPolicy(90)));
        assert_eq!(change(RequestedExpiry::Never, current), Err(ExpiryError::BeyondPolicy(90)));
        assert_eq!(change(RequestedExpiry::Until(NOW), current), Err(ExpiryError::Past));
        // A key that exceeds the maximum may end earlier than it would.
        assert_eq!(change(RequestedExpiry::For(Days(180)), None), Ok(Some(NOW + DAY * 180)));
        assert_eq!(policy(0, 0).change_expiry(RequestedExpiry::Never, created_at, current, NOW), Ok(None));
    }

    #[test]
    fn an_expiry_is_in_the_future_and_within_ten_years() {
        let expiry = |at| KeyPolicy::default().resolve_expiry(RequestedExpiry::Until(at), NOW);
        assert_eq!(expiry(NOW), Err(ExpiryError::Past));
        assert!(expiry(NOW + Duration::from_micros(1)).is_ok());
        assert!(expiry(NOW + MAX_EXPIRY).is_ok());
        assert_eq!(expiry(NOW + MAX_EXPIRY + DAY), Err(ExpiryError::TooFar));
        assert_eq!(expiry(Timestamp::from_micros(i64::MAX)), Err(ExpiryError::TooFar));
    }

    #[test]
    fn a_period_of_a_policy_is_days_or_none() {
        assert_eq!(KeyPolicy::parse_days("none"), Some(None));
        assert_eq!(KeyPolicy::parse_days("45"), Some(Some(Days(45))));
        assert_eq!(KeyPolicy::parse_idle_end(""), Some(None));
        for (typed, days) in [("30", 30), ("365", 365)] {
            assert_eq!(KeyPolicy::parse_idle_end(typed), Some(Some(Days(days))));
        }
        for wrong in ["29", "366", "soon"] {
            assert_eq!(KeyPolicy::parse_idle_end(wrong), None, "{wrong}");
        }
        for wrong in ["0", "-1", "3651", "1.5", "soon", "99999999999"] {
            assert_eq!(KeyPolicy::parse_days(wrong), None, "{wrong}");
        }
    }
}
