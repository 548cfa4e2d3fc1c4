//! Signs users in and out: the password, then the code of a second factor, and the events about both.

use std::time::Duration;

use super::attempt::{Attempt, Reservation};
use super::authority::{ActionFailure, Permission, RequestContext};
use super::change::Change;
use super::service::Actions;
use super::signed_in_user::{AuthenticatedUser, SignedInUser};
use super::throttle::Throttle;
use crate::domain::client::Client;
use crate::domain::ids::SessionId;
use crate::domain::text::normalize;
use crate::domain::token::TokenDigest;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::UsedCode;
use crate::domain::user::email::EmailAddress;
use crate::domain::user::password::Password;
use crate::domain::user::second_factor::CodeKind;
use crate::random;
use crate::store::{Credentials, Db, SecondFactor, StoreError};

/// The outcome of a sign-in with the right password.
#[derive(Clone, Copy, Debug)]
pub enum SignInOutcome {
    /// The user is signed in.
    Complete(AuthenticatedUser),
    /// The user has a second factor and must enter a code.
    CodeRequired(AuthenticatedUser),
}

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The address, the password or the code is wrong. The caller does not learn which.
    #[error("wrong address, password or code")]
    Refused,
    /// Too many failures; how long to wait.
    #[error("too many tries")]
    Throttled(Duration),
    /// The user's sign-ins were ended after the password was checked.
    #[error("the password was checked too long ago")]
    Outdated,
    /// Far too many failures: only browsers that the user has signed in with may try.
    #[error("too many tries from unknown browsers")]
    Blocked,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Throttle> for SignInError {
    fn from(throttle: Throttle) -> Self {
        match throttle {
            Throttle::Wait(wait) => Self::Throttled(wait),
            Throttle::Blocked => Self::Blocked,
        }
    }
}

/// The queue in which a sign-in waits for its password to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashingQueue {
    /// For browsers that the user has not signed in with.
    Shared,
    /// For known browsers, signed-in users and holders of a link. Strangers cannot fill it.
    Reserved,
}

impl Actions {
    /// Returns the queue for a sign-in, before its password is verified.
    ///
    /// # Errors
    /// [`SignInError`] if the sign-in must wait: it is then refused without taking a turn.
    pub fn admit_sign_in(
        &self,
        email: &str,
        device: Option<TokenDigest>,
        client: &Client,
    ) -> Result<HashingQueue, SignInError> {
        let (_, attempt) = self.find_sign_in(email, device, client)?;
        Ok(if attempt.is_from_known_browser() { HashingQueue::Reserved } else { HashingQueue::Shared })
    }

    /// Checks an address and a password. Takes as long for an unknown address. `device` is the token of the browser's
    /// device cookie.
    pub fn sign_in(
        &self,
        email: &str,
        password: &Password,
        device: Option<TokenDigest>,
        client: &Client,
    ) -> Result<SignInOutcome, SignInError> {
        let (credentials, attempt) = self.find_sign_in(email, device, client)?;
        let reservation = self.reserve::<SignInError>(&attempt)?;
        let hash = credentials.as_ref().and_then(|credentials| credentials.password_hash.as_deref());
        let is_correct = self.passwords.verify(&reservation, password, hash);
        let Some(credentials) = credentials.as_ref().filter(|_| is_correct) else {
            let (user, now) = (credentials.as_ref().map(SignedInUser::from), self.clock.now());
            self.store.write(|tx| reservation.record_refusal(tx, user, client, now))?;
            return Err(SignInError::Refused);
        };
        let user = SignedInUser::from(credentials);
        let authenticated = AuthenticatedUser { user, epoch: credentials.sign_in_epoch };
        if credentials.has_second_factor {
            // Keep the other failures until the code is right: a stolen password must not allow unlimited tries.
            self.store.write(|tx| reservation.take_back(tx))?;
            return Ok(SignInOutcome::CodeRequired(authenticated));
        }
        self.change_with(Permission::by_credential(user.user_id), user.company_id.into(), client, |change| {
            // The password may have changed, or a second factor been set up, while the password was being verified.
            if change.tx.users().password_hash(user.user_id)? != credentials.password_hash {
                return Err(SignInError::Refused);
            }
            if change.tx.second_factors().of_user(user.user_id)?.is_some() {
                reservation.take_back(change.tx)?;
                return Ok(SignInOutcome::CodeRequired(authenticated));
            }
            reservation.succeed(change.tx, change.now)?;
            change.record_signed_in(user, None)?;
            Ok(SignInOutcome::Complete(authenticated))
        })
    }

