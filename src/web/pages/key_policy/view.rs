//! The view of the Key Policy page.

use askama::Template;

use crate::web::app::text::{pluralized, with_thousands};
use crate::web::app::time::view::TimeView;
use crate::web::components::field::Field;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::{NavItem, Navigation};
use crate::web::components::versioned_form::{ConflictingField, VersionedForm, conflicting_fields};
use crate::web::pages::api_keys::expiry::Expiry;
use crate::web::paths::{self, KEY_POLICY};

#[derive(Template)]
#[template(path = "key_policy/page.html")]
pub struct KeyPolicyPage {
    pub layout: PageLayout,
    pub company_name: Field,
    pub default_expiry: Field,
    pub maximum_lifetime: Field,
    pub rotation_period: Field,
    /// Active keys with a longer lifetime than allowed.
    pub beyond: Vec<PolicyKey>,
    pub more_beyond: u64,
    /// Active keys older than the rotation period.
    pub due: Vec<PolicyKey>,
    pub more_due: u64,
    pub require_second_factor: bool,
    /// True for admins. Auditors see the same values without a form.
    pub can_change: bool,
    /// The number of admins without a second factor.
    pub admins_without: u64,
    pub banner_saved: bool,
    pub edited: VersionedForm,
}

/// An active key that violates the policy.
#[derive(Clone, Debug)]
pub struct PolicyKey {
    pub id: String,
    pub name: String,
    pub preview: String,
    pub created: TimeView,
    pub expires: Expiry,
}

/// The choices of a field in days.
const DAY_CHOICES: [&str; 4] = ["30", "90", "180", "365"];

/// The labels of the three fields in days for the value `none`.
const NEVER: &str = "Never";
const NO_LIMIT: &str = "No limit";
const NOT_SET: &str = "Not set";

/// An option of a field in days.
struct DaysOption {
    value: String,
    label: String,
    is_chosen: bool,
}

impl KeyPolicyPage {
    const NAVIGATION: Navigation = Navigation::On(NavItem::KeyPolicy);

    fn title(&self) -> String {
        let fields = [&self.company_name, &self.default_expiry, &self.maximum_lifetime, &self.rotation_period];
        let has_error = self.edited.notice.is_some() || fields.iter().any(|field| field.error.is_some());
        let error = if has_error { "Error: " } else { "" };
        format!("{error}Key Policy – Company Settings – {}", self.layout.company)
    }

    /// The values of the form, as it submits them.
    pub(super) fn values(&self) -> [&str; 5] {
        [
            &self.company_name.value,
            &self.default_expiry.value,
            &self.maximum_lifetime.value,
            &self.rotation_period.value,
            if self.require_second_factor { "yes" } else { "" },
        ]
    }

    /// The fields of the form with their saved and their typed values.
    pub(super) fn conflicting_fields(saved: [&str; 5], typed: [&str; 5]) -> Vec<ConflictingField> {
        let second_factor = |value: &str| if value == "yes" { "Required" } else { "Not required" }.to_owned();
        let text = |index: usize, value: &str| match index {
            0 => value.to_owned(),
            1 => Self::days_label(value, NEVER),
            2 => Self::days_label(value, NO_LIMIT),
            3 => Self::days_label(value, NOT_SET),
            _ => second_factor(value),
        };
        let labels = ["Company name", "Default expiry", "Maximum lifetime", "Rotation reminder", "Second factor"];
        conflicting_fields(labels, saved, typed, text)
    }

    /// “30 days”, or the label `none`.
    fn days_label(value: &str, none: &str) -> String {
        match value {
            "none" => none.to_owned(),
            "1" => "1 day".to_owned(),
            days => format!("{days} days"),
        }
    }

    /// The options of a field in days: the usual choices, and the current value in its index.
    fn days_options(field: &Field, none: &str) -> Vec<DaysOption> {
        let mut values = vec!["none"];
        values.extend(DAY_CHOICES);
        let current = field.value.parse::<u64>().ok().filter(|_| !values.contains(&field.value.as_str()));
        if let Some(current) = current {
            let index = values.iter().position(|value| value.parse().is_ok_and(|days: u64| days > current));
            values.insert(index.unwrap_or(values.len()), &field.value);
        }
        let option = |value: &str| DaysOption {
            value: value.to_owned(),
            label: Self::days_label(value, none),
            is_chosen: value == field.value,
        };
        values.into_iter().map(option).collect()
    }

    /// “1 active key lives”, “12 active keys live”.
    fn beyond_summary(&self) -> String {
        count_phrase(&self.beyond, self.more_beyond, "active key lives", "active keys live")
    }

    fn unchanged_expiry(&self) -> &'static str {
        let is_one = self.beyond.len() == 1 && self.more_beyond == 0;
        if is_one { "Its expiry does not change." } else { "Their expiry does not change." }
    }

    /// “1 active key is”, “12 active keys are”.
    fn due_summary(&self) -> String {
        count_phrase(&self.due, self.more_due, "active key is", "active keys are")
    }

    fn more_beyond_text(&self) -> Option<String> {
        and_more(self.more_beyond)
    }

    fn more_due_text(&self) -> Option<String> {
        and_more(self.more_due)
    }

    fn second_factor_hint(&self) -> String {
        let without = match self.admins_without {
            0 => "All administrators have set one up.".to_owned(),
            count => {
                let admins = pluralized(count, "administrator has", "administrators have");
                format!("{admins} not set one up yet.")
            }
        };
        format!("Administrators without one must set it up before they can continue. {without}")
    }
}

/// “and 12 more”.
fn and_more(count: u64) -> Option<String> {
    (count > 0).then(|| format!("and {} more", with_thousands(count)))
}

fn count_phrase(keys: &[PolicyKey], more: u64, one: &str, many: &str) -> String {
    pluralized((keys.len() as u64).saturating_add(more), one, many)
}
