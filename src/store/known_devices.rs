//! Browsers that users have signed in with, by the digest of a token in a cookie. Bookkeeping, no part of the trail.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::known_devices;
use super::{Snapshot, Transaction};
use crate::domain::ids::{CompanyId, UserId};
use crate::domain::instant::Instant;
use crate::domain::token::TokenDigest;

impl Snapshot<'_> {
    /// Whether that user has signed in with that browser.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn device_is_known(&mut self, user_id: UserId, token_digest: &TokenDigest) -> Result<bool, StoreError> {
        let known: Option<i64> = known_devices::table
            .filter(known_devices::token_digest.eq(&token_digest.as_bytes()[..]))
            .filter(known_devices::user_id.eq(user_id.to_string()))
            .select(known_devices::seen_at)
            .first(self.connection)
            .optional()?;
        Ok(known.is_some())
    }
}

impl Transaction<'_> {
    /// Remembers a browser of a user, and forgets those of theirs not seen since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn remember_device(
        &mut self,
        company_id: CompanyId,
        user_id: UserId,
        token_digest: &TokenDigest,
        now: Instant,
        not_seen_since: Instant,
    ) -> Result<(), StoreError> {
        let user_id = user_id.to_string();
        let digest = &token_digest.as_bytes()[..];
        let old = known_devices::user_id
            .eq(&user_id)
            .and(known_devices::seen_at.lt(not_seen_since.as_micros()).or(known_devices::token_digest.eq(digest)));
        diesel::delete(known_devices::table.filter(old)).execute(self.connection)?;
        diesel::insert_into(known_devices::table)
            .values((
                known_devices::token_digest.eq(digest),
                known_devices::company_id.eq(company_id.to_string()),
                known_devices::user_id.eq(&user_id),
                known_devices::seen_at.eq(now.as_micros()),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Forgets every browser of a user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_devices(&mut self, user_id: UserId) -> Result<(), StoreError> {
        diesel::delete(known_devices::table.filter(known_devices::user_id.eq(user_id.to_string())))
            .execute(self.connection)?;
        Ok(())
    }
}
