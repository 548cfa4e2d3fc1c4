//! Adds and invites users, changes their role, and accepts invitations.

use std::time::Duration;

use super::authority::{Denied, Permission, RequestContext};
use super::change::Change;
use super::passwords::{HashError, PasswordHash};
use super::service::Actions;
use super::sign_in::SignInOutcome;
use super::signed_in_user::SignedInUser;
use crate::domain::actor::Actor;
use crate::domain::client::Client;
use crate::domain::ids::{CompanyId, EventId, UserId};
use crate::domain::text::name::PersonName;
use crate::domain::text::normalize;
use crate::domain::timestamp::Timestamp;
use crate::domain::token::{Token, TokenDigest};
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::{UsedLink, UserRole};
use crate::domain::user::email::EmailAddress;
use crate::domain::user::password::PasswordError;
use crate::domain::user::profile::Role;
use crate::random;
use crate::store::{Invitation, NewUserRecord, StoreError, User};

const INVITATION_LIFETIME: Duration = Duration::from_hours(72);

/// A user to add.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    pub role: Role,
    pub name: &'a PersonName,
    pub email: &'a EmailAddress,
}

/// A new invitation. The plaintext token exists only here.
#[derive(Debug)]
pub struct IssuedInvitation {
    pub user_id: UserId,
    /// The user's name.
    pub name: String,
    pub token: Token,
    pub expires_at: Timestamp,
}

