//! What users do about themselves: name and preferences, password, sessions. And what an operator does for them.

use std::time::Duration;

use serde_json::json;

use super::passwords::{HashError, PasswordHash};
use super::throttle::Barred;
use super::{Actions, Admission, Change, SignedInUser};
use crate::domain::action::Action;
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::{EventId, SessionId, UserId};
use crate::domain::name::PersonName;
use crate::domain::password::{Password, PasswordError};
use crate::domain::text;
use crate::domain::user::Theme;
use crate::store::{StoreError, User};

/// Why somebody who is signed in did not prove to be who signed in, or could not have what they asked for.
#[derive(Debug, thiserror::Error)]
pub enum OwnPasswordError {
    /// The current password is another one.
    #[error("This is not your current password.")]
    WrongPassword,
    /// Too many tries; how long to wait.
    #[error("there were too many tries")]
    Throttled(Duration),
    /// The new password cannot be taken.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The new password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Gives a user another name, time zone and theme; answers the event that says so, where anything changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn change_profile(
        &self,
        user: SignedInUser,
        name: &PersonName,
        time_zone: Option<&str>,
        theme: Theme,
        origin: &Origin,
    ) -> Result<Option<EventId>, StoreError> {
        self.change(user.company_id.into(), origin, |change| {
            let Some(before) = change.user(user.company_id, user.user_id)? else { return Ok(None) };
            let changed: Vec<&str> = [
                ("name", before.name != name.as_str()),
                ("time_zone", before.time_zone.as_deref() != time_zone),
                ("theme", before.theme != theme),
            ]
            .into_iter()
            .filter_map(|(field, is_another)| is_another.then_some(field))
            .collect();
            if changed.is_empty() {
                return Ok(None);
            }
            change.set_profile(user.user_id, name, time_zone, theme)?;
            let event = change.record(Happening {
                after: Some(json!({ "changed": changed })),
                ..Happening::new(Action::UserProfileChanged, Target::User(user.user_id))
            })?;
            Ok(Some(event))
        })
    }

    /// Gives a user another password, and ends all their sessions: this one has to begin anew. Answers the event, and
    /// what lets this session begin.
    ///
    /// # Errors
    /// [`OwnPasswordError`].
    pub fn change_password(
        &self,
        user: SignedInUser,
        current: &Password,
        typed: &str,
        origin: &Origin,
    ) -> Result<(EventId, Admission), OwnPasswordError> {
        let checked = self.check_own_password(user, current)?;
        let found = self.store.ask(|questions| questions.user(user.company_id, user.user_id))?;
        let found = found.ok_or(OwnPasswordError::WrongPassword)?;
        let password_hash = self.passwords.hash(&self.choose_password::<OwnPasswordError>(&found, typed)?)?;
        self.change(user.company_id.into(), origin, |change| {
            change.still_has(user.user_id, &checked)?;
            change.replace_password(user.user_id, &password_hash)?;
            let event = change.record(Happening::new(Action::UserPasswordChanged, Target::User(user.user_id)))?;
            Ok((event, change.admit(user)?))
        })
    }

    /// Removes a user's second factor; answers the event that says so, where there was one.
    ///
    /// # Errors
    /// [`OwnPasswordError`].
    pub fn remove_second_factor(
        &self,
        user: SignedInUser,
        current: &Password,
        origin: &Origin,
    ) -> Result<Option<EventId>, OwnPasswordError> {
        let checked = self.check_own_password(user, current)?;
        self.change(user.company_id.into(), origin, |change| {
            change.still_has(user.user_id, &checked)?;
            Ok(change.take_second_factor_away(user.user_id)?)
        })
    }

    /// Ends one session of a user; answers the event that says so, where there was such a one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn end_session(
        &self,
        user: SignedInUser,
        id: SessionId,
        origin: &Origin,
    ) -> Result<Option<EventId>, StoreError> {
        self.change(user.company_id.into(), origin, |change| {
            if !change.end_session_of(user.user_id, id)? {
                return Ok(None);
            }
            change.record_sessions_ended(user.user_id, json!({ "session_id": id.to_string() })).map(Some)
        })
    }

    /// Ends all sessions of a user but one; answers the event that says so, where there were others.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn end_other_sessions(
        &self,
        user: SignedInUser,
        kept: SessionId,
        origin: &Origin,
    ) -> Result<Option<EventId>, StoreError> {
        self.change(user.company_id.into(), origin, |change| match change.end_sign_ins(user.user_id, Some(kept))? {
            0 => Ok(None),
            ended => change.record_sessions_ended(user.user_id, json!({ "sessions": ended })).map(Some),
        })
    }

    /// Gives a user the password that an operator chose, ends their sessions, and lets them try it at once.
    ///
    /// # Errors
    /// [`OwnPasswordError`].
    pub fn set_password(&self, user: &User, typed: &str, origin: &Origin) -> Result<(), OwnPasswordError> {
        let password_hash = self.passwords.hash(&self.choose_password::<OwnPasswordError>(user, typed)?)?;
        self.change(user.company_id.into(), origin, |change| {
            change.delete_invitation(user.id)?;
            change.replace_password(user.id, &password_hash)?;
            change.forget_sign_in_failures(&self.address_subject(&text::folded(&user.email)))?;
            change.record(Happening::new(Action::UserPasswordChanged, Target::User(user.id)))?;
            Ok(())
        })
    }

    /// Removes the second factor of a user who lost it and the recovery codes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reset_second_factor(&self, user: &User, origin: &Origin) -> Result<(), StoreError> {
        self.change(user.company_id.into(), origin, |change| change.take_second_factor_away(user.id))?;
        Ok(())
    }

    /// Forgets a user's failed sign-ins, so that every browser may try again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unlock(&self, user: &User, origin: &Origin) -> Result<(), StoreError> {
        self.change(user.company_id.into(), origin, |change| {
            let now = change.now;
            change.reset_sign_in_failures(&self.address_subject(&text::folded(&user.email)), now)?;
            change.record(Happening::new(Action::UserUnlocked, Target::User(user.id)))?;
            Ok(())
        })
    }

    /// A password that is hard to guess for whoever knows the person, the company and the platform.
    pub(super) fn choose_password<E: From<StoreError> + From<PasswordError>>(
        &self,
        user: &User,
        typed: &str,
    ) -> Result<Password, E> {
        let company = self.store.ask(|questions| questions.company_settings(user.company_id))?;
        let words = [company.name.as_str(), &user.name, &user.email, &self.platform_name, "keydesk"];
        Ok(Password::chosen(typed, &words)?)
    }

    /// Checks the password of somebody who is signed in; answers the hash that it fits.
    fn check_own_password(&self, user: SignedInUser, current: &Password) -> Result<String, OwnPasswordError> {
        let now = self.clock.now();
        let attempt = self.attempt_within(user);
        let (barred, hash) = self.store.read(|questions| {
            Ok::<_, StoreError>((attempt.barred(questions, now)?, questions.password_hash(user.user_id)?))
        })?;
        if let Some(Barred::For(wait)) = barred {
            return Err(OwnPasswordError::Throttled(wait));
        }
        let fits = self.passwords.verify(current, hash.as_deref());
        if let Some(hash) = hash.filter(|_| fits) {
            return Ok(hash);
        }
        self.count_failure_within(&attempt)?;
        Err(OwnPasswordError::WrongPassword)
    }
}

