//! The list of a company's users, in the order of their names.

use diesel::prelude::*;
use tracing::instrument;

use super::record::User;
use crate::domain::ids::{CompanyId, UserId};
use crate::store::db::Users;
use crate::store::error::StoreError;
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
    /// Returns users of a company in the order of their names, compared as bytes.
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
            UserPageRequest::First => users.order((users::name.asc(), users::id.asc())),
            UserPageRequest::After(UserCursorPosition { name, id }) => users
                .filter(users::name.gt(name).or(users::name.eq(name).and(users::id.gt(id))))
                .order((users::name.asc(), users::id.asc())),
            UserPageRequest::Before(UserCursorPosition { name, id }) => users
                .filter(users::name.lt(name).or(users::name.eq(name).and(users::id.lt(id))))
                .order((users::name.desc(), users::id.desc())),
        };
        let mut page: Vec<User> = users.load(self.connection)?;
        if matches!(paging, UserPageRequest::Before(_)) {
            page.reverse();
        }
        Ok(page)
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
