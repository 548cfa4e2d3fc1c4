//! Changes to API keys.

use diesel::prelude::*;
use tracing::instrument;

use super::record::NewKeyRecord;
use crate::domain::ids::{CompanyId, KeyId, UserId};
use crate::domain::key::lifecycle::{Comment, Revocation};
use crate::domain::key::rotation::Replacement;
use crate::domain::text::normalize;
use crate::store::db::{ApiKeys, ReadWrite, WriteDb};
use crate::store::error::StoreError;
use crate::store::schema::api_keys;

#[diesel::dsl::auto_type]
fn key(company_id: CompanyId, id: KeyId) -> _ {
    api_keys::table.filter(api_keys::company_id.eq(company_id)).filter(api_keys::id.eq(id))
}

impl ApiKeys<'_, ReadWrite> {
    /// Inserts a key, and an empty row for its usage.
    #[instrument(name = "db.keys.insert", level = "debug", skip_all)]
    pub fn insert(&mut self, key: &NewKeyRecord<'_>) -> Result<(), StoreError> {
        diesel::insert_into(api_keys::table)
            .values((
                api_keys::id.eq(key.id),
                api_keys::company_id.eq(key.company_id),
                api_keys::service_account_id.eq(key.service_account_id),
                api_keys::digest.eq(key.digest),
                api_keys::pepper_id.eq(key.pepper_id),
                api_keys::preview.eq(key.preview.as_str()),
                api_keys::preview_folded.eq(normalize::case_folded(key.preview.as_str())),
                api_keys::created_at.eq(key.created_at),
                api_keys::created_by.eq(key.created_by),
                api_keys::owner.eq(key.owner),
                api_keys::expires_at.eq(key.expires_at),
            ))
            .execute(self.connection)?;
        WriteDb::new(self.connection).usage().insert(key.company_id, key.id)
    }

    #[instrument(name = "db.keys.revoke", level = "debug", skip_all)]
    pub fn revoke(&mut self, company_id: CompanyId, id: KeyId, revocation: &Revocation) -> Result<(), StoreError> {
        diesel::update(key(company_id, id))
            .set((
                api_keys::revoked_at.eq(revocation.at),
                api_keys::revoked_by_type.eq(revocation.by.kind()),
                api_keys::revoked_by.eq(revocation.by.user()),
                api_keys::revocation_reason.eq(revocation.reason),
                api_keys::revocation_comment.eq(revocation.comment.as_ref().map(Comment::as_str)),
            ))
            .execute(self.connection)?;
        Ok(())
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
        if replacement.overlap_ends_at.is_some() {
            // An expiry may be recorded that has not come yet, after the clock was set back. The new end is not
            // recorded.
            diesel::update(key(company_id, id)).set(api_keys::end_recorded.eq(false)).execute(self.connection)?;
        }
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
}
