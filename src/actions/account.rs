//! Changes that users make to their own account, and that an operator makes for them on the command line.

use std::time::Duration;

use super::attempt::Reservation;
use super::authority::{ActionFailure, Denied, Permission, RequestContext};
use super::change::Change;
use super::passwords::{HashError, PasswordHash};
use super::service::Actions;
use super::sign_in_attempt::clients_wait_until;
use super::signed_in_user::{AuthenticatedUser, SignedInUser};
use super::throttle::{Throttle, WAIT};
use crate::domain::client::Client;
use crate::domain::ids::{EventId, SessionId, UserId};
use crate::domain::text::name::PersonName;
use crate::domain::text::normalize;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::{ChangedProfile, EndedSession, EndedSessions, SecondFactor};
use crate::domain::user::password::{Password, PasswordError};
use crate::domain::user::profile::{ProfileField, Theme};
use crate::store::{StoreError, User};

/// Why a change that needs the current password was refused.
#[derive(Debug, thiserror::Error)]
pub enum OwnPasswordError {
    #[error("This is not your current password.")]
    WrongPassword,
    /// Too many wrong passwords; how long to wait.
    #[error("too many tries")]
    Throttled(Duration),
    /// The new password is refused.
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a user's own profile was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeProfileError {
    /// The profile is not in the expected version.
    #[error("Your account was changed in the meantime.")]
    Outdated,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Throttle> for OwnPasswordError {
    fn from(throttle: Throttle) -> Self {
        match throttle {
            Throttle::Wait(wait) => Self::Throttled(wait),
            // Does not happen: a signed-in user is never blocked.
            Throttle::Blocked => Self::Throttled(WAIT),
        }
    }
}

/// The current password of a user, as it was checked.
pub(super) struct CheckedPassword {
    user_id: UserId,
    hash: String,
    reservation: Reservation,
}

/// What still keeps a user from signing in after [`Actions::unlock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemainingLock {
    /// Clients with too many failures for any address wait until then.
    ClientsWait(Timestamp),
    /// The user has not chosen a password yet.
    NoPassword,
}

impl Actions {
    /// Changes the acting user's name, time zone and theme, if the profile is still in this `version`. Returns the event,
    /// or `None` if nothing changed.
    pub fn change_profile(
        &self,
        context: &RequestContext,
        version: i64,
        name: &PersonName,
        time_zone: Option<&str>,
        theme: Theme,
    ) -> Result<Option<EventId>, ChangeProfileError> {
        let user_id = context.acting_user()?;
        self.change_own(context, |change| {
            let Some(before) = change.tx.users().by_id(context.company_id, user_id)? else { return Ok(None) };
            if version != before.profile_version {
                return Err(ChangeProfileError::Outdated);
            }
            let changed: Vec<ProfileField> = [
                (ProfileField::Name, before.name != name.as_str()),
                (ProfileField::TimeZone, before.time_zone.as_deref() != time_zone),
                (ProfileField::Theme, before.theme != theme),
            ]
            .into_iter()
            .filter_map(|(field, is_changed)| is_changed.then_some(field))
            .collect();
            if changed.is_empty() {
                return Ok(None);
            }
            change.tx.users().set_profile(user_id, name, time_zone, theme)?;
            let detail = EventDetail::UserProfileChanged { after: ChangedProfile { changed } };
            Ok(Some(change.append_event(EventDraft::new(EventTarget::User(user_id), detail))?))
        })
    }

    /// Changes the acting user's password and ends all their sessions. Returns the event, and the user for the session
    /// that replaces the current one.
    pub fn change_password(
        &self,
        context: &RequestContext,
        current: &Password,
        typed: &str,
    ) -> Result<(EventId, AuthenticatedUser), OwnPasswordError> {
        let (user_id, now) = (context.acting_user()?, self.clock.now());
        let user = self.store.read(|db| {
            context.confirm::<_, OwnPasswordError>(db, now)?;
            Ok::<_, OwnPasswordError>(db.users().by_id(context.company_id, user_id)?)
        })?;
        let user = user.ok_or(Denied::SignedOut)?;
        // Before the current password, which would otherwise be counted as wrong.
        let password = self.validate_new_password::<OwnPasswordError>(&user, typed)?;
        let checked = self.check_own_password(context, current)?;
        let password_hash = self.passwords.hash(&password)?;
        self.change_own(context, |change| {
            change.accept_own_password(&checked)?;
            change.replace_password(user_id, &password_hash)?;
            let event =
                change.append_event(EventDraft::new(EventTarget::User(user_id), EventDetail::UserPasswordChanged))?;
            let user = SignedInUser { user_id, company_id: context.company_id };
            Ok((event, change.authenticate(user)?))
        })
    }

    /// Removes the acting user's second factor. Returns the event, or `None` if there was no second factor.
    pub fn remove_second_factor(
        &self,
        context: &RequestContext,
        current: &Password,
    ) -> Result<Option<EventId>, OwnPasswordError> {
        let user_id = context.acting_user()?;
        let checked = self.check_own_password(context, current)?;
        self.change_own(context, |change| {
            change.accept_own_password(&checked)?;
            Ok(change.remove_second_factor(user_id)?)
        })
    }

    /// Ends a session of the acting user. Returns the event, or `None` if the user has no such session.
    pub fn end_session(&self, context: &RequestContext, id: SessionId) -> Result<Option<EventId>, ActionFailure> {
        let user_id = context.acting_user()?;
        self.change_own(context, |change| {
            if !change.tx.sessions().end(user_id, id)? {
                return Ok(None);
            }
            let detail = EventDetail::UserSessionEnded { after: EndedSession { session_id: id } };
            Ok(Some(change.append_event(EventDraft::new(EventTarget::User(user_id), detail))?))
        })
    }

