//! Deletes users: their keys are handed over or revoked, their personal data is erased, and the id stays.

use super::authority::{Denied, RequestContext};
use super::change::Change;
use super::service::Actions;
use super::users::ChangeUserError;
use crate::domain::ids::{EventId, UserId};
use crate::domain::key::lifecycle::RevocationReason;
use crate::domain::text::normalize;
use crate::domain::trail::event::{EventDraft, EventTarget};
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::event_values::{KeysHandedOver, KeysRevoked, UserRole};
use crate::store::{KeyRecord, StoreError};

/// What happens to the active keys of a deleted user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDisposition {
    /// The request does not say.
    Unspecified,
    /// The keys get this owner.
    HandOver(UserId),
    Revoke,
}

/// Why a user was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteUserError {
    #[error(transparent)]
    Refused(#[from] ChangeUserError),
    /// The user owns active keys, and the request does not say what happens to them.
    #[error("Select a new owner, or revoke the keys.")]
    Unspecified,
    /// The new owner is not a user of the company, or is the deleted user.
    #[error("This user does not exist.")]
    UnknownOwner,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Denied> for DeleteUserError {
    fn from(denied: Denied) -> Self {
        Self::Refused(denied.into())
    }
}

impl Actions {
    /// Deletes a user: hands over or revokes their active keys, ends their sessions, and erases name, address, password
    /// and second factor.
    pub fn delete_user(
        &self,
        context: &RequestContext,
        id: UserId,
        disposition: KeyDisposition,
    ) -> Result<EventId, DeleteUserError> {
        let company_id = context.company_id;
        let deleted = self.change(context, |change| {
            let now = change.now;
            let user = change.tx.users().by_id(company_id, id)?.ok_or(ChangeUserError::Unknown)?;
            if let KeyDisposition::HandOver(owner) = disposition
                && (owner == id || change.tx.users().by_id(company_id, owner)?.is_none())
            {
                return Err(DeleteUserError::UnknownOwner);
            }
            change.ensure_admin_remains(&user)?;
            let keys = change.tx.keys().active_of_owner(company_id, id, now, i64::MAX)?;
            let role = UserRole { role: user.role };
            let detail = if keys.is_empty() {
                EventDetail::UserDeleted { before: role }
            } else {
                change.settle_keys(&keys, disposition, role)?
            };
            // Refusals before the deletion come before it in the trail.
            change.append_refused_sign_ins(company_id)?;
            change.tx.users().erase(id, now)?;
            change.tx.sign_in_failures().delete(&self.address_subject(&normalize::case_folded(&user.email)))?;
            Ok::<_, DeleteUserError>(change.append_event(EventDraft::new(EventTarget::User(id), detail))?)
        })?;
        self.store.truncate_wal();
        Ok(deleted)
    }
}

impl Change<'_, '_> {
    /// Hands over or revokes the keys. Returns the detail of the deletion.
    fn settle_keys(
        &mut self,
        keys: &[KeyRecord],
        disposition: KeyDisposition,
        before: UserRole,
    ) -> Result<EventDetail, DeleteUserError> {
        let count = u64::try_from(keys.len()).unwrap_or(u64::MAX);
        match disposition {
            KeyDisposition::Unspecified => Err(DeleteUserError::Unspecified),
            KeyDisposition::HandOver(owner) => {
                for key in keys {
                    self.hand_over(key, owner)?;
                }
                let after = KeysHandedOver { keys_handed_over: count, new_owner: owner };
                Ok(EventDetail::UserDeletedKeysHandedOver { before, after })
            }
            KeyDisposition::Revoke => {
                for key in keys {
                    self.revoke(key, RevocationReason::OwnerLeft, None)?;
                }
                let after = KeysRevoked { keys_revoked: count };
                Ok(EventDetail::UserDeletedKeysRevoked { before, after })
            }
        }
    }
}
