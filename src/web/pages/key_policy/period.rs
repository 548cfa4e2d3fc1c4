//! The periods of the key policy, each with its reason and a note on what it means for the company's keys.

use crate::domain::policy::key_policy::{Days, KeyPolicy};
use crate::domain::timestamp::Timestamp;
use crate::store::KeyLifetime;
use crate::web::app::text::{pluralized, with_thousands};
use crate::web::components::field::Field;

/// The choices of a field in days.
pub const DAY_CHOICES: [&str; 4] = ["30", "90", "180", "365"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    DefaultExpiry,
    MaximumLifetime,
    Rotation,
    IdleEnd,
}

impl Period {
    pub const ALL: [Self; 4] = [Self::DefaultExpiry, Self::MaximumLifetime, Self::Rotation, Self::IdleEnd];

    /// The name of the form field.
    pub const fn id(self) -> &'static str {
        match self {
            Self::DefaultExpiry => "default_expiry",
            Self::MaximumLifetime => "maximum_lifetime",
            Self::Rotation => "rotation_period",
            Self::IdleEnd => "idle_end_days",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::DefaultExpiry => "Default expiry",
            Self::MaximumLifetime => "Maximum lifetime",
            Self::Rotation => "Rotation reminder",
            Self::IdleEnd => "Idle end",
        }
    }

    /// The name of the form field for the reason.
    pub const fn reason_id(self) -> &'static str {
        match self {
            Self::DefaultExpiry => "default_expiry_reason",
            Self::MaximumLifetime => "maximum_lifetime_reason",
            Self::Rotation => "rotation_period_reason",
            Self::IdleEnd => "idle_end_reason",
        }
    }

    pub const fn reason_label(self) -> &'static str {
        match self {
            Self::DefaultExpiry => "Why this default",
            Self::MaximumLifetime => "Why this maximum",
            Self::Rotation => "Why this interval",
            Self::IdleEnd => "Why unused keys end",
        }
    }

    /// “30 days”, or the label of no period.
    pub fn days_label(self, value: &str) -> String {
        match (value, self) {
            ("none", Self::DefaultExpiry) => "Never".to_owned(),
            ("none", Self::MaximumLifetime) => "No limit".to_owned(),
            ("none", Self::Rotation) => "No reminder".to_owned(),
            ("none", Self::IdleEnd) => "Off".to_owned(),
            ("1", _) => "1 day".to_owned(),
            (days, _) => format!("{days} days"),
        }
    }
}

/// A period in the form.
#[derive(Clone, Debug)]
pub struct PeriodField {
    pub period: Period,
    /// A number of days, or `none`.
    pub days: Field,
    pub reason: Field,
    /// What the choices mean.
    pub note: Option<String>,
}

/// An option of a field in days.
pub struct DaysOption {
    pub value: String,
    pub label: String,
    pub is_chosen: bool,
}

impl PeriodField {
    /// The value as a reader sees it.
    pub fn label(&self) -> String {
        self.period.days_label(&self.days.value)
    }

    /// The options: the usual choices, and the current value in its place.
    pub fn options(&self) -> Vec<DaysOption> {
        let mut values = vec!["none"];
        values.extend(DAY_CHOICES);
        let current = self.days.value.parse::<u64>().ok().filter(|_| !values.contains(&self.days.value.as_str()));
        if let Some(current) = current {
            let index = values.iter().position(|value| value.parse().is_ok_and(|days: u64| days > current));
            values.insert(index.unwrap_or(values.len()), &self.days.value);
        }
        let option = |value: &str| DaysOption {
            value: value.to_owned(),
            label: self.period.days_label(value),
            is_chosen: value == self.days.value,
        };
        values.into_iter().map(option).collect()
    }
}

/// Says what the default expiry is under a maximum that is shorter.
#[must_use]
pub fn default_note(policy: &KeyPolicy) -> Option<String> {
    let effective = policy.default_lifetime().filter(|_| policy.default_lifetime() != policy.default_expiry)?;
    let days = pluralized(effective.count().into(), "day", "days");
    Some(format!("New keys expire after {days}, the maximum lifetime."))
}

