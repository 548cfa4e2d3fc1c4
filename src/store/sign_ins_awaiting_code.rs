//! Sign-ins that lack their code: a password was accepted, and no session has begun. Bookkeeping, no part of the trail.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::{sign_ins_awaiting_code, users};
use super::{Snapshot, Transaction, read_back};
use crate::domain::ids::{CompanyId, UserId};
use crate::domain::instant::Instant;
use crate::domain::token::TokenDigest;

/// A sign-in that lacks its code.
#[derive(Clone, Debug)]
pub struct SignInAwaitingCode {
    /// Whose it is.
    pub user_id: UserId,
    /// Their company.
    pub company_id: CompanyId,
    /// How often something had ended their sign-ins by then.
    pub epoch: i64,
    /// Where they wanted to go.
    pub next: Option<String>,
    /// When the password was accepted.
    pub created_at: Instant,
}

impl Snapshot<'_> {
    /// The sign-in of that token, however old, of a user who still is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sign_in_awaiting_code(
        &mut self,
        token_digest: &TokenDigest,
    ) -> Result<Option<SignInAwaitingCode>, StoreError> {
        type Row = (String, String, i64, Option<String>, i64);
        let row: Option<Row> = sign_ins_awaiting_code::table
            .inner_join(users::table.on(users::id.eq(sign_ins_awaiting_code::user_id)))
            .filter(sign_ins_awaiting_code::token_digest.eq(&token_digest.as_bytes()[..]))
            .filter(users::deleted_at.is_null())
            .select((
                sign_ins_awaiting_code::user_id,
                sign_ins_awaiting_code::company_id,
                sign_ins_awaiting_code::epoch,
                sign_ins_awaiting_code::next,
                sign_ins_awaiting_code::created_at,
            ))
            .first(self.connection)
            .optional()?;
        row.map(|(user_id, company_id, epoch, next, created_at)| {
            Ok(SignInAwaitingCode {
                user_id: read_back("user id", UserId::parse(&user_id))?,
                company_id: read_back("company id", CompanyId::parse(&company_id))?,
                epoch,
                next,
                created_at: Instant::from_micros(created_at),
            })
        })
        .transpose()
    }
}

impl Transaction<'_> {
    /// Adds a sign-in that lacks its code, and forgets those begun before `good_since`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn insert_sign_in_awaiting_code(
        &mut self,
        token_digest: &TokenDigest,
        sign_in: &SignInAwaitingCode,
        good_since: Instant,
    ) -> Result<(), StoreError> {
        let old = sign_ins_awaiting_code::created_at.lt(good_since.as_micros());
        diesel::delete(sign_ins_awaiting_code::table.filter(old)).execute(self.connection)?;
        diesel::insert_into(sign_ins_awaiting_code::table)
            .values((
                sign_ins_awaiting_code::token_digest.eq(&token_digest.as_bytes()[..]),
                sign_ins_awaiting_code::company_id.eq(sign_in.company_id.to_string()),
                sign_ins_awaiting_code::user_id.eq(sign_in.user_id.to_string()),
                sign_ins_awaiting_code::epoch.eq(sign_in.epoch),
                sign_ins_awaiting_code::next.eq(&sign_in.next),
                sign_ins_awaiting_code::created_at.eq(sign_in.created_at.as_micros()),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
