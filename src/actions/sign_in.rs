//! Signing in and out: the password, then the code where there is a second factor, and the events that say so.

use std::time::Duration;

use serde_json::json;

use super::throttle::{Attempt, Attempter, Barred};
use super::{Actions, Change};
use crate::domain::action::Action;
use crate::domain::actor::Actor;
use crate::domain::email::EmailAddress;
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::{CompanyId, UserId};
use crate::domain::password::Password;
use crate::domain::text;
use crate::store::{Credentials, SecondFactor, Snapshot, StoreError};

/// Who signed in, or is about to.
#[derive(Clone, Copy, Debug)]
pub struct SignedInUser {
    /// The user.
    pub user_id: UserId,
    /// Their company.
    pub company_id: CompanyId,
}

impl From<&Credentials> for SignedInUser {
    fn from(credentials: &Credentials) -> Self {
        Self { user_id: credentials.user_id, company_id: credentials.company_id }
    }
}

/// Somebody who may begin a session, unless something ends their sign-ins first: another password, another role.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    /// The user.
    pub user: SignedInUser,
    /// How often something had ended their sign-ins when they were admitted.
    pub epoch: i64,
}

/// How far a sign-in has come whose password was right.
#[derive(Clone, Copy, Debug)]
pub enum SignIn {
    /// They are signed in.
    Complete(Admission),
    /// They have a second factor, and have to give a code.
    AwaitsCode(Admission),
}

/// Why nobody signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The address or the password is wrong: which, nobody learns. Or the code is.
    #[error("what was given is not right")]
    Refused,
    /// Too many tries; how long to wait.
    #[error("there were too many tries")]
    Throttled(Duration),
    /// Something ended their sign-ins since the password was given.
    #[error("the password was given too long ago")]
    Outdated,
    /// Far too many tries: only a browser that the user has signed in with may go on.
    #[error("there were too many tries from strange browsers")]
    Stopped,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Barred> for SignInError {
    fn from(barred: Barred) -> Self {
        match barred {
            Barred::For(wait) => Self::Throttled(wait),
            Barred::Stopped => Self::Stopped,
        }
    }
}

/// What a code turned out to be.
enum Given {
    AuthenticatorCode,
    RecoveryCode,
}

impl Actions {
    /// Checks an address and a password. Takes as long for an address that nobody has.
    ///
    /// # Errors
    /// [`SignInError`].
    pub fn sign_in(
        &self,
        email: &str,
        password: &Password,
        attempter: &Attempter,
        origin: &Origin,
    ) -> Result<SignIn, SignInError> {
        let now = self.clock.now();
        let (credentials, attempt) = self.store.read(|questions| {
            let credentials = match EmailAddress::parse(email) {
                Ok(email) => questions.credentials(&email.folded())?,
                Err(_) => None,
            };
            let user = credentials.as_ref().map(SignedInUser::from);
            let attempt = self.attempt(questions, &text::folded(email), user, attempter)?;
            match attempt.barred(questions, now)? {
                Some(barred) => Err(SignInError::from(barred)),
                None => Ok((credentials, attempt)),
            }
        })?;
        let hash = credentials.as_ref().and_then(|credentials| credentials.password_hash.as_deref());
        let fits = self.passwords.verify(password, hash);
        let Some(credentials) = credentials.as_ref().filter(|_| fits) else {
            self.count_failure(credentials.as_ref().map(SignedInUser::from), &attempt, origin)?;
            return Err(SignInError::Refused);
        };
        let user = SignedInUser::from(credentials);
        let admission = Admission { user, epoch: credentials.sign_in_epoch };
        if credentials.has_second_factor {
            // The count goes on until the code is right, too: else whoever has the password could try codes for ever.
            return Ok(SignIn::AwaitsCode(admission));
        }
        let origin = Origin { actor: Actor::User(user.user_id), ..origin.clone() };
        self.change(user.company_id.into(), &origin, |change| {
            // Checking took a while: another password, or a second factor, that was set up meanwhile counts.
            if change.password_hash(user.user_id)? != credentials.password_hash {
                return Err(SignInError::Refused);
            }
            if change.second_factor(user.user_id)?.is_some() {
                return Ok(SignIn::AwaitsCode(admission));
            }
            change.forgive(&attempt)?;
            change.record_signed_in(user.user_id, None)?;
            Ok(SignIn::Complete(admission))
        })
    }

