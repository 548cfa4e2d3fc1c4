//! The list of a company's users, in the order of their names.

use diesel::prelude::*;

use super::Snapshot;
use super::error::StoreError;
use super::schema::{second_factors, users};
use super::users::{User, UserRow};
use crate::domain::ids::{CompanyId, UserId};

/// A place in the list of users, which is in the order of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPlace {
    /// The name.
    pub name: String,
    /// The id, which decides between equal names.
    pub id: UserId,
}

/// Which users are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserPaging {
    /// The first.
    First,
    /// The next after a place.
    After(UserPlace),
    /// The last before a place.
    Before(UserPlace),
}

impl Snapshot<'_> {
    /// Users of a company in the order of their names, compared as bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn list_users(
        &mut self,
        company_id: CompanyId,
        paging: &UserPaging,
        limit: i64,
    ) -> Result<Vec<User>, StoreError> {
        let mut query = users::table
            .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
            .filter(users::company_id.eq(company_id.to_string()))
            .filter(users::deleted_at.is_null())
            .select((UserRow::as_select(), second_factors::since.nullable()))
            .limit(limit)
            .into_boxed();
        query = match paging {
            UserPaging::First => query.order((users::name.asc(), users::id.asc())),
            UserPaging::After(UserPlace { name, id }) => query
                .filter(users::name.gt(name.clone()).or(users::name.eq(name.clone()).and(users::id.gt(id.to_string()))))
                .order((users::name.asc(), users::id.asc())),
            UserPaging::Before(UserPlace { name, id }) => query
                .filter(users::name.lt(name.clone()).or(users::name.eq(name.clone()).and(users::id.lt(id.to_string()))))
                .order((users::name.desc(), users::id.desc())),
        };
        let rows: Vec<(UserRow, Option<i64>)> = query.load(self.connection)?;
        let listed = rows.into_iter().map(|(row, since)| row.into_user(since.is_some()));
        let mut listed = listed.collect::<Result<Vec<_>, _>>()?;
        if matches!(paging, UserPaging::Before(_)) {
            listed.reverse();
        }
        Ok(listed)
    }

    /// How many users a company has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_users(&mut self, company_id: CompanyId) -> Result<i64, StoreError> {
        Ok(users::table
            .filter(users::company_id.eq(company_id.to_string()))
            .filter(users::deleted_at.is_null())
            .count()
            .get_result(self.connection)?)
    }
}
