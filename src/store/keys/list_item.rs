//! Rows of the list of keys, with the columns that the list shows.

use diesel::prelude::*;

use super::endings::{CreatorColumns, EndColumns, RevocationColumns};
use super::order::{CursorPosition, SortBy, SortKey};
use crate::domain::actor::Actor;
use crate::domain::ids::{KeyId, UserId};
use crate::domain::key::lifecycle::{KeyEnd, KeyEnds, KeyState, Revocation};
use crate::domain::timestamp::Timestamp;
use crate::store::connection::{Columns, columns};
use crate::store::schema::{api_keys, key_usage, service_accounts};

/// A row of the list of keys.
#[derive(Clone, Debug)]
pub struct KeyListItem {
    pub id: KeyId,
    /// The current name of the service account.
    pub name: String,
    /// The purpose of the service account; empty if there is none.
    pub purpose: String,
    pub preview: String,
    pub created_at: Timestamp,
    pub created_by: Actor,
    pub owner: UserId,
    pub last_used_at: Option<Timestamp>,
    /// The number of requests that were refused since the end.
    pub refused_after_end: u64,
    ends: KeyEnds,
    /// The key that replaces this one.
    pub replaced_by: Option<KeyId>,
    rotated_by: Option<UserId>,
    revocation: Option<Revocation>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(super) struct KeyColumns {
    id: KeyId,
    #[diesel(select_expression = service_accounts::name)]
    name: String,
    #[diesel(select_expression = service_accounts::purpose)]
    purpose: String,
    preview: String,
    created_at: Timestamp,
    #[diesel(
        select_expression = columns::<CreatorColumns>(),
        select_expression_type = Columns<CreatorColumns>,
        deserialize_as = CreatorColumns,
    )]
    created_by: Actor,
    owner: UserId,
    #[diesel(embed)]
    ends: EndColumns,
    replaced_by: Option<KeyId>,
    rotated_by: Option<UserId>,
    #[diesel(
        select_expression = columns::<RevocationColumns>(),
        select_expression_type = Columns<RevocationColumns>,
        deserialize_as = RevocationColumns,
    )]
    revocation: Option<Revocation>,
}

#[derive(Clone, Copy, Default, Queryable, Selectable)]
#[diesel(table_name = key_usage)]
pub(super) struct UsageColumns {
    /// 0 for a key that was never used.
    last_used_at: i64,
    refused_after_end: i64,
}

impl KeyListItem {
    pub(super) fn new(key: KeyColumns, usage: UsageColumns) -> Self {
        Self {
            id: key.id,
            name: key.name,
            purpose: key.purpose,
            preview: key.preview,
            created_at: key.created_at,
            created_by: key.created_by,
            owner: key.owner,
            last_used_at: Some(usage.last_used_at).filter(|at| *at > 0).map(Timestamp::from_micros),
            refused_after_end: u64::try_from(usage.refused_after_end).unwrap_or(0),
            ends: key.ends.into(),
            replaced_by: key.replaced_by,
            rotated_by: key.rotated_by,
            revocation: key.revocation,
        }
    }

    #[must_use]
    pub fn ends(&self) -> KeyEnds {
        self.ends
    }

    /// Whether another key takes over, and this one still works.
    #[must_use]
    pub fn is_being_replaced(&self, now: Timestamp) -> bool {
        self.ends.overlap_ends_at.is_some() && self.ends.state(now) == KeyState::Active
    }

    /// How the key ended, if it has ended by `now`.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Option<KeyEnd> {
        self.ends.end(self.rotated_by, self.revocation.as_ref(), now)
    }

    /// The users that the row names.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        self.user_columns().into_iter().flatten()
    }

    /// The users who created, revoked and rotated the key, and its owner.
    pub(super) fn user_columns(&self) -> [Option<UserId>; 4] {
        let revoked_by = self.revocation.as_ref().and_then(|revocation| revocation.by.user());
        [self.created_by.user(), revoked_by, self.rotated_by, Some(self.owner)]
    }

    /// The position of the row in an order.
    #[must_use]
    pub fn position(&self, sort_by: SortBy) -> CursorPosition {
        let sort_key = match sort_by {
            SortBy::Created => SortKey::Created(self.created_at),
            SortBy::Ended => SortKey::Ended(self.ends.first().unwrap_or(Timestamp::from_micros(i64::MAX))),
            SortBy::Name => SortKey::Name(self.name.clone()),
            SortBy::LastUsed => SortKey::LastUsed(self.last_used_at.unwrap_or(Timestamp::from_micros(0))),
        };
        CursorPosition { sort_key, id: self.id }
    }
}