/// Why a user was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddUserError {
    /// A user of the installation has this address. The message does not say so: it may be another company's user.
    #[error("This email address cannot be used.")]
    EmailTaken,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a user was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeUserError {
    /// The company has no such user.
    #[error("This user does not exist.")]
    Unknown,
    /// The company would be left without an admin who can sign in.
    #[error("This is the only administrator. Make someone else an administrator first.")]
    LastAdmin,
    /// The role is not in the expected version.
    #[error("This user was changed in the meantime.")]
    Outdated,
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A link for oneself would change the password without the current one.
    #[error("You cannot reset your own password here. Change it on your account page.")]
    OwnLink,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an invitation was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptInvitationError {
    /// The invitation was used, has expired, was replaced, or never existed.
    #[error("This link no longer works. Ask an administrator for a new one.")]
    Dead,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Adds a user with a password.
    pub fn add_user(
        &self,
        context: &RequestContext,
        user: &NewUser<'_>,
        password_hash: &PasswordHash,
    ) -> Result<UserId, AddUserError> {
        self.change(context, |change| {
            let id = UserId::new(change.now, &random::bytes());
            user.add_to(change, context.company_id, id, Some(password_hash))?;
            Ok(id)
        })
    }

    /// Adds a user without a password. The user chooses one with the returned invitation.
    pub fn invite_user(&self, context: &RequestContext, user: &NewUser<'_>) -> Result<IssuedInvitation, AddUserError> {
        self.change(context, |change| {
            let id = UserId::new(change.now, &random::bytes());
            user.add_to(change, context.company_id, id, None)?;
            Ok(change.invite(context.company_id, id, user.name.as_str(), EventDetail::UserInvited)?)
        })
    }

    /// Issues a new invitation for another user who lost theirs, or their password. The previous one stops working.
    pub fn renew_invitation(&self, context: &RequestContext, id: UserId) -> Result<IssuedInvitation, ChangeUserError> {
        self.change(context, |change| {
            let user = change.tx.users().by_id(context.company_id, id)?.ok_or(ChangeUserError::Unknown)?;
            if change.actor == Actor::User(id) {
                return Err(ChangeUserError::OwnLink);
            }
            Ok(change.invite(context.company_id, id, &user.name, EventDetail::UserInvitationRenewed)?)
        })
    }

    /// Returns the user whom a valid invitation is for.
    pub fn invited_user(&self, token: &TokenDigest) -> Result<User, AcceptInvitationError> {
        let now = self.clock.now();
        self.store.read(|db| {
            let invitation = db.invitations().by_token(token)?.filter(|invitation| now < invitation.expires_at);
            let invitation = invitation.ok_or(AcceptInvitationError::Dead)?;
            db.users().by_id(invitation.company_id, invitation.user_id)?.ok_or(AcceptInvitationError::Dead)
        })
    }

    /// Sets the password that the invited user typed, and ends their sessions. The user is signed in, unless they have
    /// a second factor: an invitation must not bypass it.
    pub fn accept_invitation(
        &self,
        token: &TokenDigest,
        typed: &str,
        client: &Client,
    ) -> Result<SignInOutcome, AcceptInvitationError> {
        let user = self.invited_user(token)?;
        let password = self.validate_new_password::<AcceptInvitationError>(&user, typed)?;
        let password_hash = self.passwords.hash(&password)?;
        let signed_in = SignedInUser { user_id: user.id, company_id: user.company_id };
        let permission = Permission::by_credential(user.id);
        self.change_with(permission, user.company_id.into(), client, |change| {
            let invitation =
                change.tx.invitations().by_token(token)?.filter(|invitation| change.now < invitation.expires_at);
            let invitation = invitation.ok_or(AcceptInvitationError::Dead)?;
            // A second factor may have been set up while the password was being hashed.
            let user = change.tx.users().by_id(user.company_id, user.id)?.ok_or(AcceptInvitationError::Dead)?;
            let detail = if user.has_password {
                EventDetail::UserPasswordChangedByLink { after: UsedLink::new(invitation.creator()) }
            } else {
                EventDetail::UserInvitationAccepted
            };
            change.append_event(EventDraft::new(EventTarget::User(user.id), detail))?;
            change.replace_password(user.id, &password_hash)?;
            let authenticated = change.authenticate(signed_in)?;
            if user.has_second_factor {
                // Keep counting failures: more invitations must not allow more tries at the code.
                return Ok(SignInOutcome::CodeRequired(authenticated));
            }
            change.tx.sign_in_failures().delete(&self.address_subject(&normalize::case_folded(&user.email)))?;
            change.record_signed_in(signed_in, None)?;
            Ok(SignInOutcome::Complete(authenticated))
        })
    }

    /// Changes a user's role, and ends their sessions and their link. Returns the event, or `None` if the user already has
    /// this role. With a `version`, the change is made only if the role is still in this version.
    pub fn change_role(
        &self,
        context: &RequestContext,
        id: UserId,
        version: Option<i64>,
        role: Role,
    ) -> Result<Option<EventId>, ChangeUserError> {
        self.change(context, |change| {
            let user = change.tx.users().by_id(context.company_id, id)?.ok_or(ChangeUserError::Unknown)?;
            if version.is_some_and(|version| version != user.role_version) {
                return Err(ChangeUserError::Outdated);
            }
            if user.role == role {
                return Ok(None);
            }
            change.ensure_admin_remains(&user)?;
            change.tx.users().set_role(id, role)?;
            change.tx.sessions().end_all(id, None)?;
            change.tx.invitations().delete(id)?;
            let detail =
                EventDetail::UserRoleChanged { before: UserRole { role: user.role }, after: UserRole { role } };
            Ok(Some(change.append_event(EventDraft::new(EventTarget::User(id), detail))?))
        })
    }
}

impl Change<'_, '_> {
    /// Fails if this user is the last admin who can sign in. Invited admins do not count: they may never accept.
    pub(super) fn ensure_admin_remains(&mut self, user: &User) -> Result<(), ChangeUserError> {
        let manages = user.role == Role::Admin && user.has_password;
        if manages && !self.tx.users().has_another_admin(user.company_id, user.id)? {
            return Err(ChangeUserError::LastAdmin);
        }
        Ok(())
    }

    fn invite(
        &mut self,
        company_id: CompanyId,
        user_id: UserId,
        name: &str,
        detail: EventDetail,
    ) -> Result<IssuedInvitation, StoreError> {
        let token = Token::new(random::bytes());
        let expires_at = self.now + INVITATION_LIFETIME;
        let invitation = Invitation::new(user_id, company_id, expires_at, self.actor);
        self.tx.invitations().replace(&token.digest(), &invitation)?;
        self.append_event(EventDraft::new(EventTarget::User(user_id), detail))?;
        Ok(IssuedInvitation { user_id, name: name.to_owned(), token, expires_at })
    }
}

impl NewUser<'_> {
    pub(super) fn add_to(
        &self,
        change: &mut Change<'_, '_>,
        company_id: CompanyId,
        id: UserId,
        password_hash: Option<&PasswordHash>,
    ) -> Result<(), AddUserError> {
        if change.tx.users().is_email_taken(&self.email.case_folded())? {
            return Err(AddUserError::EmailTaken);
        }
        let user = NewUserRecord {
            id,
            company_id,
            role: self.role,
            name: self.name,
            email: self.email,
            password_hash: password_hash.map(PasswordHash::as_str),
            created_at: change.now,
        };
        // Two companies may add the same address at once, each under its own lock. The unique index decides.
        change.tx.users().insert(&user).map_err(|error| match error {
            StoreError::Exists => AddUserError::EmailTaken,
            other => other.into(),
        })?;
        let detail = EventDetail::UserAdded { after: UserRole { role: self.role } };
        change.append_event(EventDraft::new(EventTarget::User(id), detail))?;
        Ok(())
    }
}
