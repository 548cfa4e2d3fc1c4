//! Changes to API keys.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use tracing::instrument;

use super::record::NewKeyRecord;
use crate::domain::ids::{CompanyId, KeyId, ServiceAccountId, UserId};
use crate::domain::key::digest::{DigestRenewal, KeyDigest};
use crate::domain::key::lifecycle::{Revocation, RevocationReason};
use crate::domain::key::rotation::Replacement;
use crate::domain::text::normalize;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::AnyConnection;
use crate::store::db::{ApiKeys, ReadWrite, WriteDb};
use crate::store::error::StoreError;
use crate::store::prepared::{on_driver, statement};
use crate::store::schema::{api_keys, key_usage};

#[diesel::dsl::auto_type]
fn key(company_id: CompanyId, id: KeyId) -> _ {
    api_keys::table.filter(api_keys::company_id.eq(company_id)).filter(api_keys::id.eq(id))
}

#[derive(Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
struct NewKeyRow<'a> {
    id: KeyId,
    company_id: CompanyId,
    service_account_id: ServiceAccountId,
    digest: KeyDigest,
    digest_kind: &'static str,
    pepper_id: &'a str,
    preview: &'a str,
    preview_folded: String,
    created_at: Timestamp,
    created_by_type: &'static str,
    created_by: UserId,
    owner: UserId,
    expires_at: Option<Timestamp>,
}

impl<'a> From<&NewKeyRecord<'a>> for NewKeyRow<'a> {
    fn from(key: &NewKeyRecord<'a>) -> Self {
        Self {
            id: key.id,
            company_id: key.company_id,
            service_account_id: key.service_account_id,
            digest: key.digest,
            digest_kind: key.digest_kind.as_str(),
            pepper_id: key.pepper_id,
            preview: key.preview.as_str(),
            preview_folded: normalize::case_folded(key.preview.as_str()),
            created_at: key.created_at,
            created_by_type: key.created_by.kind(),
            created_by: key.created_by.user().unwrap_or(key.owner),
            owner: key.owner,
            expires_at: key.expires_at,
        }
    }
}

statement! {
    Revoke {
        "UPDATE api_keys SET revoked_at = " at: Timestamp as BigInt,
        ", revoked_by_type = " by_type: str as Text,
        ", revoked_by = " by: Option<UserId> as Nullable<Text>,
        ", revocation_reason = " reason: RevocationReason as Text,
        ", revocation_comment = " comment: Option<String> as Nullable<Text>,
        " WHERE company_id = " company_id: CompanyId as Text,
        " AND id = " id: KeyId as Text;
        ""
    }
}

impl ApiKeys<'_, ReadWrite> {
    /// Inserts a key, and an empty row for its usage.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if the digest is stored already.
    #[instrument(name = "db.keys.insert", level = "debug", skip_all)]
    pub fn insert(&mut self, key: &NewKeyRecord<'_>) -> Result<(), StoreError> {
        let insert = diesel::insert_into(api_keys::table).values(NewKeyRow::from(key));
        on_driver!(self.connection, |driver| insert.execute(driver))?;
        WriteDb::new(self.connection).usage().insert(key.company_id, key.id)
    }

    /// Inserts keys as [`ApiKeys::insert`] does, on PostgreSQL with two statements.
    #[instrument(name = "db.keys.insert_all", level = "debug", skip_all)]
    pub fn insert_all(&mut self, keys: &[NewKeyRecord<'_>]) -> Result<(), StoreError> {
        let AnyConnection::Postgres(postgres) = &mut *self.connection else {
            return keys.iter().try_for_each(|key| self.insert(key));
        };
        let rows: Vec<NewKeyRow<'_>> = keys.iter().map(NewKeyRow::from).collect();
        diesel::insert_into(api_keys::table).values(rows).execute(postgres)?;
        let usage: Vec<_> =
            keys.iter().map(|key| (key_usage::key_id.eq(key.id), key_usage::company_id.eq(key.company_id))).collect();
        diesel::insert_into(key_usage::table).values(usage).execute(postgres)?;
        Ok(())
    }

    #[instrument(name = "db.keys.revoke", level = "debug", skip_all)]
    pub fn revoke(&mut self, company_id: CompanyId, id: KeyId, revocation: &Revocation) -> Result<(), StoreError> {
        let Revocation { at, by, reason, comment } = revocation;
        Revoke {
            at,
            by_type: by.kind(),
            by: &by.user(),
            reason,
            comment: &comment.as_ref().map(|comment| comment.as_str().to_owned()),
            company_id: &company_id,
            id: &id,
        }
        .execute(self.connection)?;
        Ok(())
    }

    /// Replaces the digest of a key by one under another pepper. Returns whether the key had the old one and is not revoked.
    #[instrument(name = "db.keys.renew_digest", level = "debug", skip_all)]
    pub fn renew_digest(&mut self, renewal: &DigestRenewal) -> Result<bool, StoreError> {
        let renewable = key(renewal.company_id, renewal.key_id)
            .filter(api_keys::digest.eq(renewal.old))
            .filter(api_keys::revoked_at.is_null());
        let renewed = diesel::update(renewable)
            .set((api_keys::digest.eq(renewal.new), api_keys::pepper_id.eq(&renewal.pepper_id)))
            .execute(self.connection)?;
        Ok(renewed > 0)
    }

    /// Stores which key replaces a key, who rotated it, and when the overlap ends.
    #[instrument(name = "db.keys.set_replacement", level = "debug", skip_all)]
    pub fn set_replacement(
        &mut self,
        company_id: CompanyId,
        id: KeyId,
        replacement: &Replacement,
    ) -> Result<(), StoreError> {
        diesel::update(key(company_id, id))
            .set((
                api_keys::replaced_by.eq(replacement.by),
                api_keys::rotated_by.eq(replacement.rotated_by),
                api_keys::overlap_ends_at.eq(replacement.overlap_ends_at),
                api_keys::overlap_extended.eq(replacement.overlap_extended),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Ends a key now, by an expiry that the trail holds.
    #[instrument(name = "db.keys.expire", level = "debug", skip_all)]
    pub fn expire(&mut self, company_id: CompanyId, id: KeyId, now: Timestamp) -> Result<(), StoreError> {
        diesel::update(key(company_id, id))
            .set((
                api_keys::expires_at.eq(now),
                api_keys::end_recorded.eq(true),
                api_keys::version.eq(api_keys::version + 1),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Marks that the trail holds the expiry, or the end of the overlap.
    #[instrument(name = "db.keys.mark_end_recorded", level = "debug", skip_all)]
    pub fn mark_end_recorded(&mut self, company_id: CompanyId, id: KeyId) -> Result<(), StoreError> {
        diesel::update(key(company_id, id)).set(api_keys::end_recorded.eq(true)).execute(self.connection)?;
        Ok(())
    }

    #[instrument(name = "db.keys.set_owner", level = "debug", skip_all)]
    pub fn set_owner(&mut self, company_id: CompanyId, id: KeyId, owner: UserId) -> Result<(), StoreError> {
        diesel::update(key(company_id, id))
            .set((api_keys::owner.eq(owner), api_keys::version.eq(api_keys::version + 1)))
            .execute(self.connection)?;
        Ok(())
    }

    #[instrument(name = "db.keys.set_expiry", level = "debug", skip_all)]
    pub fn set_expiry(
        &mut self,
        company_id: CompanyId,
        id: KeyId,
        expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        diesel::update(key(company_id, id))
            .set((api_keys::expires_at.eq(expires_at), api_keys::version.eq(api_keys::version + 1)))
            .execute(self.connection)?;
        Ok(())
    }
}