    /// Checks the code of somebody whose password was right: one of their authenticator, or a recovery code.
    ///
    /// # Errors
    /// [`SignInError`].
    pub fn give_code(
        &self,
        admission: Admission,
        typed: &str,
        attempter: &Attempter,
        origin: &Origin,
    ) -> Result<(), SignInError> {
        let user = admission.user;
        let now = self.clock.now();
        let attempt = self.store.read(|questions| {
            let attempt = self.attempt_of(questions, user, attempter)?;
            match attempt.barred(questions, now)? {
                Some(barred) => Err(SignInError::from(barred)),
                None => Ok(attempt),
            }
        })?;
        let origin = Origin { actor: Actor::User(user.user_id), ..origin.clone() };
        let signed_in = self.change(user.company_id.into(), &origin, |change| {
            if change.sign_in_epoch(user.user_id)? != Some(admission.epoch) {
                return Err(SignInError::Outdated);
            }
            let second_factor = change.second_factor(user.user_id)?.ok_or(SignInError::Outdated)?;
            let given = self.use_code(change, user, &second_factor, typed)?.ok_or(SignInError::Refused)?;
            change.forgive(&attempt)?;
            let word = match given {
                Given::AuthenticatorCode => "authenticator",
                Given::RecoveryCode => "recovery_code",
            };
            Ok(change.record_signed_in(user.user_id, Some(word))?)
        });
        if let Err(SignInError::Refused) = signed_in {
            self.count_failure(Some(user), &attempt, &origin)?;
        }
        signed_in
    }

    /// Records that a user signed out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sign_out(&self, user: SignedInUser, origin: &Origin) -> Result<(), StoreError> {
        self.change(user.company_id.into(), origin, |change| {
            change.record(Happening::new(Action::UserSignedOut, Target::User(user.user_id)))
        })?;
        Ok(())
    }

    fn attempt_of(
        &self,
        questions: &mut Snapshot<'_>,
        user: SignedInUser,
        attempter: &Attempter,
    ) -> Result<Attempt, SignInError> {
        let found = questions.user(user.company_id, user.user_id)?.ok_or(SignInError::Outdated)?;
        Ok(self.attempt(questions, &text::folded(&found.email), Some(user), attempter)?)
    }

    fn use_code(
        &self,
        change: &mut Change<'_, '_>,
        user: SignedInUser,
        second_factor: &SecondFactor,
        typed: &str,
    ) -> Result<Option<Given>, StoreError> {
        let (key, now) = (&self.secrets.second_factor, change.now);
        let authenticator = key.authenticator(user.user_id, &second_factor.seed);
        if let Some(step) = authenticator.check(typed, now, &second_factor.used) {
            change.use_code(user.user_id, step)?;
            return Ok(Some(Given::AuthenticatorCode));
        }
        let was_there = change.use_recovery_code(user.user_id, &key.recovery_digest(user.user_id, typed))?;
        Ok(was_there.then_some(Given::RecoveryCode))
    }
}

impl Change<'_, '_> {
    /// Lets somebody begin a session who has just proven to be that user.
    pub(super) fn admit(&mut self, user: SignedInUser) -> Result<Admission, StoreError> {
        let epoch = self.sign_in_epoch(user.user_id)?;
        let epoch = epoch.ok_or_else(|| StoreError::Unexpected("whoever is admitted is deleted".to_owned()))?;
        Ok(Admission { user, epoch })
    }

    pub(super) fn record_signed_in(
        &mut self,
        user_id: UserId,
        second_factor: Option<&'static str>,
    ) -> Result<(), StoreError> {
        let now = self.now;
        self.set_last_signed_in(user_id, now)?;
        self.record(Happening {
            after: second_factor.map(|given| json!({ "second_factor": given })),
            ..Happening::new(Action::UserSignedIn, Target::User(user_id))
        })?;
        Ok(())
    }
}
