//! A user as the events say. They hold no personal data.

use super::comparison::{Comparison, Tracked};
use super::stored::StoredUser;
use crate::domain::user::profile::Role;

#[derive(Debug)]
pub(super) struct ReplayedUser {
    pub(super) role: Role,
    /// The event that gave the user the role.
    pub(super) role_set: i64,
    /// When the user was deleted, and the event.
    pub(super) deleted: Option<(i64, i64)>,
    /// Since when the user has a second factor.
    pub(super) second_factor_since: Option<i64>,
    /// The event that changed the second factor.
    pub(super) second_factor_changed: Option<i64>,
}

pub(super) fn compare(row: &Tracked<ReplayedUser>, stored: &StoredUser, comparison: &mut Comparison) {
    let user = &row.value;
    comparison.check("role", stored.role == user.role.as_str(), user.role_set);
    comparison.check("created_at", stored.created_at == row.created_at, row.created);
    let (deleted_at, deleted) = user.deleted.unzip();
    comparison.check("deleted_at", stored.deleted_at == deleted_at, deleted.unwrap_or(row.last));
    let changed = user.second_factor_changed.unwrap_or(row.last);
    comparison.check("second factor", stored.second_factor_since == user.second_factor_since, changed);
}
