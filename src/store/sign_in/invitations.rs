//! Invitations: the one link with which a user chooses a password, by the digest of its token.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::actor::Actor;
use crate::domain::ids::{CompanyId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::token::TokenDigest;
use crate::store::db::{Invitations, ReadWrite};
use crate::store::error::StoreError;
use crate::store::schema::invitations;

/// A link with which a user chooses a password.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = invitations)]
pub struct Invitation {
    pub user_id: UserId,
    pub company_id: CompanyId,
    pub expires_at: Timestamp,
    created_by_type: Option<String>,
    created_by: Option<UserId>,
}

impl Invitation {
    #[must_use]
    pub fn new(user_id: UserId, company_id: CompanyId, expires_at: Timestamp, creator: Actor) -> Self {
        let created_by_type = Some(creator.kind().to_owned());
        Self { user_id, company_id, expires_at, created_by_type, created_by: creator.user() }
    }

    /// Who created the link. `None` for a link of an earlier version, which did not store it.
    #[must_use]
    pub fn creator(&self) -> Option<Actor> {
        match (self.created_by_type.as_deref()?, self.created_by) {
            ("user", Some(id)) => Some(Actor::User(id)),
            (kind, _) => Actor::parse(kind, None),
        }
    }
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
                invitations::created_by_type.eq(&invitation.created_by_type),
                invitations::created_by.eq(invitation.created_by),
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
