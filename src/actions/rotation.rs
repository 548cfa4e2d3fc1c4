//! Rotates a key: a new key replaces it, and the old one ends at once or after an overlap.

use super::authority::{Denied, RequestContext};
use super::change::Change;
use super::keys::{CreatedKey, NewKey};
use super::service::Actions;
use crate::domain::ids::{CompanyId, EventId, KeyId, UserId};
use crate::domain::key::lifecycle::{KeyState, RevocationReason};
use crate::domain::key::rotation::{Overlap, Replacement};
use crate::domain::key::submission::{self, SubmissionId};
use crate::domain::policy::key_policy::{ExpiryError, RequestedExpiry};
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::{KeyEnd, Name, OldKey};
use crate::random;
use crate::store::{KeyRecord, StoreError};

/// A request to rotate a key.
#[derive(Clone, Copy, Debug)]
pub struct RotationRequest {
    /// How long the old key keeps working.
    pub overlap: Overlap,
    /// The expiry of the new key.
    pub expiry: RequestedExpiry,
}

/// The result of a rotation.
#[derive(Debug)]
pub struct RotatedKey {
    /// The new key.
    pub created: CreatedKey,
    pub old_preview: String,
    /// When the old key stops working; `None` if it has ended.
    pub old_until: Option<Timestamp>,
}

/// Why a key was not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateKeyError {
    /// The company has no such key.
    #[error("This API key does not exist.")]
    Unknown,
    /// This form was already submitted successfully.
    #[error("This key was already shown. If you didn’t save it, rotate it to get a new key.")]
    AlreadyShown,
    #[error("This API key is revoked and cannot be rotated. Create a new key.")]
    Revoked,
    /// An active key has replaced it, or is replacing it.
    #[error("This API key is already being replaced. Rotate the key that replaces it.")]
    AlreadyReplaced,
    /// It has expired, and its service account has a newer active key.
    #[error("The service account of this expired key has a newer key. Rotate that one.")]
    HasNewerKey,
    #[error(transparent)]
    Expiry(#[from] ExpiryError),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an overlap was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OverlapError {
    /// The company has no such key.
    #[error("This API key does not exist.")]
    Unknown,
    /// It is not being replaced, or has ended.
    #[error("This API key is not being replaced, or has already ended.")]
    NoOverlap,
    /// An overlap is extended at most once.
    #[error("The overlap was already extended. Switch the system to the new key, or end the old one.")]
    AlreadyExtended,
    /// The old key expires before the extension would start.
    #[error("The old key expires before that date.")]
    ExpiresFirst,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Creates a key that replaces another one, for the same service account and owner. If the owner was deleted, the
    /// acting user owns the new key.
    pub fn rotate_key(
        &self,
        context: &RequestContext,
        id: KeyId,
        request: &RotationRequest,
        submission: SubmissionId,
    ) -> Result<RotatedKey, RotateKeyError> {
        let (company_id, rotator) = (context.company_id, context.acting_user()?);
        let new_key = self.key_format.generate(&mut random::system());
        self.change(context, |change| {
            let now = change.now;
            if change.tx.submissions().is_used(submission)? {
                return Err(RotateKeyError::AlreadyShown);
            }
            let old = change.tx.keys().by_id(company_id, id)?.ok_or(RotateKeyError::Unknown)?;
            change.ensure_can_rotate(&old)?;
            let expires_at =
                change.tx.companies().settings(company_id)?.key_policy.resolve_expiry(request.expiry, now)?;
            change.tx.submissions().mark_used(submission, now, now - submission::LIFETIME)?;
            let owner = if change.tx.users().by_id(company_id, old.owner)?.is_some() { old.owner } else { rotator };
            let (account, name) = (old.service_account_id, old.name.as_str());
            let new = NewKey { company_id, account, name, owner, expires_at, replaces: Some(old.id), purpose: None };
            let (new_id, event) = change.add_key(&new, &new_key, &self.secrets.active().pepper)?;
            let old_until = change.replace(&old, new_id, rotator, request.overlap)?;
            Ok(RotatedKey {
                created: CreatedKey { id: new_id, name: old.name, key: new_key, event },
                old_preview: old.preview,
                old_until,
            })
        })
    }

    /// Revokes a key that is being replaced, before its overlap ends.
    pub fn end_overlap(&self, context: &RequestContext, id: KeyId) -> Result<EventId, OverlapError> {
        self.change(context, |change| {
            let (key, _, _) = change.key_in_overlap(context.company_id, id)?;
            Ok(change.revoke(&key, RevocationReason::Superseded, None)?)
        })
    }

    /// Extends the overlap of a key that is being replaced, once.
    pub fn extend_overlap(&self, context: &RequestContext, id: KeyId) -> Result<EventId, OverlapError> {
        self.change(context, |change| {
            let (key, replacement, ends_at) = change.key_in_overlap(context.company_id, id)?;
            if replacement.overlap_extended {
                return Err(OverlapError::AlreadyExtended);
            }
            if key.expires_at.is_some_and(|expiry| expiry <= ends_at) {
                return Err(OverlapError::ExpiresFirst);
            }
            let later = ends_at + Overlap::EXTENSION;
            // The event says when the key stops working, which may be its expiry.
            let works_until = key.expires_at.map_or(later, |expiry| expiry.min(later));
            let extended = Replacement { overlap_ends_at: Some(later), overlap_extended: true, ..replacement };
            change.tx.keys().set_replacement(context.company_id, id, &extended)?;
            let overlap_ends_at = Some(later).filter(|_| key.expires_at.is_some_and(|expiry| expiry <= later));
            let detail = EventDetail::ApiKeyOverlapExtended {
                before: KeyEnd { ends_at, name: key.name.clone(), overlap_ends_at: None },
                after: KeyEnd { ends_at: works_until, name: key.name, overlap_ends_at },
            };
            Ok(change.append_event(EventDraft::new(EventTarget::ApiKey(id), detail))?)
        })
    }
}

