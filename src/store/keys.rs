//! API keys, one at a time. The list has a file of its own.

use diesel::prelude::*;

use super::companies::Company;
use super::error::StoreError;
use super::schema::{api_keys, companies, service_accounts};
use super::{Snapshot, Transaction, read_back};
use crate::domain::actor::Actor;
use crate::domain::api_key::{Comment, KeyState, Revocation, RevocationReason};
use crate::domain::ids::{CompanyId, KeyId, ServiceAccountId, UserId};
use crate::domain::instant::Instant;
use crate::domain::key::Preview;
use crate::domain::key_digest::KeyDigest;
use crate::domain::text;

/// A key as it is stored, with the name its service account has today.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// Its id.
    pub id: KeyId,
    /// Its company.
    pub company_id: CompanyId,
    /// The name of its service account.
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
    /// How somebody ended it.
    pub revocation: Option<Revocation>,
}

impl StoredKey {
    /// What the key is at that instant.
    #[must_use]
    pub fn state(&self, now: Instant) -> KeyState {
        KeyState::at(now, self.expires_at, self.revocation.as_ref().map(|revocation| revocation.at))
    }

    /// The users that its row speaks of.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        let revoked_by = self.revocation.as_ref().and_then(|revocation| revocation.by.user());
        std::iter::once(self.created_by).chain(revoked_by)
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
    /// Who makes it, and owns it at first.
    pub created_by: UserId,
}

/// What verification needs to know of a key.
#[derive(Clone, Debug)]
pub struct VerifiableKey {
    /// Its id.
    pub id: KeyId,
    /// Its service account.
    pub service_account_id: ServiceAccountId,
    /// The name of that.
    pub service_account: String,
    /// Its company.
    pub company: Company,
    /// From when on it is refused by itself.
    pub expires_at: Option<Instant>,
    /// From when on it is refused because somebody ended it.
    pub revoked_at: Option<Instant>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(super) struct KeyRow {
    id: String,
    company_id: String,
    preview: String,
    created_at: i64,
    created_by: String,
    owner: String,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_by_type: Option<String>,
    revoked_by: Option<String>,
    revocation_reason: Option<String>,
    revocation_comment: Option<String>,
}

impl KeyRow {
    pub(super) fn into_key(self, name: String) -> Result<StoredKey, StoreError> {
        let revocation = match (self.revoked_at, self.revoked_by_type, self.revocation_reason) {
            (Some(at), Some(kind), Some(reason)) => Some(Revocation {
                at: Instant::from_micros(at),
                by: read_back("actor", Actor::parse(&kind, self.revoked_by.as_deref()))?,
                reason: read_back("reason", RevocationReason::parse(&reason))?,
                comment: match self.revocation_comment {
                    None => None,
                    Some(comment) => read_back("comment", Comment::parse(&comment).ok())?,
                },
            }),
            _ => None,
        };
        Ok(StoredKey {
            id: read_back("key id", KeyId::parse(&self.id))?,
            company_id: read_back("company id", CompanyId::parse(&self.company_id))?,
            name,
            preview: self.preview,
            created_at: Instant::from_micros(self.created_at),
            created_by: read_back("user id", UserId::parse(&self.created_by))?,
            owner: read_back("user id", UserId::parse(&self.owner))?,
            expires_at: self.expires_at.map(Instant::from_micros),
            revocation,
        })
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

    /// The key with that fingerprint.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key_by_digest(&mut self, digest: &KeyDigest) -> Result<Option<VerifiableKey>, StoreError> {
        type Row = (String, String, String, String, String, Option<i64>, Option<i64>);
        let row: Option<Row> = api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .inner_join(companies::table.on(companies::id.eq(api_keys::company_id)))
            .filter(api_keys::digest.eq(&digest.as_bytes()[..]))
            .select((
                api_keys::id,
                service_accounts::id,
                service_accounts::name,
                companies::id,
                companies::name,
                api_keys::expires_at,
                api_keys::revoked_at,
            ))
            .first(self.connection)
            .optional()?;
        row.map(|(id, service_account_id, service_account, company_id, company, expires_at, revoked_at)| {
            Ok(VerifiableKey {
                id: read_back("key id", KeyId::parse(&id))?,
                service_account_id: read_back("service account id", ServiceAccountId::parse(&service_account_id))?,
                service_account,
                company: Company { id: read_back("company id", CompanyId::parse(&company_id))?, name: company },
                expires_at: expires_at.map(Instant::from_micros),
                revoked_at: revoked_at.map(Instant::from_micros),
            })
        })
        .transpose()
    }

