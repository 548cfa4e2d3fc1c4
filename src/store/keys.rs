//! API keys, one at a time. The list has a file of its own.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::{api_keys, service_accounts};
use super::{Snapshot, read_back};
use crate::domain::actor::Actor;
use crate::domain::api_key::{Comment, KeyEnd, KeyEnds, KeyState, Revocation, RevocationReason};
use crate::domain::ids::{CompanyId, KeyId, ServiceAccountId, UserId};
use crate::domain::instant::Instant;
use crate::domain::key::Preview;
use crate::domain::key_digest::KeyDigest;
use crate::domain::rotation::Replacement;

/// A key as it is stored, with the name its service account has today.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// Its id.
    pub id: KeyId,
    /// Its company.
    pub company_id: CompanyId,
    /// Its service account.
    pub service_account_id: ServiceAccountId,
    /// The name of that.
    pub name: String,
    /// What may be shown of it.
    pub preview: String,
    /// When it was made.
    pub created_at: Instant,
    /// Who made it.
    pub created_by: UserId,
    /// Whose it is: its creator's, until it is handed over.
    pub owner: UserId,
    /// From when on it is refused by itself.
    pub expires_at: Option<Instant>,
    /// The key that took its place, or is about to.
    pub replacement: Option<Replacement>,
    /// How somebody ended it.
    pub revocation: Option<Revocation>,
}

impl StoredKey {
    /// The instants that end it.
    #[must_use]
    pub fn ends(&self) -> KeyEnds {
        KeyEnds {
            expires_at: self.expires_at,
            overlap_ends_at: self.replacement.as_ref().and_then(|replacement| replacement.overlap_ends_at),
            revoked_at: self.revocation.as_ref().map(|revocation| revocation.at),
        }
    }

    /// What the key is at that instant.
    #[must_use]
    pub fn state(&self, now: Instant) -> KeyState {
        self.ends().state(now)
    }

    /// How it ended, where it has ended at that instant.
    #[must_use]
    pub fn end(&self, now: Instant) -> Option<KeyEnd> {
        let rotated_by = self.replacement.as_ref().map(|replacement| replacement.rotated_by);
        self.ends().end(rotated_by, self.revocation.as_ref(), now)
    }

    /// The users that its row speaks of.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        let revoked_by = self.revocation.as_ref().and_then(|revocation| revocation.by.user());
        let rotated_by = self.replacement.as_ref().map(|replacement| replacement.rotated_by);
        [Some(self.created_by), Some(self.owner), revoked_by, rotated_by].into_iter().flatten()
    }
}

/// A key to be added.
#[derive(Clone, Debug)]
pub struct KeyToStore<'a> {
    /// The new id.
    pub id: KeyId,
    /// Its company.
    pub company_id: CompanyId,
    /// Its service account.
    pub service_account_id: ServiceAccountId,
    /// The fingerprint that is stored instead of the key.
    pub digest: KeyDigest,
    /// The pepper under which that was made.
    pub pepper_id: &'a str,
    /// What may be shown of it.
    pub preview: &'a Preview,
    /// Now.
    pub created_at: Instant,
    /// Who makes it.
    pub created_by: UserId,
    /// Who owns it.
    pub owner: UserId,
    /// From when on it is refused by itself.
    pub expires_at: Option<Instant>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(super) struct KeyRow {
    id: String,
    company_id: String,
    service_account_id: String,
    preview: String,
    created_at: i64,
    created_by: String,
    owner: String,
    expires_at: Option<i64>,
    #[diesel(embed)]
    revocation: RevocationRow,
    replaced_by: Option<String>,
    rotated_by: Option<String>,
    overlap_ends_at: Option<i64>,
    overlap_extended: bool,
}

impl KeyRow {
    pub(super) fn into_key(self, name: String) -> Result<StoredKey, StoreError> {
        let replacement = match (self.replaced_by, self.rotated_by) {
            (Some(by), Some(rotated_by)) => Some(Replacement {
                by: read_back("key id", KeyId::parse(&by))?,
                rotated_by: read_back("user id", UserId::parse(&rotated_by))?,
                overlap_ends_at: self.overlap_ends_at.map(Instant::from_micros),
                overlap_extended: self.overlap_extended,
            }),
            _ => None,
        };
        Ok(StoredKey {
            id: read_back("key id", KeyId::parse(&self.id))?,
            company_id: read_back("company id", CompanyId::parse(&self.company_id))?,
            service_account_id: read_back("service account id", ServiceAccountId::parse(&self.service_account_id))?,
            name,
            preview: self.preview,
            created_at: Instant::from_micros(self.created_at),
            created_by: read_back("user id", UserId::parse(&self.created_by))?,
            owner: read_back("user id", UserId::parse(&self.owner))?,
            expires_at: self.expires_at.map(Instant::from_micros),
            replacement,
            revocation: self.revocation.into_revocation()?,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(super) struct RevocationRow {
    revoked_at: Option<i64>,
    revoked_by_type: Option<String>,
    revoked_by: Option<String>,
    revocation_reason: Option<String>,
    revocation_comment: Option<String>,
}

impl RevocationRow {
    pub(super) fn into_revocation(self) -> Result<Option<Revocation>, StoreError> {
        let (Some(at), Some(kind), Some(reason)) = (self.revoked_at, self.revoked_by_type, self.revocation_reason)
        else {
            return Ok(None);
        };
        Ok(Some(Revocation {
            at: Instant::from_micros(at),
            by: read_back("actor", Actor::parse(&kind, self.revoked_by.as_deref()))?,
            reason: read_back("reason", RevocationReason::parse(&reason))?,
            comment: match self.revocation_comment {
                None => None,
                Some(comment) => read_back("comment", Comment::parse(&comment).ok())?,
            },
        }))
    }
}

impl Snapshot<'_> {
    /// The key of that id, whosever it is: for commands. Pages use [`Snapshot::key_of`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key(&mut self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let row: Option<(KeyRow, String)> = api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .filter(api_keys::id.eq(id.to_string()))
            .select((KeyRow::as_select(), service_accounts::name))
            .first(self.connection)
            .optional()?;
        row.map(|(row, name)| row.into_key(name)).transpose()
    }

    /// The key of that id in that company; another company's is as absent as one that does not exist.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key_of(&mut self, company_id: CompanyId, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        Ok(self.key(id)?.filter(|key| key.company_id == company_id))
    }

    /// The key that another one took the place of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key_replaced_by(&mut self, company_id: CompanyId, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let row: Option<(KeyRow, String)> = api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::replaced_by.eq(id.to_string()))
            .select((KeyRow::as_select(), service_accounts::name))
            .first(self.connection)
            .optional()?;
        row.map(|(row, name)| row.into_key(name)).transpose()
    }
}
