//! The expiry of a key: its text on pages, and its fields in the forms that create and edit a key.

use std::time::Duration;

use crate::domain::key::lifecycle::{KeyEnds, KeyState};
use crate::domain::policy::key_policy::{Days, ExpiryError, KeyPolicy, RequestedExpiry};
use crate::domain::timestamp::Timestamp;
use crate::store::KeyRecord;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::app::time::view::TimeView;
use crate::web::app::time::zone::Zone;
use crate::web::components::field::Field;

/// A key that ends within this period shows the time left.
const ENDS_SOON_PERIOD: Duration = Duration::from_hours(14 * 24);
/// The values of the field `expires`, with their periods.
const OFFERED_PERIODS: [(&str, Days); 4] =
    [("30d", Days::PRESETS[0]), ("90d", Days::PRESETS[1]), ("180d", Days::PRESETS[2]), ("365d", Days::PRESETS[3])];

/// The value of the field `expires` that keeps the expiry of a key.
pub const KEEP: &str = "keep";

/// The time at which a key ends unless an admin ends it earlier.
#[derive(Clone, Debug)]
pub enum Expiry {
    Never,
    On(TimeView),
    /// Ends within 14 days: “in 9 days”.
    Soon {
        at: TimeView,
        label: String,
    },
    /// Another key replaces it: “Ends in 23 hours”.
    Ending {
        at: TimeView,
        label: String,
    },
}

/// The fields `expires` and `expires_on`.
#[derive(Clone, Debug, Default)]
pub struct ExpiryField {
    /// The options that the company's policy allows.
    pub options: Vec<ExpiryOption>,
    /// The value of the selected option.
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
    pub fn has_error(&self) -> bool {
        self.error.is_some() || self.on.error.is_some()
    }
}

/// A key that another key replaces.
#[derive(Clone, Debug)]
pub struct OldKey {
    pub id: String,
    pub preview: String,
    /// The end of its overlap. `None` if the key has ended.
    pub until: Option<TimeView>,
}

impl Expiry {
    /// The coming end of an active key, or the expiry date of an ended one.
    #[must_use]
    pub fn of(ends: KeyEnds, zone: &Zone, now: Timestamp) -> Self {
        let Some(at) = ends.first() else { return Self::Never };
        let left = || Zone::time_left(at, now);
        if ends.state(now) != KeyState::Active {
            return ends.expires_at.map_or(Self::Never, |at| Self::On(zone.date(at)));
        }
        if ends.overlap_ends_at == Some(at) {
            return Self::Ending { at: zone.date_time(at), label: format!("Ends {}", left()) };
        }
        if at.since(now) < ENDS_SOON_PERIOD {
            return Self::Soon { at: zone.date_time(at), label: left() };
        }
        Self::On(zone.date(at))
    }
}

impl ExpiryField {
    /// The options that the policy allows, with its default selected.
    #[must_use]
    pub fn offered(policy: &KeyPolicy, zone: &Zone, now: Timestamp) -> Self {
        let period = |days: Days| format!("In {} days ({})", days.count(), zone.date(now + days.duration()).text);
        let default = policy.default_lifetime();
        let is_on_offer = |days: &Days| OFFERED_PERIODS.iter().any(|(_, offered)| offered == days);
        let by_default = default.filter(|days| !is_on_offer(days));
        let never = ExpiryOption { value: "none", label: "Never".to_owned() };
        let mut options: Vec<_> = Some(never).filter(|_| policy.maximum_lifetime.is_none()).into_iter().collect();
        options.extend(by_default.map(|days| ExpiryOption { value: "", label: period(days) }));
        let allowed =
            OFFERED_PERIODS.iter().filter(|(_, days)| policy.maximum_lifetime.is_none_or(|longest| *days <= longest));
        options.extend(allowed.map(|(value, days)| ExpiryOption { value, label: period(*days) }));
        options.push(ExpiryOption { value: "date", label: "On a date".to_owned() });
        let selected = default
            .map(|days| OFFERED_PERIODS.iter().find(|(_, offered)| *offered == days).map_or("", |(value, _)| value));
        Self { options, selected: selected.unwrap_or("none").to_owned(), on: Field::default(), error: None }
    }

    /// The options for a key that exists, with its current expiry selected.
    #[must_use]
    pub fn offered_for(policy: &KeyPolicy, key: &KeyRecord, zone: &Zone, now: Timestamp) -> Self {
        let current = key.expires_at.map_or_else(|| "Never".to_owned(), |at| zone.date(at).text);
        let is_allowed = |value: &str| {
            let requested = RequestedExpiry::parse(value, "", |_| None);
            requested.and_then(|requested| policy.change_expiry(requested, key.created_at, key.expires_at, now)).is_ok()
        };
        let all = Self::offered(&KeyPolicy::default(), zone, now);
        let mut options = vec![ExpiryOption { value: KEEP, label: format!("No change ({current})") }];
        options.extend(all.options.into_iter().filter(|option| match option.value {
            "date" => true,
            "none" => key.expires_at.is_some() && is_allowed("none"),
            period => is_allowed(period),
        }));
        Self { options, selected: KEEP.to_owned(), ..all }
    }

    /// The label of an option, or the value if it is not on offer.
    #[must_use]
    pub fn label_of(&self, value: &str) -> String {
        let option = self.options.iter().find(|option| option.value == value);
        option.map_or_else(|| value.to_owned(), |option| option.label.clone())
    }

    /// Selects the submitted option.
    #[must_use]
    pub fn with_typed(self, typed: &TypedExpiry) -> Self {
        let (selected, on) = match typed.expires.as_str() {
            "" => (self.selected.as_str(), &typed.expires_on),
            value if self.options.iter().any(|option| option.value == value) => (value, &typed.expires_on),
            // A date in the field of the options.
            date if date.starts_with(|first: char| first.is_ascii_digit()) && !date.ends_with('d') => {
                ("date", &typed.expires)
            }
            _ => (self.selected.as_str(), &typed.expires_on),
        };
        Self { selected: selected.to_owned(), on: Field::new(on), ..self }
    }

    /// Adds the error sentence to the field that it belongs to.
    #[must_use]
    pub fn with_error(self, error: ExpiryError) -> Self {
        let sentence = Some(error.to_string());
        if self.selected == "date" && error != ExpiryError::Unknown {
            return Self { on: Field { error: sentence, ..self.on }, ..self };
        }
        Self { error: sentence, ..self }
    }
}

/// The fields `expires` and `expires_on` as submitted.
#[derive(Clone, Debug)]
pub struct TypedExpiry {
    pub expires: String,
    pub expires_on: String,
}

impl TypedExpiry {
    /// Parses the requested expiry. A date means the end of that day in `zone`.
    pub fn parse(&self, zone: &Zone) -> Result<RequestedExpiry, ExpiryError> {
        RequestedExpiry::parse(&self.expires, &self.expires_on, |date| zone.end_of_day(date))
    }
}

/// Loads the expiry options of a key that exists.
pub async fn offered_for(cx: &PageContext, key: &KeyRecord) -> Result<ExpiryField, PageError> {
    let company_id = cx.company_id();
    let settings = cx.query(move |db| db.companies().settings(company_id)).await?;
    Ok(ExpiryField::offered_for(&settings.key_policy, key, &cx.zone, cx.now()))
}

/// Loads the expiry options that the company's policy allows.
pub async fn offered(cx: &PageContext) -> Result<ExpiryField, PageError> {
    let company_id = cx.company_id();
    let settings = cx.query(move |db| db.companies().settings(company_id)).await?;
    Ok(ExpiryField::offered(&settings.key_policy, &cx.zone, cx.now()))
}