impl Change<'_, '_> {
    fn ensure_can_rotate(&mut self, old: &KeyRecord) -> Result<(), RotateKeyError> {
        let now = self.now;
        let state = old.state(now);
        // A replacement that has ended does not block another rotation.
        let replaced_by =
            old.replacement.map(|replacement| self.tx.keys().by_id(old.company_id, replacement.by)).transpose()?;
        if state != KeyState::Revoked && replaced_by.flatten().is_some_and(|new| new.state(now) == KeyState::Active) {
            return Err(RotateKeyError::AlreadyReplaced);
        }
        match state {
            KeyState::Revoked => Err(RotateKeyError::Revoked),
            KeyState::Active => Ok(()),
            KeyState::Expired => match self.tx.keys().active_of_account(old.company_id, old.service_account_id, now)? {
                Some(_) => Err(RotateKeyError::HasNewerKey),
                None => Ok(()),
            },
        }
    }

    /// Marks a key as replaced. Returns when the old key stops working; `None` if it has ended.
    fn replace(
        &mut self,
        old: &KeyRecord,
        new: KeyId,
        rotator: UserId,
        overlap: Overlap,
    ) -> Result<Option<Timestamp>, StoreError> {
        let is_active = old.state(self.now) == KeyState::Active;
        let overlap_ends_at = overlap.duration().filter(|_| is_active).map(|duration| self.now + duration);
        let replacement = Replacement { by: new, rotated_by: rotator, overlap_ends_at, overlap_extended: false };
        self.tx.keys().set_replacement(old.company_id, old.id, &replacement)?;
        let ends = KeyRecord { replacement: Some(replacement), ..old.clone() }.ends();
        // The expiry may come before the end of the overlap.
        let works_until = ends.first().filter(|_| overlap_ends_at.is_some());
        let detail = EventDetail::ApiKeyRotated {
            before: Name { name: old.name.clone() },
            after: OldKey {
                ends_at: works_until,
                name: old.name.clone(),
                overlap_ends_at: overlap_ends_at.filter(|end| old.expires_at.is_some_and(|expiry| expiry <= *end)),
                replaced_by: new,
            },
        };
        self.append_event(EventDraft::new(EventTarget::ApiKey(old.id), detail))?;
        if is_active && overlap_ends_at.is_none() {
            self.revoke(old, RevocationReason::Superseded, None)?;
        }
        Ok(works_until)
    }

    /// Returns an active key that is being replaced, its replacement and the end of the overlap.
    fn key_in_overlap(
        &mut self,
        company_id: CompanyId,
        id: KeyId,
    ) -> Result<(KeyRecord, Replacement, Timestamp), OverlapError> {
        let key = self.tx.keys().by_id(company_id, id)?.ok_or(OverlapError::Unknown)?;
        let is_active = key.state(self.now) == KeyState::Active;
        let replacement = key.replacement.filter(|_| is_active).ok_or(OverlapError::NoOverlap)?;
        let ends_at = replacement.overlap_ends_at.ok_or(OverlapError::NoOverlap)?;
        Ok((key, replacement, ends_at))
    }
}
