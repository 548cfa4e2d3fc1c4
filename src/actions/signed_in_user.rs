//! Users who have proven who they are.

use super::change::Change;
use crate::domain::ids::{CompanyId, UserId};
use crate::store::{Credentials, StoreError};

/// A user who is signed in, or is signing in.
#[derive(Clone, Copy, Debug)]
pub struct SignedInUser {
    pub user_id: UserId,
    pub company_id: CompanyId,
}

impl From<&Credentials> for SignedInUser {
    fn from(credentials: &Credentials) -> Self {
        Self { user_id: credentials.user_id, company_id: credentials.company_id }
    }
}

/// A user whose password was checked. A session may start as long as the user's sign-in epoch is still this one.
#[derive(Clone, Copy, Debug)]
pub struct AuthenticatedUser {
    pub user: SignedInUser,
    /// The sign-in epoch at the check. A new password or role, or a deletion, starts the next epoch.
    pub epoch: i64,
}

impl Change<'_, '_> {
    /// Returns the user with their current sign-in epoch, so that a session can start.
    pub(super) fn authenticate(&mut self, user: SignedInUser) -> Result<AuthenticatedUser, StoreError> {
        let epoch = self.tx.users().sign_in_epoch(user.user_id)?;
        let epoch = epoch.ok_or_else(|| StoreError::unexpected("the authenticated user was deleted"))?;
        Ok(AuthenticatedUser { user, epoch })
    }
}
