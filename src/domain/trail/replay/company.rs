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
}

impl ReplayedCompany {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: TextDigest::of(name),
            require_second_factor: false,
            default_expiry_days: None,
            maximum_lifetime_days: None,
            rotation_period_days: None,
        }
    }

    pub(super) fn with(settings: &CompanySettings) -> Self {
        Self {
            name: TextDigest::of(&settings.name),
            require_second_factor: settings.require_second_factor,
            default_expiry_days: settings.default_expiry_days,
            maximum_lifetime_days: settings.maximum_lifetime_days,
            rotation_period_days: settings.rotation_period_days,
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
}
