//! Users: their rows, their credentials, their names while they have one.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::{second_factors, users};
use super::{Snapshot, VALUES_AT_ONCE, is_one_of, read_back};
use crate::domain::email::EmailAddress;
use crate::domain::ids::{CompanyId, UserId};
use crate::domain::instant::Instant;
use crate::domain::name::PersonName;
use crate::domain::user::{Role, Theme};

/// The names of users that still have one; who is not in it was deleted.
pub type Names = HashMap<UserId, String>;

/// A user to be added.
#[derive(Clone, Debug)]
pub struct UserToStore<'a> {
    /// The new id.
    pub id: UserId,
    /// The company.
    pub company_id: CompanyId,
    /// What they may do.
    pub role: Role,
    /// Their name.
    pub name: &'a PersonName,
    /// Their address, unique in the installation.
    pub email: &'a EmailAddress,
    /// The hash of their password, in PHC string format; none for somebody who is invited to choose one.
    pub password_hash: Option<&'a str>,
    /// Now.
    pub created_at: Instant,
}

/// A user who was not deleted.
#[derive(Clone, Debug)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their company.
    pub company_id: CompanyId,
    /// What they may do.
    pub role: Role,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// They have chosen a password; until then they can only be invited.
    pub has_password: bool,
    /// They have set a second factor up.
    pub has_second_factor: bool,
    /// The time zone they chose.
    pub time_zone: Option<String>,
    /// How pages look to them.
    pub theme: Theme,
    /// When they signed in last.
    pub last_signed_in_at: Option<Instant>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(super) struct UserRow {
    id: String,
    company_id: String,
    role: String,
    name: Option<String>,
    email: Option<String>,
    password_hash: Option<String>,
    time_zone: Option<String>,
    theme: String,
    last_signed_in_at: Option<i64>,
}

impl UserRow {
    pub(super) fn into_user(self, has_second_factor: bool) -> Result<User, StoreError> {
        Ok(User {
            id: read_back("user id", UserId::parse(&self.id))?,
            company_id: read_back("company id", CompanyId::parse(&self.company_id))?,
            role: read_back("role", Role::parse(&self.role))?,
            name: read_back("name", self.name)?,
            email: read_back("email address", self.email)?,
            has_password: self.password_hash.is_some(),
            has_second_factor,
            time_zone: self.time_zone,
            theme: read_back("theme", Theme::parse(&self.theme))?,
            last_signed_in_at: self.last_signed_in_at.map(Instant::from_micros),
        })
    }
}

/// What a sign-in is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user.
    pub user_id: UserId,
    /// Their company.
    pub company_id: CompanyId,
    /// The hash of their password, where they have set one.
    pub password_hash: Option<String>,
    /// They have set a second factor up.
    pub has_second_factor: bool,
    /// How often something ended their sign-ins.
    pub sign_in_epoch: i64,
}

