//! Users as their admins see them: adding and inviting them, their role, and the link that lets them choose a password.

use std::time::Duration;

use serde_json::json;

use super::passwords::{HashError, PasswordHash};
use super::{Actions, Change, SignIn, SignedInUser};
use crate::domain::action::Action;
use crate::domain::actor::Actor;
use crate::domain::email::EmailAddress;
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::{CompanyId, EventId, UserId};
use crate::domain::instant::Instant;
use crate::domain::name::PersonName;
use crate::domain::password::PasswordError;
use crate::domain::text;
use crate::domain::token::{Token, TokenDigest};
use crate::domain::user::Role;
use crate::random;
use crate::store::{Invitation, StoreError, User, UserToStore};

/// An invitation works for so long.
const INVITATION_GOOD_FOR: Duration = Duration::from_hours(72);

/// A user to be added.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// What they may do.
    pub role: Role,
    /// Their name.
    pub name: &'a PersonName,
    /// Their address.
    pub email: &'a EmailAddress,
}

/// A link that was just made: the only time its token is there in clear.
#[derive(Debug)]
pub struct Invited {
    /// Who may use it.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// Its token.
    pub token: Token,
    /// Until when it works.
    pub expires_at: Instant,
}

/// Why a user was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddUserError {
    /// Somebody in the installation has the address.
    #[error("This email address cannot be used.")]
    EmailTaken,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why nothing about a user was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeUserError {
    /// The company has no such user.
    #[error("This user does not exist.")]
    Unknown,
    /// Nobody would be left who can manage the company.
    #[error(
        "The last administrator can be neither deleted nor made an auditor. Make somebody else an administrator first."
    )]
    LastAdmin,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an invitation was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptInvitationError {
    /// It was used, has expired, was replaced, or never was.
    #[error("This link no longer works. Ask an administrator for a new one.")]
    Dead,
    /// The password cannot be taken.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Adds a user with a password to a company.
    ///
    /// # Errors
    /// [`AddUserError`].
    pub fn add_user(
        &self,
        company_id: CompanyId,
        user: &NewUser<'_>,
        password_hash: &PasswordHash,
        origin: &Origin,
    ) -> Result<UserId, AddUserError> {
        self.change(company_id.into(), origin, |change| {
            let id = UserId::new(change.now, &random::bytes());
            user.add_to(change, company_id, id, Some(password_hash))?;
            Ok(id)
        })
    }

    /// Adds a user to a company, who chooses a password by the link that this answers.
    ///
    /// # Errors
    /// [`AddUserError`].
    pub fn invite_user(
        &self,
        company_id: CompanyId,
        user: &NewUser<'_>,
        origin: &Origin,
    ) -> Result<Invited, AddUserError> {
        self.change(company_id.into(), origin, |change| {
            let id = UserId::new(change.now, &random::bytes());
            user.add_to(change, company_id, id, None)?;
            Ok(change.invite(company_id, id, user.name.as_str(), Action::UserInvited)?)
        })
    }

    /// Makes a new link for a user who lost theirs, or their password; the one before works no more.
    ///
    /// # Errors
    /// [`ChangeUserError`].
    pub fn renew_invitation(
        &self,
        company_id: CompanyId,
        id: UserId,
        origin: &Origin,
    ) -> Result<Invited, ChangeUserError> {
        self.change(company_id.into(), origin, |change| {
            let user = change.user(company_id, id)?.ok_or(ChangeUserError::Unknown)?;
            Ok(change.invite(company_id, id, &user.name, Action::UserInvitationRenewed)?)
        })
    }

    /// Whose link that is, while it works.
    ///
    /// # Errors
    /// [`AcceptInvitationError::Dead`] and [`AcceptInvitationError::Store`].
    pub fn invited(&self, token: &TokenDigest) -> Result<User, AcceptInvitationError> {
        let now = self.clock.now();
        self.store.read(|questions| {
            let invitation = questions.invitation(token)?.filter(|invitation| now < invitation.expires_at);
            let invitation = invitation.ok_or(AcceptInvitationError::Dead)?;
            questions.user(invitation.company_id, invitation.user_id)?.ok_or(AcceptInvitationError::Dead)
        })
    }

    /// Gives whoever has the link the password that they chose, and ends whatever an older password began. They are
    /// signed in, unless they have a second factor: a link must not pass it by.
    ///
    /// # Errors
    /// [`AcceptInvitationError`].
    pub fn accept_invitation(
        &self,
        token: &TokenDigest,
        typed: &str,
        origin: &Origin,
    ) -> Result<SignIn, AcceptInvitationError> {
        let user = self.invited(token)?;
        let password_hash = self.passwords.hash(&self.choose_password::<AcceptInvitationError>(&user, typed)?)?;
        let signed_in = SignedInUser { user_id: user.id, company_id: user.company_id };
        let origin = Origin { actor: Actor::User(user.id), ..origin.clone() };
        self.change(user.company_id.into(), &origin, |change| {
            let invitation = change.invitation(token)?.filter(|invitation| change.now < invitation.expires_at);
            invitation.ok_or(AcceptInvitationError::Dead)?;
            // Hashing took a while: a second factor that was set up meanwhile counts.
            let user = change.user(user.company_id, user.id)?.ok_or(AcceptInvitationError::Dead)?;
            change.delete_invitation(user.id)?;
            change.record(Happening::new(Action::UserInvitationAccepted, Target::User(user.id)))?;
            change.replace_password(user.id, &password_hash)?;
            let admission = change.admit(signed_in)?;
            if user.has_second_factor {
                // Their failures stay counted: links without end must not mean tries at the code without end.
                return Ok(SignIn::AwaitsCode(admission));
            }
            change.forget_sign_in_failures(&self.address_subject(&text::folded(&user.email)))?;
            change.record_signed_in(user.id, None)?;
            Ok(SignIn::Complete(admission))
        })
    }

    /// Gives a user another role, and ends their sessions; answers the event that says so, where it is another.
    ///
    /// # Errors
    /// [`ChangeUserError`].
    pub fn change_role(
        &self,
        company_id: CompanyId,
        id: UserId,
        role: Role,
        origin: &Origin,
    ) -> Result<Option<EventId>, ChangeUserError> {
        self.change(company_id.into(), origin, |change| {
            let user = change.user(company_id, id)?.ok_or(ChangeUserError::Unknown)?;
            if user.role == role {
                return Ok(None);
            }
            change.keep_an_admin(&user)?;
            change.set_role(id, role)?;
            change.end_sign_ins(id, None)?;
            let event = change.record(Happening {
                before: Some(json!({ "role": user.role.as_str() })),
                after: Some(json!({ "role": role.as_str() })),
                ..Happening::new(Action::UserRoleChanged, Target::User(id))
            })?;
            Ok(Some(event))
        })
    }
}

