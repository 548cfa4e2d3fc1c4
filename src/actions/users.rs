//! Users: adding them to a company.

use serde_json::json;

use super::passwords::PasswordHash;
use super::{Actions, Change};
use crate::domain::email::EmailAddress;
use crate::domain::event::{Action, Happening, Origin, Target};
use crate::domain::ids::{CompanyId, UserId};
use crate::domain::name::PersonName;
use crate::domain::user::Role;
use crate::random;
use crate::store::{StoreError, UserToStore};

/// A user to be added.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// What they may do.
    pub role: Role,
    /// Their name.
    pub name: &'a PersonName,
    /// Their address.
    pub email: &'a EmailAddress,
    /// The hash of their password.
    pub password_hash: &'a PasswordHash,
}

/// Why a user was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddUserError {
    /// Somebody in the installation has the address.
    #[error("This email address cannot be used.")]
    EmailTaken,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Actions {
    /// Adds a user with a password to a company.
    ///
    /// # Errors
    /// [`AddUserError`].
    pub fn add_user(&self, company_id: CompanyId, user: &NewUser<'_>, origin: &Origin) -> Result<UserId, AddUserError> {
        self.change(company_id.into(), origin, |change| {
            let id = UserId::new(change.now, &random::bytes());
            user.add_to(change, company_id, id)?;
            Ok(id)
        })
    }
}

impl NewUser<'_> {
    pub(super) fn add_to(
        &self,
        change: &mut Change<'_, '_>,
        company_id: CompanyId,
        id: UserId,
    ) -> Result<(), AddUserError> {
        if change.email_is_taken(&self.email.folded())? {
            return Err(AddUserError::EmailTaken);
        }
        let user = UserToStore {
            id,
            company_id,
            role: self.role,
            name: self.name,
            email: self.email,
            password_hash: self.password_hash.as_str(),
            created_at: change.now,
        };
        // Two companies may add the same address at once, each under its own lock: the table decides then.
        change.insert_user(&user).map_err(|error| match error {
            StoreError::Exists => AddUserError::EmailTaken,
            other => other.into(),
        })?;
        change.record(Happening {
            action: Action::UserAdded,
            target: Target::User(id),
            before: None,
            after: Some(json!({ "role": self.role.as_str() })),
            reason: None,
            comment: None,
        })?;
        Ok(())
    }
}
