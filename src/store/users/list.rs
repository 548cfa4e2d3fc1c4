//! The list of a company's users, in the order of their names.

use diesel::prelude::*;
use tracing::instrument;

use super::record::User;
use crate::domain::ids::{CompanyId, UserId};
use crate::domain::text::collation;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::profile::Role;
use crate::store::db::Users;
use crate::store::error::StoreError;
use crate::store::schema::users::name_sort_key;
use crate::store::schema::{second_factors, users};

/// The position of a row in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCursorPosition {
    pub name: String,
    /// Breaks ties between equal names.
    pub id: UserId,
}

/// The page of the list that a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserPageRequest {
    First,
    After(UserCursorPosition),
    Before(UserCursorPosition),
}

impl<A> Users<'_, A> {
    /// Returns users of a company in the order of their names.
    #[instrument(name = "db.users.list", level = "debug", skip_all)]
    pub fn list(
        &mut self,
        company_id: CompanyId,
        paging: &UserPageRequest,
        limit: i64,
    ) -> Result<Vec<User>, StoreError> {
        let users = users::table
            .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
            .filter(users::company_id.eq(company_id))
            .filter(users::deleted_at.is_null())
            .select(User::as_select())
            .limit(limit)
            .into_boxed();
        let users = match paging {
            UserPageRequest::First => users.order((name_sort_key.asc(), users::id.asc())),
            UserPageRequest::After(UserCursorPosition { name, id }) => {
                let key = collation::sort_key(name);
                users
                    .filter(name_sort_key.gt(key.clone()).or(name_sort_key.eq(key).and(users::id.gt(id))))
                    .order((name_sort_key.asc(), users::id.asc()))
            }
            UserPageRequest::Before(UserCursorPosition { name, id }) => {
                let key = collation::sort_key(name);
                users
                    .filter(name_sort_key.lt(key.clone()).or(name_sort_key.eq(key).and(users::id.lt(id))))
                    .order((name_sort_key.desc(), users::id.desc()))
            }
        };
        let mut page: Vec<User> = users.load(self.connection)?;
        if matches!(paging, UserPageRequest::Before(_)) {
            page.reverse();
        }
        Ok(page)
    }

    /// Returns the deleted users of a company with the times of their deletion, the last deleted first.
    #[instrument(name = "db.users.deleted", level = "debug", skip_all)]
    pub fn deleted(&mut self, company_id: CompanyId, limit: i64) -> Result<Vec<(UserId, Timestamp)>, StoreError> {
        Ok(users::table
            .filter(users::company_id.eq(company_id))
            .filter(users::deleted_at.is_not_null())
            .order((users::deleted_at.desc(), users::id))
            .select((users::id, users::deleted_at.assume_not_null()))
            .limit(limit)
            .load(self.connection)?)
    }

    /// Returns the admin of a company who was added first.
    #[instrument(name = "db.users.first_admin", level = "debug", skip_all)]
    pub fn first_admin(&mut self, company_id: CompanyId) -> Result<Option<UserId>, StoreError> {
        Ok(users::table
            .filter(users::company_id.eq(company_id))
            .filter(users::deleted_at.is_null())
            .filter(users::role.eq(Role::Admin))
            .order((users::created_at, users::id))
            .select(users::id)
            .first(self.connection)
            .optional()?)
    }

    /// Counts the users of a company.
    #[instrument(name = "db.users.count", level = "debug", skip_all)]
    pub fn count(&mut self, company_id: CompanyId) -> Result<i64, StoreError> {
        Ok(users::table
            .filter(users::company_id.eq(company_id))
            .filter(users::deleted_at.is_null())
            .count()
            .get_result(self.connection)?)
    }
}
