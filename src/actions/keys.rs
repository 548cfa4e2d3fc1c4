//! Creates and revokes API keys.

use super::authority::{Denied, Permission, RequestContext};
use super::change::Change;
use super::service::Actions;
use crate::domain::client::Client;
use crate::domain::ids::{CompanyId, EventId, KeyId, ServiceAccountId, UserId};
use crate::domain::key::account_details::{DetailsEdit, Purpose};
use crate::domain::key::api_key::ApiKey;
use crate::domain::key::digest::{DigestFingerprint, DigestKind, Pepper};
use crate::domain::key::lifecycle::{Comment, KeyState, Revocation, RevocationReason};
use crate::domain::key::submission::{self, SubmissionId};
use crate::domain::policy::key_policy::{ExpiryError, RequestedExpiry};
use crate::domain::text::name::ServiceAccountName;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::{self, KeyOwner, KeyStatus, RevokedKey};
use crate::random;
use crate::store::{KeyRecord, NewKeyRecord, StoreError};

/// A new key. The plaintext key exists only here.
#[derive(Debug)]
pub struct CreatedKey {
    pub id: KeyId,
    /// The name of the service account, as that account spells it.
    pub name: String,
    pub key: ApiKey,
    /// The event of its creation.
    pub event: EventId,
}

/// A request for a new key.
#[derive(Clone, Debug)]
pub struct NewKeyRequest {
    /// The name of the service account.
    pub name: ServiceAccountName,
    pub expiry: RequestedExpiry,
    /// The purpose of the service account. An empty one keeps that of an account that exists.
    pub purpose: Purpose,
}

