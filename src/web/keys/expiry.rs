//! When a key ends: as lists and pages say it, and as the forms that make a key ask for it.

use std::time::Duration;

use crate::domain::api_key::{KeyEnds, KeyState};
use crate::domain::instant::Instant;
use crate::domain::key_policy::{Days, ExpiryError, ExpiryWish, KeyPolicy};
use crate::edge::body::{BodyError, Fields};
use crate::web::page::{Field, ShownTime};
use crate::web::time::Zone;

/// From so long before its end on, a key says how much is left.
const SOON: Duration = Duration::from_hours(14 * 24);
/// The values of the field `expires` that stand for the periods on offer.
const PERIODS: [(&str, Days); 4] =
    [("30d", Days::OFFERED[0]), ("90d", Days::OFFERED[1]), ("180d", Days::OFFERED[2]), ("365d", Days::OFFERED[3])];

/// When a key ends by itself, as far as anybody can tell now.
#[derive(Clone, Debug)]
pub enum Expiry {
    Never,
    On(ShownTime),
    /// Within a fortnight: “in 9 days”.
    Soon {
        at: ShownTime,
        in_words: String,
    },
    /// Another key has taken over: “Ends in 23 hours”.
    Ending {
        at: ShownTime,
        in_words: String,
    },
}

/// The fields `expires` and `expires_on`.
#[derive(Clone, Debug, Default)]
pub struct ExpiryField {
    /// What the company's policy lets choose.
    pub options: Vec<ExpiryOption>,
    /// The value of an option.
    pub selected: String,
    pub on: Field,
    pub error: Option<String>,
}

#[derive(Clone, Debug)]
pub struct ExpiryOption {
    pub value: &'static str,
    pub label: String,
}

impl ExpiryField {
    pub(super) fn failed(&self) -> bool {
        self.error.is_some() || self.on.error.is_some()
    }
}

/// A key that another one replaces.
#[derive(Clone, Debug)]
pub struct OldKey {
    pub id: String,
    pub preview: String,
    /// Until when it works; it has ended where that is not known.
    pub until: Option<ShownTime>,
}

impl Expiry {
    /// When a key ends that is good now; of one that has ended, when it did.
    #[must_use]
    pub fn of(ends: KeyEnds, zone: &Zone, now: Instant) -> Self {
        let Some(at) = ends.first() else { return Self::Never };
        let left = || Zone::left(at, now);
        if ends.state(now) != KeyState::Active {
            return ends.expires_at.map_or(Self::Never, |at| Self::On(zone.date(at)));
        }
        if ends.overlap_ends_at == Some(at) {
            return Self::Ending { at: zone.date_time(at), in_words: format!("Ends {}", left()) };
        }
        if at.since(now) < SOON {
            return Self::Soon { at: zone.date_time(at), in_words: left() };
        }
        Self::On(zone.date(at))
    }
}

impl ExpiryField {
    /// What the policy lets choose, with what it asks for chosen.
    #[must_use]
    pub fn offered(policy: &KeyPolicy, zone: &Zone, now: Instant) -> Self {
        let period = |days: Days| format!("In {} days ({})", days.count(), zone.date(now + days.duration()).text);
        let default = policy.default_lifetime();
        let is_on_offer = |days: &Days| PERIODS.iter().any(|(_, offered)| offered == days);
        let by_default = default.filter(|days| !is_on_offer(days));
        let never = ExpiryOption { value: "none", label: "Never".to_owned() };
        let mut options: Vec<_> = Some(never).filter(|_| policy.maximum_lifetime.is_none()).into_iter().collect();
        options.extend(by_default.map(|days| ExpiryOption { value: "", label: period(days) }));
        let allowed = PERIODS.iter().filter(|(_, days)| policy.maximum_lifetime.is_none_or(|longest| *days <= longest));
        options.extend(allowed.map(|(value, days)| ExpiryOption { value, label: period(*days) }));
        options.push(ExpiryOption { value: "date", label: "On a date".to_owned() });
        let chosen =
            default.map(|days| PERIODS.iter().find(|(_, offered)| *offered == days).map_or("", |(value, _)| value));
        Self { options, selected: chosen.unwrap_or("none").to_owned(), on: Field::default(), error: None }
    }

    /// What was chosen and typed, put back.
    #[must_use]
    pub(super) fn kept(self, typed: &TypedExpiry) -> Self {
        let (selected, on) = match typed.expires.as_str() {
            "" => (self.selected.as_str(), &typed.expires_on),
            known if self.options.iter().any(|option| option.value == known) => (known, &typed.expires_on),
            // A date that came without the choice of one.
            date if date.starts_with(|first: char| first.is_ascii_digit()) && !date.ends_with('d') => {
                ("date", &typed.expires)
            }
            _ => (self.selected.as_str(), &typed.expires_on),
        };
        Self { selected: selected.to_owned(), on: Field::kept(on), ..self }
    }

    /// The same with the sentence that says what is wrong, beside the field that it is about.
    #[must_use]
    pub(super) fn refused(self, error: ExpiryError) -> Self {
        let sentence = Some(error.to_string());
        if self.selected == "date" && error != ExpiryError::Unknown {
            return Self { on: Field { error: sentence, ..self.on }, ..self };
        }
        Self { error: sentence, ..self }
    }
}

/// The two fields as they were sent.
pub(super) struct TypedExpiry {
    expires: String,
    expires_on: String,
}

impl TypedExpiry {
    pub(super) fn read(fields: &Fields) -> Result<Self, BodyError> {
        Ok(Self { expires: fields.one("expires")?.to_owned(), expires_on: fields.one("expires_on")?.to_owned() })
    }

    /// The wish that they are, for somebody whose days end as in `zone`.
    pub(super) fn wish(&self, zone: &Zone) -> Result<ExpiryWish, ExpiryError> {
        ExpiryWish::parse(&self.expires, &self.expires_on, |date| zone.end_of_day(date))
    }
}
