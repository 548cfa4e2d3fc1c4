//! A gateway as the events of the installation say.

use super::comparison::{Comparison, Tracked, is_case_folded};
use super::recorded_change::TextDigest;
use super::stored::StoredGateway;

#[derive(Debug)]
pub(super) struct ReplayedGateway {
    pub(super) name: TextDigest,
    pub(super) revoked_at: Option<i64>,
}

pub(super) fn compare(row: &Tracked<ReplayedGateway>, stored: &StoredGateway, comparison: &mut Comparison) {
    comparison.check("name", TextDigest::of(&stored.name) == row.value.name, row.created);
    comparison.check("name_folded", is_case_folded(&stored.name_folded, &stored.name), row.created);
    comparison.check("created_at", stored.created_at == row.created_at, row.created);
    comparison.check("revoked_at", stored.revoked_at == row.value.revoked_at, row.last);
}
