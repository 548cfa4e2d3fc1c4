//! A service account as the events say.

use super::comparison::{Comparison, Tracked, is_case_folded};
use super::recorded_change::TextDigest;
use super::stored::StoredAccount;
use crate::domain::trail::event_values::AccountDetails;

#[derive(Debug)]
pub(super) struct ReplayedAccount {
    pub(super) name: TextDigest,
    /// The event that gave the account its name.
    pub(super) named: i64,
    /// Boxed, as most accounts have none.
    details: Option<Box<ReplayedDetails>>,
}

#[derive(Debug)]
struct ReplayedDetails {
    purpose: TextDigest,
    department: TextDigest,
    contact: TextDigest,
    /// The last event that changed one of them.
    changed: i64,
}

impl ReplayedAccount {
    pub(super) fn new(name: &str, sequence: i64) -> Self {
        Self { name: TextDigest::of(name), named: sequence, details: None }
    }

    pub(super) fn set_details(&mut self, sequence: i64, details: &AccountDetails) {
        let AccountDetails { contact, department, purpose, .. } = details;
        let [purpose, department, contact] = [purpose, department, contact].map(|text| TextDigest::of(text));
        self.details = Some(Box::new(ReplayedDetails { purpose, department, contact, changed: sequence }));
    }

    pub(super) fn set_purpose(&mut self, sequence: i64, purpose: &str) {
        let details = self.details.get_or_insert_with(|| {
            let none = TextDigest::of("");
            Box::new(ReplayedDetails { purpose: none, department: none, contact: none, changed: sequence })
        });
        (details.purpose, details.changed) = (TextDigest::of(purpose), sequence);
    }
}

pub(super) fn compare(row: &Tracked<ReplayedAccount>, stored: &StoredAccount, comparison: &mut Comparison) {
    let ReplayedAccount { name, named, details } = &row.value;
    comparison.check("name", TextDigest::of(&stored.name) == *name, *named);
    comparison.check("name_folded", is_case_folded(&stored.name_folded, &stored.name), *named);
    comparison.check("created_at", stored.created_at == row.created_at, row.created);
    let changed = details.as_ref().map_or(row.created, |details| details.changed);
    for (column, text, replayed) in [
        ("purpose", &stored.purpose, details.as_ref().map(|details| details.purpose)),
        ("department", &stored.department, details.as_ref().map(|details| details.department)),
        ("contact", &stored.contact, details.as_ref().map(|details| details.contact)),
    ] {
        comparison.check(column, replayed.map_or(text.is_empty(), |digest| TextDigest::of(text) == digest), changed);
    }
}
