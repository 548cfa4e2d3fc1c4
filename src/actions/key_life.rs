//! What becomes of a key after it was made: another name, another owner, an end by itself.

use serde_json::json;

use super::{Actions, Change};
use crate::domain::action::Action;
use crate::domain::api_key::{KeyEnd, KeyState, RevocationReason};
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::{CompanyId, EventId, KeyId, UserId};
use crate::domain::name::ServiceAccountName;
use crate::store::{StoreError, StoredKey};

/// So many ends are recorded in one go.
const ENDS_AT_A_TIME: i64 = 200;

/// Why a key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditKeyError {
    /// The company has no such key.
    #[error("This API key does not exist.")]
    Unknown,
    /// It is revoked, for ever.
    #[error("This API key is revoked. Revoked keys stay as they are.")]
    Revoked,
    /// Another service account has the name.
    #[error("A service account named “{0}” already exists. Choose another name.")]
    NameTaken(String),
    /// Whoever should own it is no user of the company.
    #[error("This user does not exist.")]
    UnknownOwner,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Gives a key's service account another name, and the key another owner; answers the events that say so.
    ///
    /// # Errors
    /// [`EditKeyError`]; then nothing was changed.
    pub fn edit_key(
        &self,
        company_id: CompanyId,
        id: KeyId,
        name: &ServiceAccountName,
        owner: Option<UserId>,
        origin: &Origin,
    ) -> Result<Vec<EventId>, EditKeyError> {
        self.change(company_id.into(), origin, |change| {
            let key = change.key_of(company_id, id)?.ok_or(EditKeyError::Unknown)?;
            if key.state(change.now) == KeyState::Revoked {
                return Err(EditKeyError::Revoked);
            }
            let mut events = Vec::new();
            if key.name != name.as_str() {
                events.push(change.rename(&key, name)?);
            }
            if let Some(owner) = owner.filter(|owner| *owner != key.owner) {
                change.user(company_id, owner)?.ok_or(EditKeyError::UnknownOwner)?;
                events.push(change.hand_over(&StoredKey { name: name.as_str().to_owned(), ..key }, owner)?);
            }
            Ok(events)
        })
    }

    /// Writes into the trail which keys have ended by themselves since it was done last. Nothing depends on it: a key is
    /// refused from its end on, whoever wrote that down.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn record_ends(&self) -> Result<(), StoreError> {
        let origin = Origin::system();
        loop {
            let now = self.clock.now();
            let ended = self.store.ask(|questions| questions.unrecorded_ends(now, ENDS_AT_A_TIME))?;
            for (company_id, id) in &ended {
                self.change((*company_id).into(), &origin, |change| change.record_end(*company_id, *id))?;
            }
            if i64::try_from(ended.len()).unwrap_or(i64::MAX) < ENDS_AT_A_TIME {
                return Ok(());
            }
        }
    }
}

impl Change<'_, '_> {
    fn rename(&mut self, key: &StoredKey, name: &ServiceAccountName) -> Result<EventId, EditKeyError> {
        let taken = self.service_account_by_name(key.company_id, &name.folded())?;
        if let Some((_, spelling)) = taken.filter(|(account, _)| *account != key.service_account_id) {
            return Err(EditKeyError::NameTaken(spelling));
        }
        self.rename_service_account(key.company_id, key.service_account_id, name)?;
        Ok(self.record(Happening {
            before: Some(json!({ "name": key.name })),
            after: Some(json!({ "name": name.as_str() })),
            ..Happening::new(Action::ApiKeyRenamed, Target::ApiKey(key.id))
        })?)
    }

    fn record_end(&mut self, company_id: CompanyId, id: KeyId) -> Result<(), StoreError> {
        let Some(key) = self.key_of(company_id, id)?.filter(|key| key.revocation.is_none()) else { return Ok(()) };
        // Another server may have been faster, and an overlap may have been extended meanwhile.
        if self.end_is_recorded(company_id, id)? {
            return Ok(());
        }
        match key.end(self.now) {
            None => return Ok(()),
            Some(KeyEnd::Expired(at)) => {
                self.record(Happening {
                    before: Some(json!({ "name": key.name, "state": KeyState::Active.as_str() })),
                    after: Some(json!({
                        "name": key.name,
                        "state": KeyState::Expired.as_str(),
                        "ended_at": at.as_micros(),
                    })),
                    ..Happening::new(Action::ApiKeyExpired, Target::ApiKey(id))
                })?;
            }
            Some(KeyEnd::Revoked(revocation)) => {
                // Written down, it holds whatever a clock says later.
                self.revoke_key(company_id, id, &revocation)?;
                self.revoked.push(id);
                self.record(Happening {
                    before: Some(json!({ "name": key.name, "state": KeyState::Active.as_str() })),
                    after: Some(json!({
                        "name": key.name,
                        "state": KeyState::Revoked.as_str(),
                        "ended_at": revocation.at.as_micros(),
                        "rotated_by": revocation.by.user().map(|user| user.to_string()),
                    })),
                    reason: Some(RevocationReason::Superseded),
                    ..Happening::new(Action::ApiKeyRevoked, Target::ApiKey(id))
                })?;
            }
        }
        self.set_end_recorded(company_id, id)
    }
}
