//! What a sign-in checks.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, UserId};
use crate::store::db::Users;
use crate::store::error::StoreError;
use crate::store::schema::{second_factors, users};

/// The credentials of a user.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Credentials {
    #[diesel(column_name = id)]
    pub user_id: UserId,
    pub company_id: CompanyId,
    /// `None` until an invited user has chosen a password.
    pub password_hash: Option<String>,
    #[diesel(select_expression = second_factors::since.nullable().is_not_null())]
    pub has_second_factor: bool,
    /// Counts the events that ended all sign-ins of the user.
    pub sign_in_epoch: i64,
}

impl<A> Users<'_, A> {
    /// Whether a user has this case-folded email address.
    #[instrument(name = "db.users.is_email_taken", level = "debug", skip_all)]
    pub fn is_email_taken(&mut self, case_folded: &str) -> Result<bool, StoreError> {
        Ok(self.credentials(case_folded)?.is_some())
    }

    /// Returns the credentials of the user with this case-folded email address.
    #[instrument(name = "db.users.credentials", level = "debug", skip_all)]
    pub fn credentials(&mut self, case_folded: &str) -> Result<Option<Credentials>, StoreError> {
        Ok(users::table
            .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
            .filter(users::email_folded.eq(case_folded))
            .select(Credentials::as_select())
            .first(self.connection)
            .optional()?)
    }

    /// Returns the sign-in epoch of a user; `None` for a deleted or unknown user.
    #[instrument(name = "db.users.sign_in_epoch", level = "debug", skip_all)]
    pub fn sign_in_epoch(&mut self, id: UserId) -> Result<Option<i64>, StoreError> {
        Ok(users::table
            .filter(users::id.eq(id))
            .filter(users::deleted_at.is_null())
            .select(users::sign_in_epoch)
            .first(self.connection)
            .optional()?)
    }

    #[instrument(name = "db.users.password_hash", level = "debug", skip_all)]
    pub fn password_hash(&mut self, id: UserId) -> Result<Option<String>, StoreError> {
        let hash: Option<Option<String>> =
            users::table.filter(users::id.eq(id)).select(users::password_hash).first(self.connection).optional()?;
        Ok(hash.flatten())
    }
}