/// Why a key was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// This form was already submitted successfully.
    #[error("This key was already shown. If you didn’t save it, rotate it to get a new key.")]
    AlreadyShown,
    /// The service account with this name has this active key.
    #[error("An active key named “{0}” already exists. Rotate it, or choose another name.")]
    NameTaken(String, KeyId),
    #[error(transparent)]
    Expiry(#[from] ExpiryError),
    /// The owner is not a user of the company.
    #[error("The owner is no longer a user of the company. Name another one.")]
    UnknownOwner,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a key was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeKeyError {
    /// The company has no such key.
    #[error("This API key does not exist.")]
    Unknown,
    /// The key has already ended. Holds its record.
    #[error("This API key has already ended.")]
    AlreadyEnded(Box<KeyRecord>),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why none of several keys was revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeKeysError {
    /// The company does not have one of the keys.
    #[error("This API key does not exist.")]
    Unknown,
    /// One of the keys has already ended. Holds its name.
    #[error("“{0}” is already revoked or expired, so nothing was revoked. Refresh the list and try again without it.")]
    AlreadyEnded(String),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Creates a key for the named service account, creating the account if needed. The acting user owns the key.
    pub fn create_key(
        &self,
        context: &RequestContext,
        request: &NewKeyRequest,
        submission: SubmissionId,
    ) -> Result<CreatedKey, CreateKeyError> {
        let owner = context.acting_user()?;
        let key = self.key_format.generate(&mut random::system());
        self.change(context, |change| {
            if change.tx.submissions().is_used(submission)? {
                return Err(CreateKeyError::AlreadyShown);
            }
            let created = change.create_key(context.company_id, request, owner, key, &self.secrets.active().pepper)?;
            let now = change.now;
            change.tx.submissions().mark_used(submission, now, now - submission::LIFETIME)?;
            Ok(created)
        })
    }

    /// Creates a key as [`Actions::create_key`] does, for an owner whom a command names.
    pub fn create_key_for(
        &self,
        context: &RequestContext,
        request: &NewKeyRequest,
        owner: UserId,
    ) -> Result<CreatedKey, CreateKeyError> {
        let key = self.key_format.generate(&mut random::system());
        self.change(context, |change| {
            change.tx.users().by_id(context.company_id, owner)?.ok_or(CreateKeyError::UnknownOwner)?;
            change.create_key(context.company_id, request, owner, key, &self.secrets.active().pepper)
        })
    }

    /// Revokes an active key. Returns the event, and the key as it was before.
    pub fn revoke_key(
        &self,
        context: &RequestContext,
        id: KeyId,
        reason: RevocationReason,
        comment: Option<Comment>,
    ) -> Result<(EventId, KeyRecord), RevokeKeyError> {
        self.change(context, |change| {
            let key = change.tx.keys().by_id(context.company_id, id)?.ok_or(RevokeKeyError::Unknown)?;
            if key.state(change.now) != KeyState::Active {
                return Err(RevokeKeyError::AlreadyEnded(Box::new(key)));
            }
            let event = change.revoke(&key, reason, comment)?;
            Ok((event, key))
        })
    }

    /// Revokes a key for a caller who holds it. Does nothing if the key is unknown or has ended.
    pub fn revoke_presented_key(&self, key: &ApiKey, client: &Client) -> Result<(), StoreError> {
        let digests = key.presented(self.secrets.keyring().peppers());
        // Anyone can send unknown keys. They must not take the write lock.
        let Some(found) = self.store.query(|db| db.keys().by_digest(&digests))? else {
            return self.memory.summary().map_or(Ok(()), |lacking| Err(StoreError::WentBack(lacking)));
        };
        self.change_with(Permission::key_holder(), found.company.id.into(), client, |change| {
            match change.tx.keys().by_id(found.company.id, found.id)? {
                Some(key) if key.state(change.now) == KeyState::Active => {
                    change.revoke(&key, RevocationReason::Unspecified, None).map(drop)
                }
                _ => Ok(()),
            }
        })
    }

    /// Revokes several active keys, all of them or none. Returns the last event.
    pub fn revoke_keys(
        &self,
        context: &RequestContext,
        ids: &[KeyId],
        reason: RevocationReason,
        comment: Option<&Comment>,
    ) -> Result<Option<EventId>, RevokeKeysError> {
        self.change(context, |change| {
            let together = u64::try_from(ids.len()).unwrap_or(u64::MAX);
            let mut last = None;
            for id in ids {
                let key = change.tx.keys().by_id(context.company_id, *id)?.ok_or(RevokeKeysError::Unknown)?;
                if key.state(change.now) != KeyState::Active {
                    return Err(RevokeKeysError::AlreadyEnded(key.name));
                }
                last = Some(change.revoke_together(&key, reason, comment.cloned(), together)?);
            }
            Ok(last)
        })
    }
}

/// A key to add, for a service account that exists.
pub(super) struct NewKey<'a> {
    pub(super) company_id: CompanyId,
    pub(super) account: ServiceAccountId,
    pub(super) name: &'a str,
    pub(super) owner: UserId,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) replaces: Option<KeyId>,
    /// The new purpose of the service account.
    pub(super) purpose: Option<&'a str>,
}

impl Change<'_, '_> {
    fn create_key(
        &mut self,
        company_id: CompanyId,
        request: &NewKeyRequest,
        owner: UserId,
        key: ApiKey,
        pepper: &Pepper,
    ) -> Result<CreatedKey, CreateKeyError> {
        let (now, name) = (self.now, &request.name);
        let expires_at = self.tx.companies().settings(company_id)?.key_policy.resolve_expiry(request.expiry, now)?;
        let known = self.tx.service_accounts().by_name(company_id, &name.case_folded())?;
        if let Some((account, spelling)) = &known
            && let Some(active) = self.tx.keys().active_of_account(company_id, *account, now)?
        {
            return Err(CreateKeyError::NameTaken(spelling.clone(), active));
        }
        let (account, name) = if let Some(known) = known {
            known
        } else {
            let account = ServiceAccountId::new(now, &random::bytes());
            self.tx.service_accounts().insert(company_id, account, name, now)?;
            (account, name.as_str().to_owned())
        };
        let purpose = Some(&request.purpose).filter(|purpose| !purpose.as_str().is_empty());
        if let Some(purpose) = purpose {
            let edit = DetailsEdit { purpose: Some(purpose.clone()), ..DetailsEdit::default() };
            self.tx.service_accounts().edit_details(company_id, account, &edit)?;
        }
        let purpose = purpose.map(Purpose::as_str);
        let new = NewKey { company_id, account, name: &name, owner, expires_at, replaces: None, purpose };
        let (id, event) = self.add_key(&new, &key, pepper)?;
        Ok(CreatedKey { id, name, key, event })
    }

