//! Browsers that users signed in with, by the digest of a token in a cookie. They are not in the audit trail.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::token::TokenDigest;
use crate::store::db::{KnownDevices, ReadWrite};
use crate::store::error::StoreError;
use crate::store::schema::known_devices;

impl<A> KnownDevices<'_, A> {
    /// Whether the user signed in with this browser before.
    #[instrument(name = "db.devices.is_known", level = "debug", skip_all)]
    pub fn is_known(&mut self, user_id: UserId, token_digest: &TokenDigest) -> Result<bool, StoreError> {
        let known = known_devices::table
            .filter(known_devices::token_digest.eq(token_digest))
            .filter(known_devices::user_id.eq(user_id));
        Ok(diesel::select(diesel::dsl::exists(known)).get_result(self.connection)?)
    }

    /// Returns the user who signed in with this browser.
    #[instrument(name = "db.devices.user_of", level = "debug", skip_all)]
    pub fn user_of(&mut self, token_digest: &TokenDigest) -> Result<Option<UserId>, StoreError> {
        Ok(known_devices::table
            .filter(known_devices::token_digest.eq(token_digest))
            .select(known_devices::user_id)
            .first(self.connection)
            .optional()?)
    }

    /// Returns the token digests of the browsers that the user signed in with.
    #[instrument(name = "db.devices.of_user", level = "debug", skip_all)]
    pub fn of_user(&mut self, user_id: UserId) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(known_devices::table
            .filter(known_devices::user_id.eq(user_id))
            .select(known_devices::token_digest)
            .load(self.connection)?)
    }
}

impl KnownDevices<'_, ReadWrite> {
    /// Stores a browser of a user, and deletes the user's browsers that were last seen before `oldest`.
    #[instrument(name = "db.devices.remember", level = "debug", skip_all)]
    pub fn remember(
        &mut self,
        company_id: CompanyId,
        user_id: UserId,
        token_digest: &TokenDigest,
        now: Timestamp,
        oldest: Timestamp,
    ) -> Result<(), StoreError> {
        let replaced = known_devices::user_id
            .eq(user_id)
            .and(known_devices::seen_at.lt(oldest).or(known_devices::token_digest.eq(token_digest)));
        diesel::delete(known_devices::table.filter(replaced)).execute(self.connection)?;
        diesel::insert_into(known_devices::table)
            .values((
                known_devices::token_digest.eq(token_digest),
                known_devices::company_id.eq(company_id),
                known_devices::user_id.eq(user_id),
                known_devices::seen_at.eq(now),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Deletes all browsers of a user.
    #[instrument(name = "db.devices.forget_all", level = "debug", skip_all)]
    pub fn forget_all(&mut self, user_id: UserId) -> Result<(), StoreError> {
        diesel::delete(known_devices::table.filter(known_devices::user_id.eq(user_id))).execute(self.connection)?;
        Ok(())
    }
}
