//! Changes the name, owner, details and expiry of keys, and records keys that ended by themselves.

use super::authority::{Denied, Permission, RequestContext};
use super::change::{Change, is_change_paused};
use super::service::Actions;
use crate::domain::client::Client;
use crate::domain::ids::{CompanyId, EventId, KeyId, UserId};
use crate::domain::key::account_details::{Contact, Department, DetailsEdit, Purpose};
use crate::domain::key::lifecycle::{KeyEnd, KeyState, RevocationReason};
use crate::domain::policy::key_policy::{ExpiryError, RequestedExpiry};
use crate::domain::text::name::ServiceAccountName;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::{AccountDetails, ExpiredKey, KeyExpiry, KeyStatus, Name, SupersededKey};
use crate::store::{KeyRecord, StoreError};

const END_BATCH_SIZE: i64 = 200;

/// An edit of a key and its service account. `None` keeps a value.
#[derive(Clone, Debug)]
pub struct KeyEdit {
    /// The version of the key that the edit is based on; `None` for any.
    pub version: Option<i64>,
    pub name: ServiceAccountName,
    pub owner: Option<UserId>,
    pub details: DetailsEdit,
    pub expiry: Option<RequestedExpiry>,
}

/// Why a key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditKeyError {
    /// The company has no such key.
    #[error("This API key does not exist.")]
    Unknown,
    #[error("This API key is revoked and can no longer be changed.")]
    Revoked,
    /// Another service account has this name.
    #[error("A service account named “{0}” already exists. Choose another name.")]
    NameTaken(String),
    /// The new owner is not a user of the company.
    #[error("This user does not exist.")]
    UnknownOwner,
    #[error(transparent)]
    Expiry(#[from] ExpiryError),
    /// An expired key stays expired.
    #[error("This API key has expired. Rotate it to get a new one.")]
    Expired,
    /// The key is not in the expected version.
    #[error("This API key was changed in the meantime.")]
    Outdated,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Edits a key and its service account. Returns one event per change.
    pub fn edit_key(&self, context: &RequestContext, id: KeyId, edit: &KeyEdit) -> Result<Vec<EventId>, EditKeyError> {
        let company_id = context.company_id;
        self.change(context, |change| {
            let mut key = change.tx.keys().by_id(company_id, id)?.ok_or(EditKeyError::Unknown)?;
            if key.state(change.now) == KeyState::Revoked {
                return Err(EditKeyError::Revoked);
            }
            if edit.version.is_some_and(|version| version != key.version) {
                return Err(EditKeyError::Outdated);
            }
            let mut events = Vec::new();
            if key.name != edit.name.as_str() {
                events.push(change.rename(&key, &edit.name)?);
                edit.name.as_str().clone_into(&mut key.name);
            }
            if let Some(owner) = edit.owner.filter(|owner| *owner != key.owner) {
                change.tx.users().by_id(company_id, owner)?.ok_or(EditKeyError::UnknownOwner)?;
                events.push(change.hand_over(&key, owner)?);
            }
            events.extend(change.edit_details(&key, &edit.details)?);
            if let Some(expiry) = edit.expiry {
                events.extend(change.change_expiry(&key, expiry)?);
            }
            Ok(events)
        })
    }

    /// Records keys that have expired, or whose overlap has ended. Enforcement does not depend on it: a key is refused
    /// from its end on, recorded or not.
    pub fn record_ended_keys(&self) -> Result<(), StoreError> {
        loop {
            let now = self.clock.now();
            let ended = self.store.query(|db| db.keys().unrecorded_ends(now, END_BATCH_SIZE))?;
            let mut is_paused = false;
            for (company_id, id) in &ended {
                let recorded =
                    self.change_with(Permission::system(), (*company_id).into(), &Client::none(), |change| {
                        change.record_end(*company_id, *id)
                    });
                is_paused |= is_change_paused(recorded)?;
            }
            if is_paused || i64::try_from(ended.len()).unwrap_or(i64::MAX) < END_BATCH_SIZE {
                return Ok(());
            }
        }
    }
}