impl Change<'_, '_> {
    /// Gives a user another password; whatever the one before let in has to come again.
    pub(super) fn replace_password(&mut self, id: UserId, hash: &PasswordHash) -> Result<(), StoreError> {
        self.set_password_hash(id, hash.as_str())?;
        self.end_sign_ins(id, None)?;
        self.forget_devices(id)
    }

    /// Refuses to go on where the password that was checked is not theirs any more.
    fn still_has(&mut self, id: UserId, checked: &str) -> Result<(), OwnPasswordError> {
        if self.password_hash(id)?.as_deref() == Some(checked) { Ok(()) } else { Err(OwnPasswordError::WrongPassword) }
    }

    fn take_second_factor_away(&mut self, id: UserId) -> Result<Option<EventId>, StoreError> {
        if self.second_factor(id)?.is_none() {
            return Ok(None);
        }
        self.delete_second_factor(id)?;
        let event = self.record(Happening {
            before: Some(json!({ "second_factor": true })),
            after: Some(json!({ "second_factor": false })),
            ..Happening::new(Action::UserSecondFactorChanged, Target::User(id))
        })?;
        Ok(Some(event))
    }

    fn record_sessions_ended(&mut self, id: UserId, which: serde_json::Value) -> Result<EventId, StoreError> {
        self.record(Happening { after: Some(which), ..Happening::new(Action::UserSessionEnded, Target::User(id)) })
    }
}
