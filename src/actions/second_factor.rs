//! Setting a second factor up: a secret that a session is shown, the code that confirms it, the recovery codes.

use serde_json::json;

use super::{Actions, SignedInUser};
use crate::domain::action::Action;
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::SessionId;
use crate::domain::second_factor::{Authenticator, RECOVERY_CODES, recovery_code};
use crate::random;
use crate::store::StoreError;

/// Why a second factor was not set up.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmSecondFactorError {
    /// The code is not one of the secret that was shown.
    #[error(
        "The code is incorrect. Check that the clock of your device is right, and enter the code that it shows now."
    )]
    WrongCode,
    /// There is one already.
    #[error("The second factor is set up already.")]
    AlreadySetUp,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// The secret that a session is shown until a code confirms it: the same for as long as the session lasts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pending_second_factor(&self, user: SignedInUser, session: SessionId) -> Result<Authenticator, StoreError> {
        let key = &self.secrets.second_factor;
        if let Some(seed) = self.store.ask(|questions| questions.pending_second_factor(session))? {
            return Ok(key.authenticator(user.user_id, &seed));
        }
        let seed = self.store.write(|transaction| {
            if let Some(seed) = transaction.pending_second_factor(session)? {
                return Ok::<_, StoreError>(seed);
            }
            let seed = random::bytes();
            transaction.set_pending_second_factor(session, Some(&seed))?;
            Ok(seed)
        })?;
        Ok(key.authenticator(user.user_id, &seed))
    }

    /// Sets the second factor up whose secret the session was shown; answers the recovery codes, the only time.
    ///
    /// # Errors
    /// [`ConfirmSecondFactorError`].
    pub fn confirm_second_factor(
        &self,
        user: SignedInUser,
        session: SessionId,
        typed: &str,
        origin: &Origin,
    ) -> Result<Vec<String>, ConfirmSecondFactorError> {
        let key = &self.secrets.second_factor;
        self.change(user.company_id.into(), origin, |change| {
            let now = change.now;
            if change.second_factor(user.user_id)?.is_some() {
                return Err(ConfirmSecondFactorError::AlreadySetUp);
            }
            let seed = change.pending_second_factor(session)?.ok_or(ConfirmSecondFactorError::WrongCode)?;
            let step = key.authenticator(user.user_id, &seed).check(typed, now, &[]);
            let step = step.ok_or(ConfirmSecondFactorError::WrongCode)?;
            let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code(random::bytes())).collect();
            let digests: Vec<_> = codes.iter().map(|code| key.recovery_digest(user.user_id, code)).collect();
            change.insert_second_factor(user.company_id, user.user_id, &seed, &digests, now)?;
            change.use_code(user.user_id, step)?;
            change.set_pending_second_factor(session, None)?;
            change.record(Happening {
                before: Some(json!({ "second_factor": false })),
                after: Some(json!({ "second_factor": true })),
                ..Happening::new(Action::UserSecondFactorChanged, Target::User(user.user_id))
            })?;
            Ok(codes)
        })
    }
}
