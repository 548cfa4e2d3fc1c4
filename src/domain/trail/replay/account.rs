//! A service account as the events say.

use super::comparison::{Comparison, Tracked, is_case_folded};
use super::recorded_change::TextDigest;
use super::stored::StoredAccount;

#[derive(Debug)]
pub(super) struct ReplayedAccount {
    pub(super) name: TextDigest,
    /// The event that gave the account its name.
    pub(super) named: i64,
}

pub(super) fn compare(row: &Tracked<ReplayedAccount>, stored: &StoredAccount, comparison: &mut Comparison) {
    let ReplayedAccount { name, named } = row.value;
    comparison.check("name", TextDigest::of(&stored.name) == name, named);
    comparison.check("name_folded", is_case_folded(&stored.name_folded, &stored.name), named);
    comparison.check("created_at", stored.created_at == row.created_at, row.created);
}