    /// Checks the code of a user whose password was right: an authenticator code or a recovery code. One transaction
    /// checks the limit, counts the attempt, and uses the code.
    pub fn verify_code(
        &self,
        authenticated: AuthenticatedUser,
        typed: &str,
        device: Option<TokenDigest>,
        client: &Client,
    ) -> Result<(), SignInError> {
        let user = authenticated.user;
        let now = self.clock.now();
        let attempt = self.store.read(|db| {
            let attempt = self.code_attempt(db, user, device, client)?;
            // A cheap refusal: it takes no lock.
            attempt.check(db, now)?.map_or(Ok(attempt), |throttle| Err(SignInError::from(throttle)))
        })?;
        self.change_with(Permission::by_credential(user.user_id), user.company_id.into(), client, |change| {
            let now = change.now;
            if change.tx.users().sign_in_epoch(user.user_id)? != Some(authenticated.epoch) {
                return Err(SignInError::Outdated);
            }
            let second_factor = change.tx.second_factors().of_user(user.user_id)?.ok_or(SignInError::Outdated)?;
            let reservation = attempt.reserve(change.tx, now)?.map_err(SignInError::from)?;
            let Some(kind) = self.use_code(change, &reservation, user, &second_factor, typed)? else {
                reservation.record_refusal(change.tx, Some(user), client, now)?;
                // The transaction is committed, and the failure with it.
                return Ok(Err(SignInError::Refused));
            };
            reservation.succeed(change.tx, now)?;
            Ok(Ok(change.record_signed_in(user, Some(kind))?))
        })?
    }

    /// Ends the acting user's session and records that they signed out.
    pub fn sign_out(&self, context: &RequestContext, session: SessionId) -> Result<(), ActionFailure> {
        let user_id = context.acting_user()?;
        self.change_own(context, |change| {
            change.tx.sessions().end(user_id, session)?;
            change.append_event(EventDraft::new(EventTarget::User(user_id), EventDetail::UserSignedOut))?;
            Ok(())
        })
    }

    /// Finds the user of an email address and the attempt to sign in.
    fn find_sign_in(
        &self,
        email: &str,
        device: Option<TokenDigest>,
        client: &Client,
    ) -> Result<(Option<Credentials>, Attempt), SignInError> {
        let now = self.clock.now();
        self.store.read(|db| {
            let credentials = match EmailAddress::parse(email) {
                Ok(email) => db.users().credentials(&email.case_folded())?,
                Err(_) => None,
            };
            let user = credentials.as_ref().map(SignedInUser::from);
            let attempt = self.sign_in_attempt(db, &normalize::case_folded(email), user, device, client)?;
            attempt.check(db, now)?.map_or(Ok((credentials, attempt)), |throttle| Err(SignInError::from(throttle)))
        })
    }

    fn code_attempt(
        &self,
        db: &mut Db<'_>,
        user: SignedInUser,
        device: Option<TokenDigest>,
        client: &Client,
    ) -> Result<Attempt, SignInError> {
        let found = db.users().by_id(user.company_id, user.user_id)?.ok_or(SignInError::Outdated)?;
        Ok(self.sign_in_attempt(db, &normalize::case_folded(&found.email), Some(user), device, client)?)
    }

    /// Uses up a code. Returns `None` if it is wrong or was used before.
    fn use_code(
        &self,
        change: &mut Change<'_, '_>,
        _: &Reservation,
        user: SignedInUser,
        second_factor: &SecondFactor,
        typed: &str,
    ) -> Result<Option<CodeKind>, StoreError> {
        let (keyring, id) = (self.secrets.keyring(), user.user_id);
        // A server of an older version, which has the first set only, names none.
        let named = Some(&*second_factor.set_id).filter(|id| !id.is_empty());
        let set_id = named.or(keyring.first().map(|first| &**first)).unwrap_or_default();
        if let Some(set) = keyring.set(set_id) {
            let mask = second_factor.mask.unwrap_or_default();
            let authenticator = set.second_factor.masked_authenticator(id, &second_factor.seed, &mask);
            if let Some(step) = authenticator.check(typed, change.now, &second_factor.used) {
                change.tx.second_factors().use_code(id, step)?;
                let active = keyring.active();
                if active.id() != set.id() {
                    let seed = random::bytes();
                    let mask = active.second_factor.mask(id, &seed, &authenticator);
                    change.tx.second_factors().move_to_set(id, &seed, &mask, active.id())?;
                }
                return Ok(Some(CodeKind::Authenticator));
            }
        }
        if keyring.lacking() == Some(set_id) {
            return Err(StoreError::lacks_secrets(set_id));
        }
        for set in keyring.sets() {
            let digest = set.second_factor.recovery_digest(id, typed);
            if change.tx.second_factors().use_recovery_code(id, &digest)? {
                return Ok(Some(CodeKind::RecoveryCode));
            }
        }
        Ok(None)
    }
}

impl Change<'_, '_> {
    pub(super) fn record_signed_in(
        &mut self,
        user: SignedInUser,
        second_factor: Option<CodeKind>,
    ) -> Result<(), StoreError> {
        let (SignedInUser { user_id, company_id }, now) = (user, self.now);
        // Refusals before this sign-in come before it in the trail.
        self.append_refused_sign_ins(company_id)?;
        self.tx.users().set_last_signed_in(user_id, now)?;
        let detail = match second_factor {
            None => EventDetail::UserSignedIn,
            Some(second_factor) => EventDetail::UserSignedInWithCode { after: UsedCode { second_factor } },
        };
        self.append_event(EventDraft::new(EventTarget::User(user_id), detail))?;
        Ok(())
    }
}