    /// The keys of an owner that are active at that instant, by name; at most so many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn active_keys_of_owner(
        &mut self,
        company_id: CompanyId,
        owner: UserId,
        now: Instant,
        limit: i64,
    ) -> Result<Vec<StoredKey>, StoreError> {
        let rows: Vec<(KeyRow, String)> = api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::owner.eq(owner.to_string()))
            .filter(api_keys::refused_from.gt(now.as_micros()))
            .order((service_accounts::name_folded, api_keys::id))
            .limit(limit)
            .select((KeyRow::as_select(), service_accounts::name))
            .load(self.connection)?;
        rows.into_iter().map(|(row, name)| row.into_key(name)).collect()
    }

    /// How many keys of an owner are active at that instant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_active_keys_of_owner(
        &mut self,
        company_id: CompanyId,
        owner: UserId,
        now: Instant,
    ) -> Result<i64, StoreError> {
        Ok(api_keys::table
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::owner.eq(owner.to_string()))
            .filter(api_keys::refused_from.gt(now.as_micros()))
            .count()
            .get_result(self.connection)?)
    }

    /// Whether a service account has a key that is active at that instant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn has_active_key(
        &mut self,
        company_id: CompanyId,
        service_account_id: ServiceAccountId,
        now: Instant,
    ) -> Result<bool, StoreError> {
        let active: Option<String> = api_keys::table
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::service_account_id.eq(service_account_id.to_string()))
            .filter(api_keys::refused_from.gt(now.as_micros()))
            .select(api_keys::id)
            .first(self.connection)
            .optional()?;
        Ok(active.is_some())
    }
}

impl Transaction<'_> {
    /// Adds a key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn insert_key(&mut self, key: &KeyToStore<'_>) -> Result<(), StoreError> {
        diesel::insert_into(api_keys::table)
            .values((
                api_keys::id.eq(key.id.to_string()),
                api_keys::company_id.eq(key.company_id.to_string()),
                api_keys::service_account_id.eq(key.service_account_id.to_string()),
                api_keys::digest.eq(&key.digest.as_bytes()[..]),
                api_keys::pepper_id.eq(key.pepper_id),
                api_keys::preview.eq(key.preview.as_str()),
                api_keys::preview_folded.eq(text::folded(key.preview.as_str())),
                api_keys::created_at.eq(key.created_at.as_micros()),
                api_keys::created_by.eq(key.created_by.to_string()),
                api_keys::owner.eq(key.created_by.to_string()),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Ends a key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn revoke_key(&mut self, company_id: CompanyId, id: KeyId, revocation: &Revocation) -> Result<(), StoreError> {
        let key = api_keys::table
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::id.eq(id.to_string()));
        diesel::update(key)
            .set((
                api_keys::revoked_at.eq(revocation.at.as_micros()),
                api_keys::revoked_by_type.eq(revocation.by.kind()),
                api_keys::revoked_by.eq(revocation.by.user().map(|user| user.to_string())),
                api_keys::revocation_reason.eq(revocation.reason.as_str()),
                api_keys::revocation_comment.eq(revocation.comment.as_ref().map(Comment::as_str)),
            ))
            .execute(self.connection)?;
        Ok(())
    }
    /// Gives a key another owner.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_owner(&mut self, company_id: CompanyId, id: KeyId, owner: UserId) -> Result<(), StoreError> {
        let key = api_keys::table
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::id.eq(id.to_string()));
        diesel::update(key).set(api_keys::owner.eq(owner.to_string())).execute(self.connection)?;
        Ok(())
    }
}
