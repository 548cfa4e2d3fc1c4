//! API keys: creating and revoking them.

use serde_json::json;

use super::{Actions, Change};
use crate::domain::action::Action;
use crate::domain::api_key::{Comment, KeyState, Revocation, RevocationReason};
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::{CompanyId, EventId, KeyId, ServiceAccountId, UserId};
use crate::domain::key::ApiKey;
use crate::domain::name::ServiceAccountName;
use crate::domain::submission::{self, SubmissionId};
use crate::random;
use crate::store::{KeyToStore, StoreError, StoredKey};

/// A key that was just made: the only time it is there in clear.
#[derive(Debug)]
pub struct CreatedKey {
    /// Its id.
    pub id: KeyId,
    /// The name of its service account, in the spelling that account has.
    pub name: String,
    /// The key.
    pub key: ApiKey,
}

/// Why a key was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// This form was sent before, successfully.
    #[error("This key was already shown. If you did not save it, revoke it and create a new one.")]
    AlreadyShown,
    /// The service account of that name has an active key.
    #[error("An active key named “{0}” already exists. Choose another name.")]
    NameTaken(String),
    /// Whoever asked for it was deleted meanwhile: nobody would have decided what becomes of it.
    #[error("Whoever asked for this key is no user any more.")]
    CreatorDeleted,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a key was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeKeyError {
    /// The company has no such key.
    #[error("This API key does not exist.")]
    Unknown,
    /// It has ended already; this is how.
    #[error("This API key has already ended.")]
    AlreadyEnded(Box<StoredKey>),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Makes a key for the service account of that name, which is made where there is none.
    ///
    /// # Errors
    /// [`CreateKeyError`]; then nothing was made.
    pub fn create_key(
        &self,
        company_id: CompanyId,
        creator: UserId,
        name: &ServiceAccountName,
        submission: SubmissionId,
        origin: &Origin,
    ) -> Result<CreatedKey, CreateKeyError> {
        let key = self.key_format.generate(&mut random::system());
        self.change(company_id.into(), origin, |change| {
            let now = change.now;
            if change.user(company_id, creator)?.is_none() {
                return Err(CreateKeyError::CreatorDeleted);
            }
            if change.submission_was_used(submission)? {
                return Err(CreateKeyError::AlreadyShown);
            }
            let (account, name) = match change.service_account_by_name(company_id, &name.folded())? {
                Some((account, spelling)) if change.has_active_key(company_id, account, now)? => {
                    return Err(CreateKeyError::NameTaken(spelling));
                }
                Some(continued) => continued,
                None => {
                    let account = ServiceAccountId::new(now, &random::bytes());
                    change.insert_service_account(company_id, account, name, now)?;
                    (account, name.as_str().to_owned())
                }
            };
            change.use_submission(submission, now, now - submission::GOOD_FOR)?;
            let id = KeyId::new(now, &random::bytes());
            let preview = key.preview();
            change.insert_key(&KeyToStore {
                id,
                company_id,
                service_account_id: account,
                digest: key.digest(&self.secrets.pepper),
                pepper_id: self.secrets.pepper.id(),
                preview: &preview,
                created_at: now,
                created_by: creator,
            })?;
            change.record(Happening {
                after: Some(json!({
                    "name": name,
                    "service_account_id": account.to_string(),
                    "preview": preview.as_str(),
                    "state": KeyState::Active.as_str(),
                })),
                ..Happening::new(Action::ApiKeyCreated, Target::ApiKey(id))
            })?;
            Ok(CreatedKey { id, name, key })
        })
    }

    /// Ends a key, for ever; answers the event that says so, and the key as it was before.
    ///
    /// # Errors
    /// [`RevokeKeyError`]; then nothing was changed.
    pub fn revoke_key(
        &self,
        company_id: CompanyId,
        id: KeyId,
        reason: RevocationReason,
        comment: Option<Comment>,
        origin: &Origin,
    ) -> Result<(EventId, StoredKey), RevokeKeyError> {
        self.change(company_id.into(), origin, |change| {
            let now = change.now;
            let key = change.key_of(company_id, id)?.ok_or(RevokeKeyError::Unknown)?;
            if key.state(now) != KeyState::Active {
                return Err(RevokeKeyError::AlreadyEnded(Box::new(key)));
            }
            let event = change.revoke(&key, reason, comment)?;
            Ok((event, key))
        })
    }
}

impl Change<'_, '_> {
    /// Ends an active key.
    pub(super) fn revoke(
        &mut self,
        key: &StoredKey,
        reason: RevocationReason,
        comment: Option<Comment>,
    ) -> Result<EventId, StoreError> {
        let revocation = Revocation { at: self.now, by: self.origin.actor, reason, comment: comment.clone() };
        self.revoke_key(key.company_id, key.id, &revocation)?;
        self.record(Happening {
            before: Some(json!({ "name": key.name, "state": KeyState::Active.as_str() })),
            after: Some(json!({ "name": key.name, "state": KeyState::Revoked.as_str() })),
            reason: Some(reason),
            comment,
            ..Happening::new(Action::ApiKeyRevoked, Target::ApiKey(key.id))
        })
    }

    /// Gives an active key another owner.
    pub(super) fn hand_over(&mut self, key: &StoredKey, owner: UserId) -> Result<EventId, StoreError> {
        self.set_owner(key.company_id, key.id, owner)?;
        self.record(Happening {
            before: Some(json!({ "name": key.name, "owner": key.owner.to_string() })),
            after: Some(json!({ "name": key.name, "owner": owner.to_string() })),
            ..Happening::new(Action::ApiKeyHandedOver, Target::ApiKey(key.id))
        })
    }
}
