//! Invitations: the one link of a user that lets them choose a password, as the digest of its token.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::invitations;
use super::{Snapshot, Transaction, read_back};
use crate::domain::ids::{CompanyId, UserId};
use crate::domain::instant::Instant;
use crate::domain::token::TokenDigest;

/// A link that lets a user choose a password.
#[derive(Clone, Copy, Debug)]
pub struct Invitation {
    /// The user.
    pub user_id: UserId,
    /// Their company.
    pub company_id: CompanyId,
    /// From when on it does not work any more.
    pub expires_at: Instant,
}

impl Snapshot<'_> {
    /// The invitation of that token, expired or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn invitation(&mut self, token_digest: &TokenDigest) -> Result<Option<Invitation>, StoreError> {
        let row: Option<(String, String, i64)> = invitations::table
            .filter(invitations::token_digest.eq(&token_digest.as_bytes()[..]))
            .select((invitations::user_id, invitations::company_id, invitations::expires_at))
            .first(self.connection)
            .optional()?;
        row.map(|(user_id, company_id, expires_at)| {
            Ok(Invitation {
                user_id: read_back("user id", UserId::parse(&user_id))?,
                company_id: read_back("company id", CompanyId::parse(&company_id))?,
                expires_at: Instant::from_micros(expires_at),
            })
        })
        .transpose()
    }
}

impl Transaction<'_> {
    /// Gives a user an invitation in the place of any that they have.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn replace_invitation(
        &mut self,
        token_digest: &TokenDigest,
        invitation: &Invitation,
    ) -> Result<(), StoreError> {
        self.delete_invitation(invitation.user_id)?;
        diesel::insert_into(invitations::table)
            .values((
                invitations::user_id.eq(invitation.user_id.to_string()),
                invitations::company_id.eq(invitation.company_id.to_string()),
                invitations::token_digest.eq(&token_digest.as_bytes()[..]),
                invitations::expires_at.eq(invitation.expires_at.as_micros()),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Makes a user's invitation good for nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn delete_invitation(&mut self, user_id: UserId) -> Result<(), StoreError> {
        diesel::delete(invitations::table.filter(invitations::user_id.eq(user_id.to_string())))
            .execute(self.connection)?;
        Ok(())
    }
}
