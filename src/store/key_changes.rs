//! What is written about API keys.

use diesel::prelude::*;

use super::Transaction;
use super::error::StoreError;
use super::keys::KeyToStore;
use super::schema::api_keys;
use crate::domain::api_key::{Comment, Revocation};
use crate::domain::ids::{CompanyId, KeyId, UserId};
use crate::domain::instant::Instant;
use crate::domain::rotation::Replacement;
use crate::domain::text;

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
                api_keys::owner.eq(key.owner.to_string()),
                api_keys::expires_at.eq(key.expires_at.map(Instant::as_micros)),
            ))
            .execute(self.connection)?;
        self.insert_key_usage(key.company_id, key.id)
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
    /// Notes which key takes a key's place, who says so, and until when both work; `None` where it ends at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn replace_key(
        &mut self,
        company_id: CompanyId,
        id: KeyId,
        replacement: &Replacement,
    ) -> Result<(), StoreError> {
        let key = api_keys::table
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::id.eq(id.to_string()));
        diesel::update(key.clone())
            .set((
                api_keys::replaced_by.eq(replacement.by.to_string()),
                api_keys::rotated_by.eq(replacement.rotated_by.to_string()),
                api_keys::overlap_ends_at.eq(replacement.overlap_ends_at.map(Instant::as_micros)),
                api_keys::overlap_extended.eq(replacement.overlap_extended),
            ))
            .execute(self.connection)?;
        if replacement.overlap_ends_at.is_some() {
            // An expiry that a clock set back took back may have been recorded; the end to come was not.
            diesel::update(key).set(api_keys::end_recorded.eq(false)).execute(self.connection)?;
        }
        Ok(())
    }

    /// Notes that the trail speaks of the end of a key that ended by itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_end_recorded(&mut self, company_id: CompanyId, id: KeyId) -> Result<(), StoreError> {
        let key = api_keys::table
            .filter(api_keys::company_id.eq(company_id.to_string()))
            .filter(api_keys::id.eq(id.to_string()));
        diesel::update(key).set(api_keys::end_recorded.eq(true)).execute(self.connection)?;
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
