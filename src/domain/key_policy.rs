//! What a company asks of its keys, and how long a new key may live: wishes held against the policy.

use std::time::Duration;

use time::Date;

use super::calendar;
use super::instant::Instant;

const DAY: Duration = Duration::from_hours(24);
/// Nobody plans further; what lies beyond is a slip of the finger.
const FARTHEST: Duration = Duration::from_hours(24 * 3_653);
/// The longest period of a policy, in days.
const LONGEST_PERIOD: u16 = 3_650;

/// A number of days, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(u16);

impl Days {
    /// The periods that forms offer.
    pub const OFFERED: [Self; 4] = [Self(30), Self(90), Self(180), Self(365)];

    /// That many days, where a policy can ask for so many.
    #[must_use]
    pub fn new(days: i32) -> Option<Self> {
        u16::try_from(days).ok().filter(|days| (1..=LONGEST_PERIOD).contains(days)).map(Self)
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> u16 {
        self.0
    }

    /// As a time span of 24 hours each.
    #[must_use]
    pub fn duration(self) -> Duration {
        DAY * u32::from(self.0)
    }
}

/// What a company asks of its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyPolicy {
    /// When a key expires for which nobody wished anything.
    pub default_expiry: Option<Days>,
    /// How long a key may live at most.
    pub maximum_lifetime: Option<Days>,
    /// After how long a key is to be rotated.
    pub rotation_period: Option<Days>,
}

/// Why a key cannot live as long as somebody wished. Displays as the sentence to put beside the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// Not one of the choices.
    #[error("Choose when the key expires")]
    Unknown,
    /// Not a date.
    #[error("Choose a date")]
    Malformed,
    /// A date that has gone by.
    #[error("Choose a date that has not gone by")]
    Past,
    /// More than ten years from now.
    #[error("Choose a date within the next 10 years")]
    TooFar,
    /// Longer than the policy allows.
    #[error("Keys may live for {0} days at most here. Choose an earlier end.")]
    BeyondPolicy(u16),
}

/// Until when somebody wishes that a key be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryWish {
    /// As the policy says.
    Default,
    /// Without an end.
    Never,
    /// For so long.
    For(Days),
    /// Until that instant, the end of a day.
    Until(Instant),
}

impl ExpiryWish {
    /// Reads the field `expires`, and `expires_on` where that says `date`. `end_of_day` knows when a day ends for whoever
    /// wishes.
    ///
    /// # Errors
    /// [`ExpiryError`].
    pub fn parse(
        expires: &str,
        expires_on: &str,
        end_of_day: impl Fn(Date) -> Option<Instant>,
    ) -> Result<Self, ExpiryError> {
        let on = |date: &str| {
            let date = calendar::date(date.trim()).ok_or(ExpiryError::Malformed)?;
            end_of_day(date).map(Self::Until).ok_or(ExpiryError::TooFar)
        };
        match expires {
            "" => Ok(Self::Default),
            "none" => Ok(Self::Never),
            "date" => on(expires_on),
            days if days.ends_with('d') => {
                let offered = Days::OFFERED.into_iter().find(|offered| days == format!("{}d", offered.0));
                offered.map(Self::For).ok_or(ExpiryError::Unknown)
            }
            date if date.starts_with(|first: char| first.is_ascii_digit()) => on(date),
            _ => Err(ExpiryError::Unknown),
        }
    }
}

impl KeyPolicy {
    /// Reads a field of the policy: days, or `none`. `None` is neither.
    #[must_use]
    pub fn parse_days(value: &str) -> Option<Option<Days>> {
        match value {
            "" | "none" => Some(None),
            days => days.parse().ok().and_then(Days::new).map(Some),
        }
    }

    /// After how long a key expires for which nobody wished anything: never longer than allowed.
    #[must_use]
    pub fn default_lifetime(&self) -> Option<Days> {
        match (self.default_expiry, self.maximum_lifetime) {
            (Some(default), Some(longest)) => Some(default.min(longest)),
            (default, longest) => default.or(longest),
        }
    }