impl Change<'_, '_> {
    /// Refuses to go on where this user is the last admin who can sign in: whoever is only invited may never come.
    pub(super) fn keep_an_admin(&mut self, user: &User) -> Result<(), ChangeUserError> {
        let manages = user.role == Role::Admin && user.has_password;
        if manages && !self.has_another_admin(user.company_id, user.id)? {
            return Err(ChangeUserError::LastAdmin);
        }
        Ok(())
    }

    fn invite(
        &mut self,
        company_id: CompanyId,
        user_id: UserId,
        name: &str,
        action: Action,
    ) -> Result<Invited, StoreError> {
        let token = Token::new(random::bytes());
        let expires_at = self.now + INVITATION_GOOD_FOR;
        self.replace_invitation(&token.digest(), &Invitation { user_id, company_id, expires_at })?;
        self.record(Happening::new(action, Target::User(user_id)))?;
        Ok(Invited { user_id, name: name.to_owned(), token, expires_at })
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
        if change.email_is_taken(&self.email.folded())? {
            return Err(AddUserError::EmailTaken);
        }
        let user = UserToStore {
            id,
            company_id,
            role: self.role,
            name: self.name,
            email: self.email,
            password_hash: password_hash.map(PasswordHash::as_str),
            created_at: change.now,
        };
        // Two companies may add the same address at once, each under its own lock: the table decides then.
        change.insert_user(&user).map_err(|error| match error {
            StoreError::Exists => AddUserError::EmailTaken,
            other => other.into(),
        })?;
        change.record(Happening {
            after: Some(json!({ "role": self.role.as_str() })),
            ..Happening::new(Action::UserAdded, Target::User(id))
        })?;
        Ok(())
    }
}
