//! API keys: creating and revoking them.

use serde_json::json;

use super::{Actions, Change};
use crate::domain::action::Action;
use crate::domain::api_key::{Comment, KeyState, Revocation, RevocationReason};
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::{CompanyId, EventId, KeyId, ServiceAccountId, UserId};
use crate::domain::instant::Instant;
use crate::domain::key::ApiKey;
use crate::domain::key_digest::Pepper;
use crate::domain::key_policy::{ExpiryError, ExpiryWish};
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

/// What somebody wishes of a new key.
#[derive(Clone, Debug)]
pub struct KeyWish {
    /// The name of its service account.
    pub name: ServiceAccountName,
    /// Until when it should be good.
    pub expiry: ExpiryWish,
}

/// Why a key was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// This form was sent before, successfully.
    #[error("This key was already shown. If you did not save it, revoke it and create a new one.")]
    AlreadyShown,
    /// The service account of that name has an active key, which is this one.
    #[error("An active key named “{0}” already exists. Rotate it, or choose another name.")]
    NameTaken(String, KeyId),
    /// It cannot live as long as was wished.
    #[error(transparent)]
    Expiry(#[from] ExpiryError),
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

/// Why none of several keys was revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeKeysError {
    /// The company lacks one of them.
    #[error("This API key does not exist.")]
    Unknown,
    /// One of them has ended already; this is its name.
    #[error("“{0}” has ended already, so that nothing was revoked. Check the list, and revoke the others.")]
    AlreadyEnded(String),
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
        wish: &KeyWish,
        submission: SubmissionId,
        origin: &Origin,
    ) -> Result<CreatedKey, CreateKeyError> {
        let name = &wish.name;
        let key = self.key_format.generate(&mut random::system());
        self.change(company_id.into(), origin, |change| {
            let now = change.now;
            if change.user(company_id, creator)?.is_none() {
                return Err(CreateKeyError::CreatorDeleted);
            }
            if change.submission_was_used(submission)? {
                return Err(CreateKeyError::AlreadyShown);
            }
            let expires_at = change.company_settings(company_id)?.key_policy.expiry(wish.expiry, now)?;
            let known = change.service_account_by_name(company_id, &name.folded())?;
            if let Some((account, spelling)) = &known
                && let Some(active) = change.active_key(company_id, *account, now)?
            {
                return Err(CreateKeyError::NameTaken(spelling.clone(), active));
            }
            let (account, name) = if let Some(continued) = known {
                continued
            } else {
                let account = ServiceAccountId::new(now, &random::bytes());
                change.insert_service_account(company_id, account, name, now)?;
                (account, name.as_str().to_owned())
            };
            change.use_submission(submission, now, now - submission::GOOD_FOR)?;
            let new = NewKey { company_id, account, name: &name, owner: creator, expires_at, replaces: None };
            let id = change.add_key(&new, &key, &self.secrets.pepper, creator)?;
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

    /// Ends the key that somebody holds; nothing where there is none or it has ended.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was changed.
    pub fn revoke_presented_key(&self, key: &ApiKey, origin: &Origin) -> Result<(), StoreError> {
        let digest = key.digest(&self.secrets.pepper);
        // Most texts that strangers send are no key: they must not keep anybody waiting who changes something.
        let Some(found) = self.store.ask(|questions| questions.key_by_digest(&digest))? else { return Ok(()) };
        match self.revoke_key(found.company.id, found.id, RevocationReason::Unspecified, None, origin) {
            Ok(_) | Err(RevokeKeyError::Unknown | RevokeKeyError::AlreadyEnded(_)) => Ok(()),
            Err(RevokeKeyError::Store(error)) => Err(error),
        }
    }

    /// Ends several keys, all of them or none; answers the last of the events that say so.
    ///
    /// # Errors
    /// [`RevokeKeysError`]; then nothing was changed.
    pub fn revoke_keys(
        &self,
        company_id: CompanyId,
        ids: &[KeyId],
        reason: RevocationReason,
        comment: Option<&Comment>,
        origin: &Origin,
    ) -> Result<Option<EventId>, RevokeKeysError> {
        self.change(company_id.into(), origin, |change| {
            let mut last = None;
            for id in ids {
                let key = change.key_of(company_id, *id)?.ok_or(RevokeKeysError::Unknown)?;
                if key.state(change.now) != KeyState::Active {
                    return Err(RevokeKeysError::AlreadyEnded(key.name));
                }
                last = Some(change.revoke_together(&key, reason, comment.cloned(), ids.len())?);
            }
            Ok(last)
        })
    }
}

/// A key to be made.
pub(super) struct NewKey<'a> {
    pub(super) company_id: CompanyId,
    pub(super) account: ServiceAccountId,
    pub(super) name: &'a str,
    pub(super) owner: UserId,
    pub(super) expires_at: Option<Instant>,
    pub(super) replaces: Option<KeyId>,
}

impl Change<'_, '_> {
    /// Adds a key, and the event that says so.
    pub(super) fn add_key(
        &mut self,
        new: &NewKey<'_>,
        key: &ApiKey,
        pepper: &Pepper,
        creator: UserId,
    ) -> Result<KeyId, StoreError> {
        let id = KeyId::new(self.now, &random::bytes());
        let preview = key.preview();
        let stored = KeyToStore {
            id,
            company_id: new.company_id,
            service_account_id: new.account,
            digest: key.digest(pepper),
            pepper_id: pepper.id(),
            preview: &preview,
            created_at: self.now,
            created_by: creator,
            owner: new.owner,
            expires_at: new.expires_at,
        };
        self.insert_key(&stored)?;
        let mut after = json!({
            "name": new.name,
            "service_account_id": new.account.to_string(),
            "preview": preview.as_str(),
            "state": KeyState::Active.as_str(),
        });
        if let Some(expires_at) = new.expires_at {
            after["expires_at"] = json!(expires_at.as_micros());
        }
        if let Some(replaced) = new.replaces {
            after["replaces"] = json!(replaced.to_string());
        }
        self.record(Happening { after: Some(after), ..Happening::new(Action::ApiKeyCreated, Target::ApiKey(id)) })?;
        Ok(id)
    }

    /// Ends an active key.
    pub(super) fn revoke(
        &mut self,
        key: &StoredKey,
        reason: RevocationReason,
        comment: Option<Comment>,
    ) -> Result<EventId, StoreError> {
        self.revoke_together(key, reason, comment, 1)
    }

    /// Ends an active key, which is one of so many that are ended together.
    fn revoke_together(
        &mut self,
        key: &StoredKey,
        reason: RevocationReason,
        comment: Option<Comment>,
        together: usize,
    ) -> Result<EventId, StoreError> {
        let mut after = json!({ "name": key.name, "state": KeyState::Revoked.as_str() });
        if together > 1 {
            after["keys_together"] = json!(together);
        }
        let revocation = Revocation { at: self.now, by: self.origin.actor, reason, comment: comment.clone() };
        self.revoke_key(key.company_id, key.id, &revocation)?;
        self.revoked.push(key.id);
        self.record(Happening {
            before: Some(json!({ "name": key.name, "state": KeyState::Active.as_str() })),
            after: Some(after),
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
