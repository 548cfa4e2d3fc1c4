//! Users of companies.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, UserId};
use crate::domain::text::name::PersonName;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::email::EmailAddress;
use crate::domain::user::profile::{Role, Theme};
use crate::store::db::Users;
use crate::store::error::StoreError;
use crate::store::schema::{second_factors, users};

/// The values of a new user.
#[derive(Clone, Debug)]
pub struct NewUserRecord<'a> {
    pub id: UserId,
    pub company_id: CompanyId,
    pub role: Role,
    pub name: &'a PersonName,
    /// Unique in the installation.
    pub email: &'a EmailAddress,
    /// In PHC string format; `None` for a user who is invited to choose a password.
    pub password_hash: Option<&'a str>,
    pub created_at: Timestamp,
}

/// A user who was not deleted.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    pub id: UserId,
    pub company_id: CompanyId,
    pub role: Role,
    #[diesel(select_expression = users::name.assume_not_null())]
    pub name: String,
    #[diesel(select_expression = users::email.assume_not_null())]
    pub email: String,
    /// `false` until an invited user has chosen a password.
    #[diesel(select_expression = users::password_hash.is_not_null())]
    pub has_password: bool,
    #[diesel(select_expression = second_factors::since.nullable().is_not_null())]
    pub has_second_factor: bool,
    pub time_zone: Option<String>,
    pub theme: Theme,
    pub last_signed_in_at: Option<Timestamp>,
    /// How often the role was changed.
    pub role_version: i64,
    /// How often the user changed their name, time zone and theme.
    pub profile_version: i64,
}

impl<A> Users<'_, A> {
    /// Whether any user exists. Until then, the set-up page is open.
    #[instrument(name = "db.users.any_exists", level = "debug", skip_all)]
    pub fn any_exists(&mut self) -> Result<bool, StoreError> {
        Ok(diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(self.connection)?)
    }

    /// Returns a user of the company; `None` also for a deleted user, and for a user of another company.
    #[instrument(name = "db.users.by_id", level = "debug", skip_all)]
    pub fn by_id(&mut self, company_id: CompanyId, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(users::table
            .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
            .filter(users::company_id.eq(company_id))
            .filter(users::id.eq(id))
            .filter(users::deleted_at.is_null())
            .select(User::as_select())
            .first(self.connection)
            .optional()?)
    }

    /// Whether the company has or had this user: the trail names deleted users, too.
    #[instrument(name = "db.users.ever_existed", level = "debug", skip_all)]
    pub fn ever_existed(&mut self, company_id: CompanyId, id: UserId) -> Result<bool, StoreError> {
        let user = users::table.filter(users::company_id.eq(company_id)).filter(users::id.eq(id));
        Ok(diesel::select(diesel::dsl::exists(user)).get_result(self.connection)?)
    }

    /// Whether the company has an admin other than this user who has a password.
    #[instrument(name = "db.users.has_another_admin", level = "debug", skip_all)]
    pub fn has_another_admin(&mut self, company_id: CompanyId, user_id: UserId) -> Result<bool, StoreError> {
        let other = users::table
            .filter(users::company_id.eq(company_id))
            .filter(users::id.ne(user_id))
            .filter(users::role.eq(Role::Admin))
            .filter(users::password_hash.is_not_null());
        Ok(diesel::select(diesel::dsl::exists(other)).get_result(self.connection)?)
    }

    #[instrument(name = "db.users.count_admins_without_second_factor", level = "debug", skip_all)]
    pub fn count_admins_without_second_factor(&mut self, company_id: CompanyId) -> Result<i64, StoreError> {
        Ok(users::table
            .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
            .filter(users::company_id.eq(company_id))
            .filter(users::deleted_at.is_null())
            .filter(users::role.eq(Role::Admin))
            .filter(second_factors::since.nullable().is_null())
            .count()
            .get_result(self.connection)?)
    }
}
