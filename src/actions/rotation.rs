//! Rotating a key: a new one takes its place, and the old one ends at once or a while later.

use serde_json::json;

use super::keys::NewKey;
use super::{Actions, Change, CreatedKey};
use crate::domain::action::Action;
use crate::domain::api_key::{KeyState, RevocationReason};
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::{CompanyId, EventId, KeyId, UserId};
use crate::domain::instant::Instant;
use crate::domain::key_policy::{ExpiryError, ExpiryWish};
use crate::domain::rotation::{Overlap, Replacement};
use crate::domain::submission::{self, SubmissionId};
use crate::random;
use crate::store::{StoreError, StoredKey};

/// What somebody wishes of the key that takes another one's place.
#[derive(Clone, Copy, Debug)]
pub struct RotationWish {
    /// How long the old key goes on working.
    pub overlap: Overlap,
    /// Until when the new one should be good.
    pub expiry: ExpiryWish,
}

/// A rotation that was just made.
#[derive(Debug)]
pub struct Rotated {
    /// The new key.
    pub created: CreatedKey,
    /// What may be shown of the old one.
    pub old_preview: String,
    /// Until when the old one works; `None` where it has ended.
    pub old_until: Option<Instant>,
}

/// Why a key was not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateKeyError {
    /// The company has no such key.
    #[error("This API key does not exist.")]
    Unknown,
    /// This form was sent before, successfully.
    #[error("This key was already shown. If you did not save it, revoke it and create a new one.")]
    AlreadyShown,
    /// It is revoked, for ever.
    #[error("This API key is revoked. Revoked keys are not rotated: create a new one.")]
    Revoked,
    /// Another key has taken its place, or is about to.
    #[error("This API key is being replaced already. Rotate the key that takes its place.")]
    AlreadyReplaced,
    /// It has expired, and its service account has got another key since.
    #[error("The service account of this expired key has a newer key. Rotate that one.")]
    HasNewerKey,
    /// The new key cannot live as long as was wished.
    #[error(transparent)]
    Expiry(#[from] ExpiryError),
    /// Whoever asked for it was deleted meanwhile.
    #[error("Whoever asked for this rotation is no user any more.")]
    RotatorDeleted,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an overlap was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OverlapError {
    /// The company has no such key.
    #[error("This API key does not exist.")]
    Unknown,
    /// No other key is about to take its place.
    #[error("This API key is not being replaced, or has ended already.")]
    NoOverlap,
    /// That is done once.
    #[error("The time was extended already. Rotate the system that uses the old key, or end it.")]
    AlreadyExtended,
    /// The old key expires before a longer overlap would begin.
    #[error("The old key expires by then, so that it cannot work longer.")]
    ExpiresFirst,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Makes a key that takes another one's place, for the same service account and owner.
    ///
    /// # Errors
    /// [`RotateKeyError`]; then nothing was made.
    pub fn rotate_key(
        &self,
        company_id: CompanyId,
        id: KeyId,
        rotator: UserId,
        wish: &RotationWish,
        submission: SubmissionId,
        origin: &Origin,
    ) -> Result<Rotated, RotateKeyError> {
        let new_key = self.key_format.generate(&mut random::system());
        self.change(company_id.into(), origin, |change| {
            let now = change.now;
            if change.submission_was_used(submission)? {
                return Err(RotateKeyError::AlreadyShown);
            }
            change.user(company_id, rotator)?.ok_or(RotateKeyError::RotatorDeleted)?;
            let old = change.key_of(company_id, id)?.ok_or(RotateKeyError::Unknown)?;
            change.allow_rotation(&old)?;
            let expires_at = change.company_settings(company_id)?.key_policy.expiry(wish.expiry, now)?;
            change.use_submission(submission, now, now - submission::GOOD_FOR)?;
            let owner = if change.user(company_id, old.owner)?.is_some() { old.owner } else { rotator };
            let (account, name) = (old.service_account_id, old.name.as_str());
            let new = NewKey { company_id, account, name, owner, expires_at, replaces: Some(old.id) };
            let new_id = change.add_key(&new, &new_key, &self.secrets.pepper, rotator)?;
            let old_until = change.replace(&old, new_id, rotator, wish.overlap)?;
            Ok(Rotated {
                created: CreatedKey { id: new_id, name: old.name, key: new_key },
                old_preview: old.preview,
                old_until,
            })
        })
    }

    /// Ends a key that is being replaced at once; answers the event that says so.
    ///
    /// # Errors
    /// [`OverlapError`].
    pub fn end_overlap(&self, company_id: CompanyId, id: KeyId, origin: &Origin) -> Result<EventId, OverlapError> {
        self.change(company_id.into(), origin, |change| {
            let (key, _, _) = change.overlapping(company_id, id)?;
            Ok(change.revoke(&key, RevocationReason::Superseded, None)?)
        })
    }

    /// Lets a key that is being replaced work longer, once; answers the event that says so.
    ///
    /// # Errors
    /// [`OverlapError`].
    pub fn extend_overlap(&self, company_id: CompanyId, id: KeyId, origin: &Origin) -> Result<EventId, OverlapError> {
        self.change(company_id.into(), origin, |change| {
            let (key, replacement, ends_at) = change.overlapping(company_id, id)?;
            if replacement.overlap_extended {
                return Err(OverlapError::AlreadyExtended);
            }
            if key.expires_at.is_some_and(|expiry| expiry <= ends_at) {
                return Err(OverlapError::ExpiresFirst);
            }
            let later = ends_at + Overlap::EXTENSION;
            // What the trail says of it is until when the key works, which its expiry may cut.
            let works_until = key.expires_at.map_or(later, |expiry| expiry.min(later));
            let extended = Replacement { overlap_ends_at: Some(later), overlap_extended: true, ..replacement };
            change.replace_key(company_id, id, &extended)?;
            Ok(change.record(Happening {
                before: Some(json!({ "name": key.name, "ends_at": ends_at.as_micros() })),
                after: Some(json!({ "name": key.name, "ends_at": works_until.as_micros() })),
                ..Happening::new(Action::ApiKeyExpiryChanged, Target::ApiKey(id))
            })?)
        })
    }
}

impl Change<'_, '_> {
    fn allow_rotation(&mut self, old: &StoredKey) -> Result<(), RotateKeyError> {
        let now = self.now;
        let state = old.state(now);
        // Where the key that was to take its place has ended, another one may.
        let taking_over = old.replacement.map(|replacement| self.key_of(old.company_id, replacement.by)).transpose()?;
        if state != KeyState::Revoked && taking_over.flatten().is_some_and(|new| new.state(now) == KeyState::Active) {
            return Err(RotateKeyError::AlreadyReplaced);
        }
        match state {
            KeyState::Revoked => Err(RotateKeyError::Revoked),
            KeyState::Active => Ok(()),
            KeyState::Expired => match self.active_key(old.company_id, old.service_account_id, now)? {
                Some(_) => Err(RotateKeyError::HasNewerKey),
                None => Ok(()),
            },
        }
    }

    /// Puts a new key in an old one's place; answers until when the old one works.
    fn replace(
        &mut self,
        old: &StoredKey,
        new: KeyId,
        rotator: UserId,
        overlap: Overlap,
    ) -> Result<Option<Instant>, StoreError> {
        let is_active = old.state(self.now) == KeyState::Active;
        let overlap_ends_at = overlap.duration().filter(|_| is_active).map(|duration| self.now + duration);
        let replacement = Replacement { by: new, rotated_by: rotator, overlap_ends_at, overlap_extended: false };
        self.replace_key(old.company_id, old.id, &replacement)?;
        let ends = StoredKey { replacement: Some(replacement), ..old.clone() }.ends();
        // An expiry may come before the end of the overlap.
        let works_until = ends.first().filter(|_| overlap_ends_at.is_some());
        let mut after = json!({ "name": old.name, "replaced_by": new.to_string() });
        if let Some(works_until) = works_until {
            after["ends_at"] = json!(works_until.as_micros());
        }
        self.record(Happening {
            before: Some(json!({ "name": old.name })),
            after: Some(after),
            ..Happening::new(Action::ApiKeyRotated, Target::ApiKey(old.id))
        })?;
        if is_active && overlap_ends_at.is_none() {
            self.revoke(old, RevocationReason::Superseded, None)?;
        }
        Ok(works_until)
    }

    /// A key that still works beside the one that takes its place, and until when.
    fn overlapping(
        &mut self,
        company_id: CompanyId,
        id: KeyId,
    ) -> Result<(StoredKey, Replacement, Instant), OverlapError> {
        let key = self.key_of(company_id, id)?.ok_or(OverlapError::Unknown)?;
        let is_active = key.state(self.now) == KeyState::Active;
        let replacement = key.replacement.filter(|_| is_active).ok_or(OverlapError::NoOverlap)?;
        let ends_at = replacement.overlap_ends_at.ok_or(OverlapError::NoOverlap)?;
        Ok((key, replacement, ends_at))
    }
}
