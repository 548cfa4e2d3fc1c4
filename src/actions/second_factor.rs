//! Sets up a second factor: the secret that a session is shown, the password and the code that confirm it, the recovery
//! codes.

use super::account::OwnPasswordError;
use super::authority::{Denied, RequestContext};
use super::service::Actions;
use super::signed_in_user::SignedInUser;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::SecondFactor;
use crate::domain::user::password::Password;
use crate::domain::user::second_factor::{Authenticator, RECOVERY_CODE_COUNT, SecondFactorKey, new_recovery_code};
use crate::random;
use crate::store::{NewSecondFactor, StoreError};

/// Why a second factor was not set up.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmSecondFactorError {
    /// The code does not match the secret that was shown.
    #[error("The code is incorrect. Check the clock of your device, and enter the code that it shows now.")]
    WrongCode,
    #[error("The second factor is already set up.")]
    AlreadySetUp,
    /// The current password is refused.
    #[error(transparent)]
    Password(#[from] OwnPasswordError),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Returns the secret that a session is shown until a code confirms it. It stays the same for the whole session.
    pub fn pending_second_factor(&self, user: SignedInUser, session: SessionId) -> Result<Authenticator, StoreError> {
        let set = self.secrets.active();
        let key = &set.second_factor;
        if let Some(seed) = self.store.query(|db| db.second_factors().pending(session))? {
            return Ok(key.authenticator(user.user_id, &seed));
        }
        let seed = self.store.write(|tx| {
            if let Some(seed) = tx.second_factors().pending(session)? {
                return Ok::<_, StoreError>(seed);
            }
            let seed = random::bytes();
            tx.second_factors().set_pending(session, Some(&seed))?;
            Ok(seed)
        })?;
        Ok(key.authenticator(user.user_id, &seed))
    }

    /// Sets up the second factor with the secret that the session was shown, and ends the user's other sessions. Returns
    /// the recovery codes, which are not stored in plaintext.
    pub fn confirm_second_factor(
        &self,
        context: &RequestContext,
        session: SessionId,
        current: &Password,
        typed: &str,
    ) -> Result<Vec<String>, ConfirmSecondFactorError> {
        let user_id = context.acting_user()?;
        let keyring = self.secrets.keyring();
        let active = keyring.active();
        let key = &active.second_factor;
        let checked = self.check_own_password(context, current)?;
        self.change_own(context, |change| {
            let now = change.now;
            change.accept_own_password(&checked)?;
            if change.tx.second_factors().of_user(user_id)?.is_some() {
                return Ok(Err(ConfirmSecondFactorError::AlreadySetUp));
            }
            let seed = change.tx.second_factors().pending(session)?;
            // The secret may have been shown before the secrets were rotated.
            let confirmed = seed.and_then(|seed| {
                keyring.sets().find_map(|set| {
                    let authenticator = set.second_factor.authenticator(user_id, &seed);
                    authenticator.check(typed, now, &[]).map(|step| (authenticator, step))
                })
            });
            let Some((seed, (authenticator, step))) = seed.zip(confirmed) else {
                // The transaction is committed: the password was right, and does not stay counted as a failure.
                return Ok(Err(ConfirmSecondFactorError::WrongCode));
            };
            let (codes, digests) = new_recovery_codes(key, user_id);
            let mask = key.mask(user_id, &seed, &authenticator);
            let new = NewSecondFactor {
                seed: &seed,
                mask: Some(&mask).filter(|mask| **mask != [0; 20]),
                set_id: active.id(),
                recovery_digests: &digests,
            };
            change.tx.second_factors().insert(context.company_id, user_id, &new, now)?;
            change.tx.second_factors().use_code(user_id, step)?;
            change.tx.second_factors().set_pending(session, None)?;
            change.tx.sessions().end_all(user_id, Some(session))?;
            let detail = EventDetail::UserSecondFactorChanged {
                before: SecondFactor::new(false),
                after: SecondFactor::new(true),
            };
            change.append_event(EventDraft::new(EventTarget::User(user_id), detail))?;
            Ok::<_, ConfirmSecondFactorError>(Ok(codes))
        })?
    }

    /// Replaces the recovery codes of the acting user. Returns the new ones, or `None` if there is no second factor.
    pub fn renew_recovery_codes(
        &self,
        context: &RequestContext,
        current: &Password,
    ) -> Result<Option<Vec<String>>, OwnPasswordError> {
        let user_id = context.acting_user()?;
        let active = self.secrets.active();
        let checked = self.check_own_password(context, current)?;
        self.change_own(context, |change| {
            change.accept_own_password(&checked)?;
            if change.tx.second_factors().of_user(user_id)?.is_none() {
                return Ok(None);
            }
            let (codes, digests) = new_recovery_codes(&active.second_factor, user_id);
            change.tx.second_factors().replace_recovery_codes(user_id, active.id(), &digests)?;
            let detail = EventDetail::UserSecondFactorChanged {
                before: SecondFactor::new(true),
                after: SecondFactor { recovery_codes_renewed: true, ..SecondFactor::new(true) },
            };
            change.append_event(EventDraft::new(EventTarget::User(user_id), detail))?;
            Ok(Some(codes))
        })
    }
}

/// Returns new recovery codes of a user with their digests.
fn new_recovery_codes(key: &SecondFactorKey, user_id: UserId) -> (Vec<String>, Vec<[u8; 32]>) {
    let codes: Vec<String> = (0..RECOVERY_CODE_COUNT).map(|_| new_recovery_code(random::bytes())).collect();
    let digests = codes.iter().map(|code| key.recovery_digest(user_id, code)).collect();
    (codes, digests)
}
