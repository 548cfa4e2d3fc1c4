//! Second factors: the seed of an authenticator's secret, the codes that were used, the recovery codes that are left.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::{recovery_codes, second_factors, sessions, used_codes};
use super::{Snapshot, Transaction, read_back};
use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::instant::Instant;
use crate::domain::second_factor::{Seed, Step};

/// A user's second factor.
#[derive(Clone, Debug)]
pub struct SecondFactor {
    /// What the authenticator's secret is made from.
    pub seed: Seed,
    /// When it was set up.
    pub since: Instant,
    /// The periods whose code was used lately.
    pub used: Vec<Step>,
    /// How many recovery codes are left.
    pub recovery_codes_left: i64,
}

fn read_seed(seed: Vec<u8>) -> Result<Seed, StoreError> {
    read_back("seed", seed.try_into().ok())
}

impl Snapshot<'_> {
    /// The second factor of a user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn second_factor(&mut self, user_id: UserId) -> Result<Option<SecondFactor>, StoreError> {
        let user_id = user_id.to_string();
        let row: Option<(Vec<u8>, i64)> = second_factors::table
            .filter(second_factors::user_id.eq(&user_id))
            .select((second_factors::seed, second_factors::since))
            .first(self.connection)
            .optional()?;
        let Some((seed, since)) = row else { return Ok(None) };
        let used: Vec<i64> = used_codes::table
            .filter(used_codes::user_id.eq(&user_id))
            .select(used_codes::step)
            .load(self.connection)?;
        let recovery_codes_left =
            recovery_codes::table.filter(recovery_codes::user_id.eq(&user_id)).count().get_result(self.connection)?;
        Ok(Some(SecondFactor {
            seed: read_seed(seed)?,
            since: Instant::from_micros(since),
            used: used.into_iter().map(Step).collect(),
            recovery_codes_left,
        }))
    }

    /// The seed that a session was shown the secret of, to be confirmed by a code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pending_second_factor(&mut self, session_id: SessionId) -> Result<Option<Seed>, StoreError> {
        let seed: Option<Option<Vec<u8>>> = sessions::table
            .filter(sessions::id.eq(session_id.to_string()))
            .select(sessions::pending_second_factor)
            .first(self.connection)
            .optional()?;
        seed.flatten().map(read_seed).transpose()
    }
}

impl Transaction<'_> {
    /// Notes which seed a session is shown the secret of, or that there is none any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_pending_second_factor(&mut self, session_id: SessionId, seed: Option<&Seed>) -> Result<(), StoreError> {
        diesel::update(sessions::table.filter(sessions::id.eq(session_id.to_string())))
            .set(sessions::pending_second_factor.eq(seed.map(|seed| seed.to_vec())))
            .execute(self.connection)?;
        Ok(())
    }

    /// Sets a user's second factor up.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where they have one.
    pub fn insert_second_factor(
        &mut self,
        company_id: CompanyId,
        user_id: UserId,
        seed: &Seed,
        recovery_digests: &[[u8; 32]],
        now: Instant,
    ) -> Result<(), StoreError> {
        let user_id = user_id.to_string();
        diesel::insert_into(second_factors::table)
            .values((
                second_factors::user_id.eq(&user_id),
                second_factors::company_id.eq(company_id.to_string()),
                second_factors::seed.eq(seed.to_vec()),
                second_factors::since.eq(now.as_micros()),
            ))
            .execute(self.connection)?;
        for digest in recovery_digests {
            diesel::insert_into(recovery_codes::table)
                .values((recovery_codes::user_id.eq(&user_id), recovery_codes::digest.eq(&digest[..])))
                .execute(self.connection)?;
        }
        Ok(())
    }

    /// Notes that the code of a period was used; of those before, only the last can still matter.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where it was used before.
    pub fn use_code(&mut self, user_id: UserId, step: Step) -> Result<(), StoreError> {
        let user_id = user_id.to_string();
        let past = used_codes::user_id.eq(&user_id).and(used_codes::step.lt(step.0.saturating_sub(1)));
        diesel::delete(used_codes::table.filter(past)).execute(self.connection)?;
        diesel::insert_into(used_codes::table)
            .values((used_codes::user_id.eq(&user_id), used_codes::step.eq(step.0)))
            .execute(self.connection)?;
        Ok(())
    }

    /// Takes a recovery code away; answers whether it was there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn use_recovery_code(&mut self, user_id: UserId, digest: &[u8; 32]) -> Result<bool, StoreError> {
        let code = recovery_codes::table
            .filter(recovery_codes::user_id.eq(user_id.to_string()))
            .filter(recovery_codes::digest.eq(&digest[..]));
        Ok(diesel::delete(code).execute(self.connection)? > 0)
    }

    /// Removes a user's second factor.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn delete_second_factor(&mut self, user_id: UserId) -> Result<(), StoreError> {
        let user_id = user_id.to_string();
        diesel::delete(used_codes::table.filter(used_codes::user_id.eq(&user_id))).execute(self.connection)?;
        diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(&user_id))).execute(self.connection)?;
        diesel::delete(second_factors::table.filter(second_factors::user_id.eq(&user_id))).execute(self.connection)?;
        Ok(())
    }
}