    /// Ends all sessions of the acting user except `current`. Returns the event, or `None` if there were no others.
    pub fn end_other_sessions(
        &self,
        context: &RequestContext,
        current: SessionId,
    ) -> Result<Option<EventId>, ActionFailure> {
        let user_id = context.acting_user()?;
        self.change_own(context, |change| match change.tx.sessions().end_all(user_id, Some(current))? {
            0 => Ok(None),
            ended => {
                let sessions = u64::try_from(ended).unwrap_or(u64::MAX);
                let detail = EventDetail::UserSessionsEnded { after: EndedSessions { sessions } };
                Ok(Some(change.append_event(EventDraft::new(EventTarget::User(user_id), detail))?))
            }
        })
    }

    /// Sets a user's password for an operator, ends the user's sessions, and lets them sign in at once.
    pub fn set_password(&self, user: &User, typed: &str) -> Result<(), OwnPasswordError> {
        let password_hash = self.passwords.hash(&self.validate_new_password::<OwnPasswordError>(user, typed)?)?;
        self.change_as_operator(user, |change| {
            change.replace_password(user.id, &password_hash)?;
            change.tx.sign_in_failures().delete(&self.address_subject(&normalize::case_folded(&user.email)))?;
            change.append_event(EventDraft::new(EventTarget::User(user.id), EventDetail::UserPasswordChanged))?;
            Ok(())
        })
    }

    /// Removes the second factor of a user who lost it and the recovery codes.
    pub fn reset_second_factor(&self, user: &User) -> Result<(), StoreError> {
        self.change_as_operator(user, |change| change.remove_second_factor(user.id))?;
        Ok(())
    }

    /// Resets the failures that make a user's sign-ins and password changes wait. Returns the locks that remain.
    pub fn unlock(&self, user: &User) -> Result<Vec<RemainingLock>, StoreError> {
        let address = self.address_subject(&normalize::case_folded(&user.email));
        self.change_as_operator(user, |change| {
            let now = change.now;
            let devices = change.tx.devices().of_user(user.id)?;
            let devices = devices.iter().map(|digest| self.device_subject(digest));
            for subject in devices.chain([address, self.user_subject(user.id)]) {
                change.tx.sign_in_failures().reset(&subject, now)?;
            }
            change.append_event(EventDraft::new(EventTarget::User(user.id), EventDetail::UserUnlocked))?;
            let clients = clients_wait_until(change.tx, now)?.map(RemainingLock::ClientsWait);
            let no_password = (!user.has_password).then_some(RemainingLock::NoPassword);
            Ok(clients.into_iter().chain(no_password).collect())
        })
    }

    /// Runs a change of a user's data by an operator, in the user's own company.
    fn change_as_operator<T, E: From<StoreError>>(
        &self,
        user: &User,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.change_with(Permission::command_line(), user.company_id.into(), &Client::none(), work)
    }

    /// Returns the typed password if it is hard to guess, even knowing the user, the company and the platform.
    pub(super) fn validate_new_password<E: From<StoreError> + From<PasswordError>>(
        &self,
        user: &User,
        typed: &str,
    ) -> Result<Password, E> {
        let company = self.store.query(|db| db.companies().settings(user.company_id))?;
        let words = [company.name.as_str(), &user.name, &user.email, &self.platform_name, "keydesk"];
        Ok(Password::validate_new(typed, &words)?)
    }

    /// Checks the current password of a signed-in user. The check counts as a failure until the change that needs it
    /// accepts it.
    pub(super) fn check_own_password(
        &self,
        context: &RequestContext,
        current: &Password,
    ) -> Result<CheckedPassword, OwnPasswordError> {
        let (user_id, now) = (context.acting_user()?, self.clock.now());
        self.store.read(|db| context.confirm::<_, OwnPasswordError>(db, now))?;
        let reservation = self.reserve::<OwnPasswordError>(&self.own_password_attempt(user_id))?;
        let hash = self.store.query(|db| db.users().password_hash(user_id))?;
        let is_correct = self.passwords.verify(&reservation, current, hash.as_deref());
        let hash = hash.filter(|_| is_correct).ok_or(OwnPasswordError::WrongPassword)?;
        Ok(CheckedPassword { user_id, hash, reservation })
    }
}

impl Change<'_, '_> {
    /// Replaces a user's password, ends their sessions and their link, and forgets their devices.
    pub(super) fn replace_password(&mut self, id: UserId, hash: &PasswordHash) -> Result<(), StoreError> {
        self.tx.invitations().delete(id)?;
        self.tx.users().set_password_hash(id, hash.as_str())?;
        self.tx.sessions().end_all(id, None)?;
        self.tx.devices().forget_all(id)
    }

    /// Ends the count of wrong passwords. Fails if the password changed after it was checked.
    pub(super) fn accept_own_password(&mut self, checked: &CheckedPassword) -> Result<(), OwnPasswordError> {
        if self.tx.users().password_hash(checked.user_id)?.as_deref() != Some(checked.hash.as_str()) {
            return Err(OwnPasswordError::WrongPassword);
        }
        Ok(checked.reservation.succeed(self.tx, self.now)?)
    }

    pub(super) fn remove_second_factor(&mut self, id: UserId) -> Result<Option<EventId>, StoreError> {
        if self.tx.second_factors().of_user(id)?.is_none() {
            return Ok(None);
        }
        self.tx.second_factors().delete(id)?;
        let detail =
            EventDetail::UserSecondFactorChanged { before: SecondFactor::new(true), after: SecondFactor::new(false) };
        self.append_event(EventDraft::new(EventTarget::User(id), detail)).map(Some)
    }
}
