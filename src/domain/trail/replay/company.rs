//! A company and its settings as the events say.

use super::comparison::{Comparison, Tracked, is_case_folded};
use super::recorded_change::TextDigest;
use super::stored::StoredCompany;
use crate::domain::trail::event_values::CompanySettings;

#[derive(Debug)]
pub(super) struct ReplayedCompany {
    name: TextDigest,
    require_second_factor: bool,
    default_expiry_days: Option<u16>,
    maximum_lifetime_days: Option<u16>,
    rotation_period_days: Option<u16>,
    default_expiry_reason: Option<TextDigest>,
    maximum_lifetime_reason: Option<TextDigest>,
    rotation_period_reason: Option<TextDigest>,
    idle_end_days: Option<u16>,
    idle_end_reason: Option<TextDigest>,
}

impl ReplayedCompany {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: TextDigest::of(name),
            require_second_factor: false,
            default_expiry_days: None,
            maximum_lifetime_days: None,
            rotation_period_days: None,
            default_expiry_reason: None,
            maximum_lifetime_reason: None,
            rotation_period_reason: None,
            idle_end_days: None,
            idle_end_reason: None,
        }
    }

    /// The company after a change. What the event says nothing about stays.
    pub(super) fn with(&self, settings: &CompanySettings) -> Self {
        let reason = |after: &Option<Option<String>>, before| {
            after.as_ref().map_or(before, |after| after.as_deref().map(TextDigest::of))
        };
        Self {
            name: TextDigest::of(&settings.name),
            require_second_factor: settings.require_second_factor,
            default_expiry_days: settings.default_expiry_days,
            maximum_lifetime_days: settings.maximum_lifetime_days,
            rotation_period_days: settings.rotation_period_days,
            default_expiry_reason: reason(&settings.default_expiry_reason, self.default_expiry_reason),
            maximum_lifetime_reason: reason(&settings.maximum_lifetime_reason, self.maximum_lifetime_reason),
            rotation_period_reason: reason(&settings.rotation_period_reason, self.rotation_period_reason),
            idle_end_days: settings.idle_end_days.unwrap_or(self.idle_end_days),
            idle_end_reason: reason(&settings.idle_end_reason, self.idle_end_reason),
        }
    }
}

pub(super) fn compare(row: &Tracked<ReplayedCompany>, stored: &StoredCompany, comparison: &mut Comparison) {
    let (company, last) = (&row.value, row.last);
    let is_days = |stored: Option<i32>, replayed: Option<u16>| stored == replayed.map(i32::from);
    comparison.check("name", TextDigest::of(&stored.name) == company.name, last);
    comparison.check("name_folded", is_case_folded(&stored.name_folded, &stored.name), last);
    comparison.check("created_at", stored.created_at == row.created_at, row.created);
    comparison.check("require_second_factor", stored.require_second_factor == company.require_second_factor, last);
    comparison.check("default_expiry_days", is_days(stored.default_expiry_days, company.default_expiry_days), last);
    comparison.check(
        "maximum_lifetime_days",
        is_days(stored.maximum_lifetime_days, company.maximum_lifetime_days),
        last,
    );
    comparison.check("rotation_period_days", is_days(stored.rotation_period_days, company.rotation_period_days), last);
    comparison.check("idle_end_days", is_days(stored.idle_end_days, company.idle_end_days), last);
    let mut check_reason = |column, stored: &Option<String>, replayed| {
        comparison.check(column, stored.as_deref().map(TextDigest::of) == replayed, last);
    };
    check_reason("default_expiry_reason", &stored.default_expiry_reason, company.default_expiry_reason);
    check_reason("maximum_lifetime_reason", &stored.maximum_lifetime_reason, company.maximum_lifetime_reason);
    check_reason("rotation_period_reason", &stored.rotation_period_reason, company.rotation_period_reason);
    check_reason("idle_end_reason", &stored.idle_end_reason, company.idle_end_reason);
}
