//! The view of the Key Policy page.

use askama::Template;

use crate::web::app::text::{pluralized, with_thousands};
use crate::web::app::time::view::TimeView;
use crate::web::components::field::Field;
use crate::web::components::layout::PageLayout;
use crate::web::components::navigation::{NavItem, Navigation};
use crate::web::components::versioned_form::{ConflictingField, VersionedForm, conflicting_fields};
use crate::web::pages::api_keys::expiry::Expiry;
use crate::web::pages::key_policy::period::{Period, PeriodField};
use crate::web::paths::{self, API_KEYS, KEY_POLICY};
use crate::web::url::with_query;

#[derive(Template)]
#[template(path = "key_policy/page.html")]
pub struct KeyPolicyPage {
    pub layout: PageLayout,
    /// The new company name of a form that has one. The General page has the field.
    pub company_name: Option<Field>,
    /// In the order of [`Period::ALL`].
    pub periods: [PeriodField; 4],
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

impl KeyPolicyPage {
    const NAVIGATION: Navigation = Navigation::On(NavItem::KeyPolicy);

    fn title(&self) -> String {
        let fields = self.periods.iter().flat_map(|period| [&period.days, &period.reason]).chain(&self.company_name);
        let has_error = self.edited.notice.is_some() || fields.into_iter().any(|field| field.error.is_some());
        let error = if has_error { "Error: " } else { "" };
        format!("{error}Key Policy – Company Settings – {}", self.layout.company)
    }

    /// The values of the form, as it submits them: the periods, their reasons, the second factor.
    pub(super) fn values(&self) -> [&str; 9] {
        let [default, maximum, rotation, idle] = &self.periods;
        [
            &default.days.value,
            &maximum.days.value,
            &rotation.days.value,
            &idle.days.value,
            &default.reason.value,
            &maximum.reason.value,
            &rotation.reason.value,
            &idle.reason.value,
            if self.require_second_factor { "yes" } else { "" },
        ]
    }

    /// The page with these values in its form, in the order of [`values`](Self::values).
    pub(super) fn with_values(self, values: [&str; 9]) -> Self {
        let mut periods = self.periods;
        for (index, period) in periods.iter_mut().enumerate() {
            period.days = Field::new(values[index]);
            period.reason = Field::new(values[index + 4]);
        }
        Self { periods, require_second_factor: values[8] == "yes", ..self }
    }

    /// The fields of the form with their saved and their typed values.
    pub(super) fn conflicting_fields(saved: [&str; 9], typed: [&str; 9]) -> Vec<ConflictingField> {
        let second_factor = |value: &str| if value == "yes" { "Required" } else { "Optional" }.to_owned();
        let text = |index: usize, value: &str| match index {
            0..4 => Period::ALL[index].days_label(value),
            4..8 => value.to_owned(),
            _ => second_factor(value),
        };
        let (days, reasons) = (Period::ALL.map(Period::label), Period::ALL.map(Period::reason_label));
        let labels: [&str; 9] =
            std::array::from_fn(|index| days.iter().chain(&reasons).nth(index).copied().unwrap_or("Second factor"));
        conflicting_fields(labels, saved, typed, text)
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

    /// The list of all keys that are due for rotation, if the page does not list them all.
    fn all_due(&self) -> Option<(String, String)> {
        let count = (self.due.len() as u64).saturating_add(self.more_due);
        let href = with_query(API_KEYS, &[("practice", "rotation-due")]);
        (self.more_due > 0).then(|| (href, format!("Show all {}", with_thousands(count))))
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
