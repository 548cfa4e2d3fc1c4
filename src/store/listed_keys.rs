//! Keys as rows of the list: what a row shows, and nothing else.

use diesel::prelude::*;

use super::error::StoreError;
use super::key_order::{Place, SortBy, SortKey};
use super::keys::RevocationRow;
use super::read_back;
use super::schema::{api_keys, key_usage};
use crate::domain::api_key::{KeyEnd, KeyEnds, Revocation};
use crate::domain::ids::{KeyId, UserId};
use crate::domain::instant::Instant;
use crate::domain::text;

/// A key as a row of the list.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// Its id.
    pub id: KeyId,
    /// The name that its service account has today.
    pub name: String,
    /// What may be shown of it.
    pub preview: String,
    /// When it was made.
    pub created_at: Instant,
    /// Who made it.
    pub created_by: UserId,
    /// When it was last let through.
    pub last_used_at: Option<Instant>,
    /// How often it was refused since its end.
    pub refused_after_end: u64,
    expires_at: Option<Instant>,
    overlap_ends_at: Option<Instant>,
    rotated_by: Option<UserId>,
    revocation: Option<Revocation>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(super) struct ListedRow {
    id: String,
    preview: String,
    created_at: i64,
    created_by: String,
    expires_at: Option<i64>,
    overlap_ends_at: Option<i64>,
    rotated_by: Option<String>,
    #[diesel(embed)]
    revocation: RevocationRow,
}

#[derive(Clone, Copy, Default, Queryable, Selectable)]
#[diesel(table_name = key_usage)]
pub(super) struct UseRow {
    last_used_at: i64,
    refused_after_end: i64,
}

impl ListedRow {
    pub(super) fn into_key(self, name: String, used: UseRow) -> Result<ListedKey, StoreError> {
        let user_id = |id: &str| read_back("user id", UserId::parse(id));
        Ok(ListedKey {
            id: read_back("key id", KeyId::parse(&self.id))?,
            name,
            preview: self.preview,
            created_at: Instant::from_micros(self.created_at),
            created_by: user_id(&self.created_by)?,
            last_used_at: Some(used.last_used_at).filter(|at| *at > 0).map(Instant::from_micros),
            refused_after_end: u64::try_from(used.refused_after_end).unwrap_or(0),
            expires_at: self.expires_at.map(Instant::from_micros),
            overlap_ends_at: self.overlap_ends_at.map(Instant::from_micros),
            rotated_by: self.rotated_by.as_deref().map(user_id).transpose()?,
            revocation: self.revocation.into_revocation()?,
        })
    }
}

impl ListedKey {
    /// The instants that end it.
    #[must_use]
    pub fn ends(&self) -> KeyEnds {
        KeyEnds {
            expires_at: self.expires_at,
            overlap_ends_at: self.overlap_ends_at,
            revoked_at: self.revocation.as_ref().map(|revocation| revocation.at),
        }
    }

    /// How it ended, where it has ended at that instant.
    #[must_use]
    pub fn end(&self, now: Instant) -> Option<KeyEnd> {
        self.ends().end(self.rotated_by, self.revocation.as_ref(), now)
    }

    /// The users that its row speaks of.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        let revoked_by = self.revocation.as_ref().and_then(|revocation| revocation.by.user());
        [Some(self.created_by), revoked_by, self.rotated_by].into_iter().flatten()
    }

    /// Where it stands in an order.
    #[must_use]
    pub fn place(&self, sort_by: SortBy) -> Place {
        let sort_key = match sort_by {
            SortBy::Created => SortKey::Created(self.created_at),
            SortBy::Ended => SortKey::Ended(self.ends().first().unwrap_or(Instant::from_micros(i64::MAX))),
            SortBy::Name => SortKey::Name(text::folded(&self.name)),
            SortBy::LastUsed => SortKey::LastUsed(self.last_used_at.unwrap_or(Instant::from_micros(0))),
        };
        Place { sort_key, id: self.id }
    }
}
