//! Second factors: the seed of the authenticator's secret, used codes, and unused recovery codes.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::second_factor::{Mask, Seed, Step};
use crate::store::db::{ReadWrite, SecondFactors};
use crate::store::error::StoreError;
use crate::store::schema::{recovery_codes, second_factors, sessions, used_codes};

/// A user's second factor.
#[derive(Clone, Debug)]
pub struct SecondFactor {
    /// The seed of the authenticator's secret.
    pub seed: Seed,
    /// What the derived secret is combined with, if it was moved to the set.
    pub mask: Option<Mask>,
    /// The set of secrets whose key derives it.
    pub set_id: String,
    /// The time of the set-up.
    pub since: Timestamp,
    /// The periods whose codes were used lately.
    pub used: Vec<Step>,
    pub recovery_codes_left: i64,
}

/// A second factor to store.
#[derive(Clone, Copy, Debug)]
pub struct NewSecondFactor<'a> {
    pub seed: &'a Seed,
    pub mask: Option<&'a Mask>,
    /// The set that the authenticator's secret and the recovery codes belong to.
    pub set_id: &'a str,
    pub recovery_digests: &'a [[u8; 32]],
}

fn parse_seed(seed: Vec<u8>) -> Result<Seed, StoreError> {
    seed.try_into().map_err(|_| StoreError::unexpected("a stored seed cannot be read"))
}

impl<A> SecondFactors<'_, A> {
    #[instrument(name = "db.second_factors.of_user", level = "debug", skip_all)]
    pub fn of_user(&mut self, user_id: UserId) -> Result<Option<SecondFactor>, StoreError> {
        type Row = (Vec<u8>, Option<Vec<u8>>, String, Timestamp);
        let columns = (second_factors::seed, second_factors::mask, second_factors::set_id, second_factors::since);
        let row: Option<Row> = second_factors::table
            .filter(second_factors::user_id.eq(user_id))
            .select(columns)
            .first(self.connection)
            .optional()?;
        let Some((seed, mask, set_id, since)) = row else { return Ok(None) };
        let (seed, mask) = (parse_seed(seed)?, mask.map(parse_seed).transpose()?);
        let used =
            used_codes::table.filter(used_codes::user_id.eq(user_id)).select(used_codes::step).load(self.connection)?;
        let recovery_codes_left =
            recovery_codes::table.filter(recovery_codes::user_id.eq(user_id)).count().get_result(self.connection)?;
        Ok(Some(SecondFactor { seed, mask, set_id, since, used, recovery_codes_left }))
    }

    /// Returns the seed that a session set up and has not confirmed with a code yet.
    #[instrument(name = "db.second_factors.pending", level = "debug", skip_all)]
    pub fn pending(&mut self, session_id: SessionId) -> Result<Option<Seed>, StoreError> {
        let seed: Option<Option<Vec<u8>>> = sessions::table
            .filter(sessions::id.eq(session_id))
            .select(sessions::pending_second_factor)
            .first(self.connection)
            .optional()?;
        seed.flatten().map(parse_seed).transpose()
    }
}

impl SecondFactors<'_, ReadWrite> {
    /// Stores the seed that a session has yet to confirm, or deletes it.
    #[instrument(name = "db.second_factors.set_pending", level = "debug", skip_all)]
    pub fn set_pending(&mut self, session_id: SessionId, seed: Option<&Seed>) -> Result<(), StoreError> {
        diesel::update(sessions::table.filter(sessions::id.eq(session_id)))
            .set(sessions::pending_second_factor.eq(seed))
            .execute(self.connection)?;
        Ok(())
    }

    /// Inserts the second factor of a user, with the digests of the recovery codes.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if the user has a second factor.
    #[instrument(name = "db.second_factors.insert", level = "debug", skip_all)]
    pub fn insert(
        &mut self,
        company_id: CompanyId,
        user_id: UserId,
        new: &NewSecondFactor<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(second_factors::table)
            .values((
                second_factors::user_id.eq(user_id),
                second_factors::company_id.eq(company_id),
                second_factors::seed.eq(new.seed),
                second_factors::mask.eq(new.mask),
                second_factors::set_id.eq(new.set_id),
                second_factors::since.eq(now),
            ))
            .execute(self.connection)?;
        self.replace_recovery_codes(user_id, new.set_id, new.recovery_digests)
    }

    /// Replaces the recovery codes of a user, which belong to a set of secrets, by these.
    #[instrument(name = "db.second_factors.replace_recovery_codes", level = "debug", skip_all)]
    pub fn replace_recovery_codes(
        &mut self,
        user_id: UserId,
        set_id: &str,
        digests: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user_id))).execute(self.connection)?;
        for digest in digests {
            diesel::insert_into(recovery_codes::table)
                .values((
                    recovery_codes::user_id.eq(user_id),
                    recovery_codes::digest.eq(digest),
                    recovery_codes::set_id.eq(set_id),
                ))
                .execute(self.connection)?;
        }
        Ok(())
    }

    /// Moves the authenticator's secret to another set. The recovery codes stay with theirs.
    #[instrument(name = "db.second_factors.move_to_set", level = "debug", skip_all)]
    pub fn move_to_set(&mut self, user_id: UserId, seed: &Seed, mask: &Mask, set_id: &str) -> Result<(), StoreError> {
        diesel::update(second_factors::table.filter(second_factors::user_id.eq(user_id)))
            .set((second_factors::seed.eq(seed), second_factors::mask.eq(mask), second_factors::set_id.eq(set_id)))
            .execute(self.connection)?;
        Ok(())
    }

    /// Stores that the code of a period was used, and deletes periods that are too old to be accepted again.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if the code was used before.
    #[instrument(name = "db.second_factors.use_code", level = "debug", skip_all)]
    pub fn use_code(&mut self, user_id: UserId, step: Step) -> Result<(), StoreError> {
        let past = used_codes::user_id.eq(user_id).and(used_codes::step.lt(Step(step.0.saturating_sub(1))));
        diesel::delete(used_codes::table.filter(past)).execute(self.connection)?;
        diesel::insert_into(used_codes::table)
            .values((used_codes::user_id.eq(user_id), used_codes::step.eq(step)))
            .execute(self.connection)?;
        Ok(())
    }

    /// Deletes a recovery code. Returns whether it existed.
    #[instrument(name = "db.second_factors.use_recovery_code", level = "debug", skip_all)]
    pub fn use_recovery_code(&mut self, user_id: UserId, digest: &[u8; 32]) -> Result<bool, StoreError> {
        let code =
            recovery_codes::table.filter(recovery_codes::user_id.eq(user_id)).filter(recovery_codes::digest.eq(digest));
        Ok(diesel::delete(code).execute(self.connection)? > 0)
    }

    /// Deletes the second factor of a user, with its codes.
    #[instrument(name = "db.second_factors.delete", level = "debug", skip_all)]
    pub fn delete(&mut self, user_id: UserId) -> Result<(), StoreError> {
        diesel::delete(used_codes::table.filter(used_codes::user_id.eq(user_id))).execute(self.connection)?;
        diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user_id))).execute(self.connection)?;
        diesel::delete(second_factors::table.filter(second_factors::user_id.eq(user_id))).execute(self.connection)?;
        Ok(())
    }
}