    /// Adds a key, and its event.
    pub(super) fn add_key(
        &mut self,
        new: &NewKey<'_>,
        key: &ApiKey,
        pepper: &Pepper,
    ) -> Result<(KeyId, EventId), StoreError> {
        let id = KeyId::new(self.now, &random::bytes());
        let preview = key.preview();
        let stored = NewKeyRecord {
            id,
            company_id: new.company_id,
            service_account_id: new.account,
            digest: key.digest(pepper),
            digest_kind: DigestKind::Key,
            pepper_id: pepper.id(),
            preview: &preview,
            created_at: self.now,
            created_by: self.actor,
            owner: new.owner,
            expires_at: new.expires_at,
        };
        self.tx.keys().insert(&stored)?;
        let after = event_values::NewKey {
            purpose: new.purpose.map(str::to_owned),
            replaces: new.replaces,
            ..event_value(&stored, new.name, self.first_pepper.as_deref())
        };
        let event =
            self.append_event(EventDraft::new(EventTarget::ApiKey(id), EventDetail::ApiKeyCreated { after }))?;
        Ok((id, event))
    }

    /// Revokes an active key.
    pub(super) fn revoke(
        &mut self,
        key: &KeyRecord,
        reason: RevocationReason,
        comment: Option<Comment>,
    ) -> Result<EventId, StoreError> {
        self.revoke_together(key, reason, comment, 1)
    }

    /// Revokes an active key, one of `together` keys that are revoked at once.
    pub(super) fn revoke_together(
        &mut self,
        key: &KeyRecord,
        reason: RevocationReason,
        comment: Option<Comment>,
        together: u64,
    ) -> Result<EventId, StoreError> {
        let revocation = Revocation { at: self.now, by: self.actor, reason, comment: comment.clone() };
        self.tx.keys().revoke(key.company_id, key.id, &revocation)?;
        self.revoked.push(key.id);
        let detail = EventDetail::ApiKeyRevoked {
            before: KeyStatus { name: key.name.clone(), state: KeyState::Active },
            after: RevokedKey {
                keys_together: Some(together).filter(|together| *together > 1),
                name: key.name.clone(),
                state: KeyState::Revoked,
            },
        };
        let draft = EventDraft::new(EventTarget::ApiKey(key.id), detail);
        self.append_event(EventDraft { reason: Some(reason), comment, ..draft })
    }

    /// Changes the owner of an active key.
    pub(super) fn hand_over(&mut self, key: &KeyRecord, owner: UserId) -> Result<EventId, StoreError> {
        self.tx.keys().set_owner(key.company_id, key.id, owner)?;
        let detail = EventDetail::ApiKeyHandedOver {
            before: KeyOwner { name: key.name.clone(), owner: key.owner },
            after: KeyOwner { name: key.name.clone(), owner },
        };
        self.append_event(EventDraft::new(EventTarget::ApiKey(key.id), detail))
    }
}

/// Returns what the event of a new key records.
pub(super) fn event_value(key: &NewKeyRecord<'_>, name: &str, first_pepper: Option<&str>) -> event_values::NewKey {
    event_values::NewKey {
        digest_fingerprint: Some(DigestFingerprint::of(key.digest.as_bytes())),
        digest_kind: Some(key.digest_kind).filter(|kind| *kind != DigestKind::Key),
        expires_at: key.expires_at,
        imported: false,
        name: name.to_owned(),
        owner: Some(key.owner).filter(|_| key.created_by.user().is_none()),
        pepper_id: Some(key.pepper_id).filter(|id| first_pepper != Some(*id)).map(str::to_owned),
        preview: key.preview.as_str().to_owned(),
        purpose: None,
        replaces: None,
        service_account_id: key.service_account_id,
        state: KeyState::Active,
    }
}