impl Change<'_, '_> {
    fn rename(&mut self, key: &KeyRecord, name: &ServiceAccountName) -> Result<EventId, EditKeyError> {
        let taken = self.tx.service_accounts().by_name(key.company_id, &name.case_folded())?;
        if let Some((_, spelling)) = taken.filter(|(account, _)| *account != key.service_account_id) {
            return Err(EditKeyError::NameTaken(spelling));
        }
        self.tx.service_accounts().rename(key.company_id, key.service_account_id, name)?;
        let detail = EventDetail::ApiKeyRenamed {
            before: Name { name: key.name.clone() },
            after: Name { name: name.as_str().to_owned() },
        };
        Ok(self.append_event(EventDraft::new(EventTarget::ApiKey(key.id), detail))?)
    }

    /// Stores the details that differ. Returns the event, if any does.
    fn edit_details(&mut self, key: &KeyRecord, edit: &DetailsEdit) -> Result<Option<EventId>, StoreError> {
        let before = AccountDetails {
            contact: key.contact.clone(),
            department: key.department.clone(),
            name: key.name.clone(),
            purpose: key.purpose.clone(),
        };
        let mut after = before.clone();
        for (value, edited) in [
            (&mut after.purpose, edit.purpose.as_ref().map(Purpose::as_str)),
            (&mut after.department, edit.department.as_ref().map(Department::as_str)),
            (&mut after.contact, edit.contact.as_ref().map(Contact::as_str)),
        ] {
            if let Some(edited) = edited {
                edited.clone_into(value);
            }
        }
        if after == before {
            return Ok(None);
        }
        self.tx.service_accounts().edit_details(key.company_id, key.service_account_id, edit)?;
        let detail = EventDetail::ApiKeyDetailsChanged { before, after };
        self.append_event(EventDraft::new(EventTarget::ApiKey(key.id), detail)).map(Some)
    }

    /// Changes the expiry of a key within the company's policy. Returns the event, if it differs.
    fn change_expiry(&mut self, key: &KeyRecord, requested: RequestedExpiry) -> Result<Option<EventId>, EditKeyError> {
        if key.state(self.now) != KeyState::Active {
            return Err(EditKeyError::Expired);
        }
        let policy = self.tx.companies().settings(key.company_id)?.key_policy;
        let expires_at = policy.change_expiry(requested, key.created_at, key.expires_at, self.now)?;
        if expires_at == key.expires_at {
            return Ok(None);
        }
        self.tx.keys().set_expiry(key.company_id, key.id, expires_at)?;
        let detail = EventDetail::ApiKeyExpiryChanged {
            before: KeyExpiry { expires_at: key.expires_at, name: key.name.clone() },
            after: KeyExpiry { expires_at, name: key.name.clone() },
        };
        Ok(Some(self.append_event(EventDraft::new(EventTarget::ApiKey(key.id), detail))?))
    }

    fn record_end(&mut self, company_id: CompanyId, id: KeyId) -> Result<(), StoreError> {
        let Some(key) = self.tx.keys().by_id(company_id, id)?.filter(|key| key.revocation.is_none()) else {
            return Ok(());
        };
        // Another server may have recorded it, and the overlap may have been extended in the meantime.
        if self.tx.keys().is_end_recorded(company_id, id)? {
            return Ok(());
        }
        let Some(end) = key.end(self.now) else { return Ok(()) };
        let name = key.name;
        let before = KeyStatus { name: name.clone(), state: KeyState::Active };
        match end {
            KeyEnd::Expired(ended_at) => {
                let after = ExpiredKey { ended_at, idle_days: None, name, state: KeyState::Expired };
                self.append_event(EventDraft::new(
                    EventTarget::ApiKey(id),
                    EventDetail::ApiKeyExpired { before, after },
                ))?;
            }
            KeyEnd::Revoked(revocation) => {
                // Stored, the revocation also holds if the clock goes back.
                self.tx.keys().revoke(company_id, id, &revocation)?;
                self.revoked.push(id);
                let after = SupersededKey {
                    ended_at: revocation.at,
                    name,
                    rotated_by: revocation.by.user(),
                    state: KeyState::Revoked,
                };
                let detail = EventDetail::ApiKeySuperseded { before, after };
                let draft = EventDraft::new(EventTarget::ApiKey(id), detail);
                self.append_event(EventDraft { reason: Some(RevocationReason::Superseded), ..draft })?;
            }
        }
        self.tx.keys().mark_end_recorded(company_id, id)
    }
}
