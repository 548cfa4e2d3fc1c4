//! Sign-ins that wait for the code of a second factor: the password was accepted, and there is no session yet. They
//! are not in the audit trail.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::token::TokenDigest;
use crate::store::db::{PendingSignIns, ReadWrite};
use crate::store::error::StoreError;
use crate::store::schema::{sign_ins_awaiting_code, users};

/// A sign-in that waits for the code of a second factor.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = sign_ins_awaiting_code)]
pub struct PendingSignIn {
    pub user_id: UserId,
    pub company_id: CompanyId,
    /// The user's sign-in epoch when the password was accepted. A later epoch ends this sign-in.
    pub epoch: i64,
    /// The page to show after the sign-in.
    pub next: Option<String>,
    pub created_at: Timestamp,
}

impl<A> PendingSignIns<'_, A> {
    /// Returns the sign-in with this token, of any age, unless its user was deleted.
    #[instrument(name = "db.pending_sign_ins.by_token", level = "debug", skip_all)]
    pub fn by_token(&mut self, token_digest: &TokenDigest) -> Result<Option<PendingSignIn>, StoreError> {
        Ok(sign_ins_awaiting_code::table
            .inner_join(users::table.on(users::id.eq(sign_ins_awaiting_code::user_id)))
            .filter(sign_ins_awaiting_code::token_digest.eq(token_digest))
            .filter(users::deleted_at.is_null())
            .select(PendingSignIn::as_select())
            .first(self.connection)
            .optional()?)
    }
}

impl PendingSignIns<'_, ReadWrite> {
    /// Inserts a sign-in, and deletes those created before `oldest`.
    #[instrument(name = "db.pending_sign_ins.insert", level = "debug", skip_all)]
    pub fn insert(
        &mut self,
        token_digest: &TokenDigest,
        sign_in: &PendingSignIn,
        oldest: Timestamp,
    ) -> Result<(), StoreError> {
        let expired = sign_ins_awaiting_code::created_at.lt(oldest);
        diesel::delete(sign_ins_awaiting_code::table.filter(expired)).execute(self.connection)?;
        diesel::insert_into(sign_ins_awaiting_code::table)
            .values((
                sign_ins_awaiting_code::token_digest.eq(token_digest),
                sign_ins_awaiting_code::company_id.eq(sign_in.company_id),
                sign_ins_awaiting_code::user_id.eq(sign_in.user_id),
                sign_ins_awaiting_code::epoch.eq(sign_in.epoch),
                sign_ins_awaiting_code::next.eq(&sign_in.next),
                sign_ins_awaiting_code::created_at.eq(sign_in.created_at),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
