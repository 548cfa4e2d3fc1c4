//! Invitations: the one link with which a user chooses a password, by the digest of its token.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::token::TokenDigest;
use crate::store::db::{Invitations, ReadWrite};
use crate::store::error::StoreError;
use crate::store::schema::invitations;

/// A link with which a user chooses a password.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = invitations)]
pub struct Invitation {
    pub user_id: UserId,
    pub company_id: CompanyId,
    pub expires_at: Timestamp,
}

impl<A> Invitations<'_, A> {
    /// Returns the invitation with this token, expired or not.
    #[instrument(name = "db.invitations.by_token", level = "debug", skip_all)]
    pub fn by_token(&mut self, token_digest: &TokenDigest) -> Result<Option<Invitation>, StoreError> {
        Ok(invitations::table
            .filter(invitations::token_digest.eq(token_digest))
            .select(Invitation::as_select())
            .first(self.connection)
            .optional()?)
    }
}

impl Invitations<'_, ReadWrite> {
    /// Inserts an invitation, which replaces any other of the user.
    #[instrument(name = "db.invitations.replace", level = "debug", skip_all)]
    pub fn replace(&mut self, token_digest: &TokenDigest, invitation: &Invitation) -> Result<(), StoreError> {
        self.delete(invitation.user_id)?;
        diesel::insert_into(invitations::table)
            .values((
                invitations::user_id.eq(invitation.user_id),
                invitations::company_id.eq(invitation.company_id),
                invitations::token_digest.eq(token_digest),
                invitations::expires_at.eq(invitation.expires_at),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    #[instrument(name = "db.invitations.delete", level = "debug", skip_all)]
    pub fn delete(&mut self, user_id: UserId) -> Result<(), StoreError> {
        diesel::delete(invitations::table.filter(invitations::user_id.eq(user_id))).execute(self.connection)?;
        Ok(())
    }
}