impl Snapshot<'_> {
    /// Whether there is any user: until then, set-up is open.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn any_user_exists(&mut self) -> Result<bool, StoreError> {
        let first: Option<String> = users::table.select(users::id).first(self.connection).optional()?;
        Ok(first.is_some())
    }

    /// Whether somebody has that address, compared as addresses are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn email_is_taken(&mut self, folded: &str) -> Result<bool, StoreError> {
        Ok(self.credentials(folded)?.is_some())
    }

    /// The credentials of whoever has that address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn credentials(&mut self, email_folded: &str) -> Result<Option<Credentials>, StoreError> {
        type Row = (String, String, Option<String>, i64, Option<i64>);
        let row: Option<Row> = users::table
            .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
            .filter(users::email_folded.eq(email_folded))
            .select((
                users::id,
                users::company_id,
                users::password_hash,
                users::sign_in_epoch,
                second_factors::since.nullable(),
            ))
            .first(self.connection)
            .optional()?;
        row.map(|(user_id, company_id, password_hash, sign_in_epoch, second_factor_since)| {
            Ok(Credentials {
                user_id: read_back("user id", UserId::parse(&user_id))?,
                company_id: read_back("company id", CompanyId::parse(&company_id))?,
                password_hash,
                has_second_factor: second_factor_since.is_some(),
                sign_in_epoch,
            })
        })
        .transpose()
    }

    /// How often something ended a user's sign-ins; `None` for nobody, or one who was deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sign_in_epoch(&mut self, id: UserId) -> Result<Option<i64>, StoreError> {
        Ok(users::table
            .filter(users::id.eq(id.to_string()))
            .filter(users::deleted_at.is_null())
            .select(users::sign_in_epoch)
            .first(self.connection)
            .optional()?)
    }

    /// The hash of a user's password.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn password_hash(&mut self, id: UserId) -> Result<Option<String>, StoreError> {
        let hash: Option<Option<String>> = users::table
            .filter(users::id.eq(id.to_string()))
            .select(users::password_hash)
            .first(self.connection)
            .optional()?;
        Ok(hash.flatten())
    }

    /// The user of that id in that company; another company's and a deleted one are as absent as one that never was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn user(&mut self, company_id: CompanyId, id: UserId) -> Result<Option<User>, StoreError> {
        let row: Option<(UserRow, Option<i64>)> = users::table
            .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
            .filter(users::company_id.eq(company_id.to_string()))
            .filter(users::id.eq(id.to_string()))
            .filter(users::deleted_at.is_null())
            .select((UserRow::as_select(), second_factors::since.nullable()))
            .first(self.connection)
            .optional()?;
        row.map(|(row, since)| row.into_user(since.is_some())).transpose()
    }

    /// Whether a company has that user, or had: a deleted one is none, but stands in the trail.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn has_had_user(&mut self, company_id: CompanyId, id: UserId) -> Result<bool, StoreError> {
        let found: Option<String> = users::table
            .filter(users::company_id.eq(company_id.to_string()))
            .filter(users::id.eq(id.to_string()))
            .select(users::id)
            .first(self.connection)
            .optional()?;
        Ok(found.is_some())
    }

    /// Whether a company has an admin, besides this user, who has a password to sign in with.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn has_another_admin(&mut self, company_id: CompanyId, besides: UserId) -> Result<bool, StoreError> {
        let other: Option<String> = users::table
            .filter(users::company_id.eq(company_id.to_string()))
            .filter(users::id.ne(besides.to_string()))
            .filter(users::role.eq(Role::Admin.as_str()))
            .filter(users::password_hash.is_not_null())
            .select(users::id)
            .first(self.connection)
            .optional()?;
        Ok(other.is_some())
    }

    /// How many admins of a company have no second factor.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_admins_without_second_factor(&mut self, company_id: CompanyId) -> Result<i64, StoreError> {
        Ok(users::table
            .left_join(second_factors::table.on(second_factors::user_id.eq(users::id)))
            .filter(users::company_id.eq(company_id.to_string()))
            .filter(users::deleted_at.is_null())
            .filter(users::role.eq(Role::Admin.as_str()))
            .filter(second_factors::since.nullable().is_null())
            .count()
            .get_result(self.connection)?)
    }

    /// The names of these users of a company.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn names_of(
        &mut self,
        company_id: CompanyId,
        ids: impl IntoIterator<Item = UserId>,
    ) -> Result<Names, StoreError> {
        // A page names few users, and each of them many times.
        let ids: HashSet<UserId> = ids.into_iter().collect();
        let ids: Vec<String> = ids.iter().map(UserId::to_string).collect();
        let mut names = Names::new();
        for ids in ids.chunks(VALUES_AT_ONCE) {
            let rows: Vec<(String, Option<String>)> = users::table
                .filter(users::company_id.eq(company_id.to_string()))
                .filter(is_one_of!(users::id, ids))
                .select((users::id, users::name))
                .load(self.connection)?;
            for (id, name) in rows.into_iter().filter_map(|(id, name)| Some((id, name?))) {
                names.insert(read_back("user id", UserId::parse(&id))?, name);
            }
        }
        Ok(names)
    }
}