/// Says for each choice how many active keys live longer, or are older.
#[must_use]
pub fn forecast(period: Period, lifetimes: &[KeyLifetime], now: Timestamp) -> Option<String> {
    if lifetimes.is_empty() || period == Period::DefaultExpiry {
        return None;
    }
    let affected = |days: &Days| {
        let exceeds = |key: &&KeyLifetime| match period {
            Period::Rotation => key.created_at + days.duration() < now,
            Period::IdleEnd => key.created_at.max(key.last_used_at) + days.duration() < now,
            // A key with an expiry date works until the end of that day.
            _ => key.created_at + days.duration() + Days::ONE.duration() < key.refused_from,
        };
        lifetimes.iter().filter(exceeds).count()
    };
    let choices = Days::PRESETS.iter().enumerate().map(|(index, days)| {
        let (count, days) = (with_thousands(affected(days) as u64), days.count());
        match index {
            0 => format!("{days} days: {count} of {}", with_thousands(lifetimes.len() as u64)),
            _ => format!("{days}: {count}"),
        }
    });
    let choices = choices.collect::<Vec<_>>();
    let list = |word: &str| format!("{word} {}.", choices.join(&format!("; {word} ")));
    Some(match period {
        Period::Rotation => format!("Active keys older {}", list("than")),
        Period::IdleEnd => format!(
            "Keys that are not used for this long expire by themselves, up to a day later. Active keys not used {}",
            list("for")
        ),
        _ => {
            format!("Active keys that live longer {} They keep working; new keys cannot live that long.", list("than"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::components::samples::ago;

    const DAY: u64 = 24 * 60;

    #[test]
    fn the_default_is_what_the_maximum_allows() {
        let policy = |default, maximum| KeyPolicy {
            default_expiry: Days::new(default),
            maximum_lifetime: Days::new(maximum),
            ..KeyPolicy::default()
        };
        let note = "New keys expire after 30 days, the maximum lifetime.";
        assert_eq!(default_note(&policy(0, 30)).as_deref(), Some(note));
        assert_eq!(default_note(&policy(365, 30)).as_deref(), Some(note));
        for fine in [policy(0, 0), policy(30, 0), policy(30, 30), policy(30, 90)] {
            assert_eq!(default_note(&fine), None);
        }
    }

    #[test]
    fn a_forecast_counts_the_keys_of_each_choice() {
        let never = Timestamp::from_micros(i64::MAX);
        let key = |created_at, refused_from, last_used_at| KeyLifetime { created_at, refused_from, last_used_at };
        let unused = Timestamp::from_micros(0);
        let keys = [
            key(ago(100 * DAY), never, ago(31 * DAY)),
            key(ago(31 * DAY), ago(0) + Days::ONE.duration(), ago(1)),
            key(ago(1), never, unused),
        ];
        assert_eq!(
            forecast(Period::Rotation, &keys, ago(0)).as_deref(),
            Some("Active keys older than 30 days: 2 of 3; than 90: 1; than 180: 0; than 365: 0.")
        );
        assert_eq!(
            forecast(Period::MaximumLifetime, &keys, ago(0)).as_deref(),
            Some(
                "Active keys that live longer than 30 days: 3 of 3; than 90: 2; than 180: 2; than 365: 2. They keep working; new keys cannot live that long."
            )
        );
        let idle = forecast(Period::IdleEnd, &keys, ago(0)).unwrap();
        assert!(
            idle.ends_with("Active keys not used for 30 days: 1 of 3; for 90: 0; for 180: 0; for 365: 0."),
            "{idle}"
        );
        assert_eq!(forecast(Period::DefaultExpiry, &keys, ago(0)), None);
        assert_eq!(forecast(Period::Rotation, &[], ago(0)), None);
    }
}
