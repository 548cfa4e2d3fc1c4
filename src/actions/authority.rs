//! The authority behind a change: who asks for it, and the check of it inside the transaction of the change.

use crate::domain::actor::Actor;
use crate::domain::client::Client;
use crate::domain::ids::{CompanyId, SessionId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::profile::Role;
use crate::domain::user::session_lifetime;
use crate::store::{Db, Session, StoreError, WriteDb};

/// The session that a request presents. Its row is read again in the transaction of each change.
#[derive(Clone, Copy, Debug)]
pub struct SessionClaim {
    pub session_id: SessionId,
    pub company_id: CompanyId,
    pub user_id: UserId,
    /// The user's sign-in epoch when the request arrived.
    pub epoch: i64,
}

impl From<&Session> for SessionClaim {
    fn from(session: &Session) -> Self {
        Self {
            session_id: session.id,
            company_id: session.company.id,
            user_id: session.user_id,
            epoch: session.sign_in_epoch,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Claim {
    Session(SessionClaim),
    CommandLine,
}

/// Who asks for a change, in which company, through which request. It proves nothing yet.
#[derive(Clone, Debug)]
pub struct RequestContext {
    pub company_id: CompanyId,
    pub client: Client,
    claim: Claim,
    /// The request comes from a page on which an admin sets up a required second factor.
    admits_unenrolled: bool,
}

impl RequestContext {
    /// A change that a signed-in user requests.
    #[must_use]
    pub const fn of_session(claim: SessionClaim, client: Client) -> Self {
        Self { company_id: claim.company_id, client, claim: Claim::Session(claim), admits_unenrolled: false }
    }

    /// The same for an admin who may still have to set up a second factor. Changes of the company's data stay denied.
    #[must_use]
    pub fn admitting_unenrolled(self) -> Self {
        Self { admits_unenrolled: true, ..self }
    }

    /// A change by a command that an operator runs on the server.
    #[must_use]
    pub const fn command_line(company_id: CompanyId) -> Self {
        Self { company_id, client: Client::none(), claim: Claim::CommandLine, admits_unenrolled: false }
    }

    /// Returns the session if it still exists, for reads that must not outlive it.
    pub fn confirm<A, E: From<StoreError> + From<Denied>>(
        &self,
        db: &mut Db<'_, A>,
        now: Timestamp,
    ) -> Result<Session, E> {
        match self.claim {
            Claim::Session(claim) => read_session(db, &claim, now)?.ok_or_else(|| Denied::SignedOut.into()),
            Claim::CommandLine => Err(StoreError::unexpected("a command has no session").into()),
        }
    }

    /// Returns the user who asks for the change.
    ///
    /// # Errors
    /// [`StoreError::Unexpected`] on the command line: the caller runs an action that only users have.
    pub(super) fn acting_user(&self) -> Result<UserId, StoreError> {
        match self.claim {
            Claim::Session(session) => Ok(session.user_id),
            Claim::CommandLine => Err(StoreError::unexpected("only a user can do this")),
        }
    }
}

/// Why a request has no authority for its change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The session has ended, or its user was deleted.
    #[error("the session has ended")]
    SignedOut,
    #[error("only administrators can do this")]
    AdminsOnly,
    /// The company requires a second factor of this admin.
    #[error("a second factor is required")]
    SecondFactorRequired,
}

/// Why an action failed, apart from its own refusals.
#[derive(Debug, thiserror::Error)]
pub enum ActionFailure {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Permission to change a trail's data as an actor. A change cannot begin without one, and only the functions below
/// grant one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permission {
    actor: Actor,
}

impl Permission {
    pub(super) const fn actor(self) -> Actor {
        self.actor
    }

    /// Grants a change of the company's data to an admin, or to the command line.
    pub(super) fn of_admin<E: From<StoreError> + From<Denied>>(
        tx: &mut WriteDb<'_>,
        context: &RequestContext,
        now: Timestamp,
    ) -> Result<Self, E> {
        let Claim::Session(claim) = context.claim else { return Ok(Self::command_line()) };
        let session = standing_session::<E>(tx, &claim, now)?;
        if session.must_enroll_second_factor {
            return Err(Denied::SecondFactorRequired.into());
        }
        if session.role != Role::Admin {
            return Err(Denied::AdminsOnly.into());
        }
        Ok(Self { actor: Actor::User(session.user_id) })
    }

    /// Grants a change of the user's own data, or the record of a read, to a user of any role.
    pub(super) fn of_user<E: From<StoreError> + From<Denied>>(
        tx: &mut WriteDb<'_>,
        context: &RequestContext,
        now: Timestamp,
    ) -> Result<Self, E> {
        let Claim::Session(claim) = context.claim else { return Ok(Self::command_line()) };
        let session = standing_session::<E>(tx, &claim, now)?;
        if session.must_enroll_second_factor && !context.admits_unenrolled {
            return Err(Denied::SecondFactorRequired.into());
        }
        Ok(Self { actor: Actor::User(session.user_id) })
    }

    /// Grants the changes of a sign-in. The same transaction must check the password, code or link of the user.
    pub(super) const fn by_credential(user: UserId) -> Self {
        Self { actor: Actor::User(user) }
    }

    /// Grants the revocation of a key to a caller who presents it.
    pub(super) const fn key_holder() -> Self {
        Self { actor: Actor::KeyHolder }
    }

    /// Grants a change to an operator on the server, who has the database and the secrets anyway.
    pub(super) const fn command_line() -> Self {
        Self { actor: Actor::CommandLine }
    }

    /// Grants the changes that Keydesk makes by itself.
    pub(super) const fn system() -> Self {
        Self { actor: Actor::System }
    }
}

/// Returns the session of a change. No sign-in of its user was ended since the request arrived.
fn standing_session<E: From<StoreError> + From<Denied>>(
    tx: &mut WriteDb<'_>,
    claim: &SessionClaim,
    now: Timestamp,
) -> Result<Session, E> {
    let session = read_session(tx, claim, now)?.filter(|session| session.sign_in_epoch == claim.epoch);
    session.ok_or_else(|| Denied::SignedOut.into())
}

/// Returns the session if it still exists, for the same user.
fn read_session<A>(db: &mut Db<'_, A>, claim: &SessionClaim, now: Timestamp) -> Result<Option<Session>, StoreError> {
    let session = db.sessions().by_id(claim.session_id)?;
    Ok(session.filter(|session| {
        session.user_id == claim.user_id
            && session.company.id == claim.company_id
            && !session_lifetime::has_expired(session.created_at, session.last_seen_at, now)
    }))
}
