//! When a user leaves: their keys find a new owner or end, what says who they were is erased, and the id stays.

use serde_json::json;

use super::users::ChangeUserError;
use super::{Actions, Change};
use crate::domain::action::Action;
use crate::domain::api_key::RevocationReason;
use crate::domain::event::{Happening, Origin, Target};
use crate::domain::ids::{CompanyId, EventId, UserId};
use crate::domain::text;
use crate::store::{StoreError, StoredKey};

/// What becomes of the active keys of somebody who leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysLeftBehind {
    /// Nobody said.
    Undecided,
    /// They are handed to a colleague.
    HandOver(UserId),
    /// They are revoked.
    Revoke,
}

/// Why a user was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteUserError {
    /// The rules for changing users forbid it.
    #[error(transparent)]
    Refused(#[from] ChangeUserError),
    /// They own active keys, and nobody said what becomes of them.
    #[error("Choose who gets the keys, or revoke them.")]
    Undecided,
    /// Whoever should get the keys is no user of the company, or is the one who leaves.
    #[error("This user does not exist.")]
    UnknownOwner,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Deletes a user: hands over or revokes their active keys, ends their sessions, and erases name, address, password
    /// and second factor. Answers the event that says so.
    ///
    /// # Errors
    /// [`DeleteUserError`]; then nothing was changed.
    pub fn delete_user(
        &self,
        company_id: CompanyId,
        id: UserId,
        keys_left_behind: KeysLeftBehind,
        origin: &Origin,
    ) -> Result<EventId, DeleteUserError> {
        let deleted = self.change(company_id.into(), origin, |change| {
            let now = change.now;
            let user = change.user(company_id, id)?.ok_or(ChangeUserError::Unknown)?;
            if let KeysLeftBehind::HandOver(owner) = keys_left_behind
                && (owner == id || change.user(company_id, owner)?.is_none())
            {
                return Err(DeleteUserError::UnknownOwner);
            }
            change.keep_an_admin(&user)?;
            let keys = change.active_keys_of_owner(company_id, id, now, i64::MAX)?;
            let done_with_keys =
                if keys.is_empty() { None } else { Some(change.settle_keys(&keys, keys_left_behind)?) };
            change.erase_user(id, now)?;
            change.forget_sign_in_failures(&self.address_subject(&text::folded(&user.email)))?;
            Ok::<_, DeleteUserError>(change.record(Happening {
                before: Some(json!({ "role": user.role.as_str() })),
                after: done_with_keys,
                ..Happening::new(Action::UserDeleted, Target::User(id))
            })?)
        })?;
        self.store.empty_change_log();
        Ok(deleted)
    }
}

impl Change<'_, '_> {
    fn settle_keys(
        &mut self,
        keys: &[StoredKey],
        decision: KeysLeftBehind,
    ) -> Result<serde_json::Value, DeleteUserError> {
        match decision {
            KeysLeftBehind::Undecided => Err(DeleteUserError::Undecided),
            KeysLeftBehind::HandOver(owner) => {
                for key in keys {
                    self.hand_over(key, owner)?;
                }
                Ok(json!({ "keys_handed_over": keys.len(), "new_owner": owner.to_string() }))
            }
            KeysLeftBehind::Revoke => {
                for key in keys {
                    self.revoke(key, RevocationReason::OwnerLeft, None)?;
                }
                Ok(json!({ "keys_revoked": keys.len() }))
            }
        }
    }
}