    /// When a key made now expires.
    ///
    /// # Errors
    /// [`ExpiryError`].
    pub fn expiry(&self, wish: ExpiryWish, now: Instant) -> Result<Option<Instant>, ExpiryError> {
        let longest = self.maximum_lifetime;
        let too_long = |longest: Days| ExpiryError::BeyondPolicy(longest.0);
        match wish {
            ExpiryWish::Default => Ok(self.default_lifetime().map(|days| now + days.duration())),
            ExpiryWish::Never => longest.map_or(Ok(None), |longest| Err(too_long(longest))),
            ExpiryWish::For(days) => match longest.filter(|longest| days > *longest) {
                Some(longest) => Err(too_long(longest)),
                None => Ok(Some(now + days.duration())),
            },
            ExpiryWish::Until(at) if at <= now => Err(ExpiryError::Past),
            ExpiryWish::Until(at) if at.since(now) > FARTHEST => Err(ExpiryError::TooFar),
            // The last day may be used to its end.
            ExpiryWish::Until(at) => match longest.filter(|longest| at.since(now) > longest.duration() + DAY) {
                Some(longest) => Err(too_long(longest)),
                None => Ok(Some(at)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(1_795_424_400_000_000);

    fn end_of_day(date: Date) -> Option<Instant> {
        let end = date.next_day()?.midnight().assume_utc().unix_timestamp();
        Some(Instant::from_micros(end * 1_000_000 - 1))
    }

    fn parse(expires: &str, expires_on: &str) -> Result<ExpiryWish, ExpiryError> {
        ExpiryWish::parse(expires, expires_on, end_of_day)
    }

    fn policy(default: i32, longest: i32) -> KeyPolicy {
        let (default_expiry, maximum_lifetime) = (Days::new(default), Days::new(longest));
        KeyPolicy { default_expiry, maximum_lifetime, rotation_period: None }
    }

    #[test]
    fn a_wish_is_a_choice_or_a_date() {
        assert_eq!(parse("", ""), Ok(ExpiryWish::Default));
        assert_eq!(parse("none", "2026-12-31"), Ok(ExpiryWish::Never));
        assert_eq!(parse("90d", ""), Ok(ExpiryWish::For(Days(90))));
        let until = ExpiryWish::Until(Instant::from_micros(1_798_761_599_999_999));
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
    fn a_key_expires_as_wished_or_as_the_policy_says() {
        let expiry = |policy: KeyPolicy, wish| policy.expiry(wish, NOW);
        assert_eq!(expiry(policy(0, 0), ExpiryWish::Default), Ok(None));
        assert_eq!(expiry(policy(90, 0), ExpiryWish::Default), Ok(Some(NOW + DAY * 90)));
        assert_eq!(expiry(policy(90, 30), ExpiryWish::Default), Ok(Some(NOW + DAY * 30)));
        assert_eq!(expiry(policy(0, 30), ExpiryWish::Default), Ok(Some(NOW + DAY * 30)));
        assert_eq!(expiry(policy(90, 0), ExpiryWish::Never), Ok(None));
        assert_eq!(expiry(policy(0, 0), ExpiryWish::For(Days(365))), Ok(Some(NOW + DAY * 365)));
    }

    #[test]
    fn a_wish_beyond_the_policy_is_refused() {
        let expiry = |wish| policy(0, 90).expiry(wish, NOW);
        assert_eq!(expiry(ExpiryWish::Never), Err(ExpiryError::BeyondPolicy(90)));
        assert_eq!(expiry(ExpiryWish::For(Days(180))), Err(ExpiryError::BeyondPolicy(90)));
        assert!(expiry(ExpiryWish::For(Days(90))).is_ok());
        assert!(expiry(ExpiryWish::Until(NOW + DAY * 91)).is_ok());
        let later = NOW + DAY * 91 + Duration::from_micros(1);
        assert_eq!(expiry(ExpiryWish::Until(later)), Err(ExpiryError::BeyondPolicy(90)));
    }

    #[test]
    fn an_end_lies_in_the_future_and_within_ten_years() {
        let expiry = |at| KeyPolicy::default().expiry(ExpiryWish::Until(at), NOW);
        assert_eq!(expiry(NOW), Err(ExpiryError::Past));
        assert!(expiry(NOW + Duration::from_micros(1)).is_ok());
        assert!(expiry(NOW + FARTHEST).is_ok());
        assert_eq!(expiry(NOW + FARTHEST + DAY), Err(ExpiryError::TooFar));
        assert_eq!(expiry(Instant::from_micros(i64::MAX)), Err(ExpiryError::TooFar));
    }

    #[test]
    fn a_period_of_a_policy_is_days_or_none() {
        assert_eq!(KeyPolicy::parse_days("none"), Some(None));
        assert_eq!(KeyPolicy::parse_days("45"), Some(Some(Days(45))));
        for wrong in ["0", "-1", "3651", "1.5", "soon", "99999999999"] {
            assert_eq!(KeyPolicy::parse_days(wrong), None, "{wrong}");
        }
    }
}
