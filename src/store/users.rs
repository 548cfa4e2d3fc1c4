//! Users: their rows, their credentials, their names while they have one.

use std::collections::HashMap;

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::users;
use super::{Snapshot, Transaction, read_back};
use crate::domain::email::EmailAddress;
use crate::domain::ids::{CompanyId, UserId};
use crate::domain::instant::Instant;
use crate::domain::name::PersonName;
use crate::domain::user::Role;

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
    /// The hash of their password, in PHC string format.
    pub password_hash: &'a str,
    /// Now.
    pub created_at: Instant,
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
        let row: Option<(String, String, Option<String>)> = users::table
            .filter(users::email_folded.eq(email_folded))
            .select((users::id, users::company_id, users::password_hash))
            .first(self.connection)
            .optional()?;
        row.map(|(user_id, company_id, password_hash)| {
            Ok(Credentials {
                user_id: read_back("user id", UserId::parse(&user_id))?,
                company_id: read_back("company id", CompanyId::parse(&company_id))?,
                password_hash,
            })
        })
        .transpose()
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
        let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
        let rows: Vec<(String, Option<String>)> = users::table
            .filter(users::company_id.eq(company_id.to_string()))
            .filter(users::id.eq_any(ids))
            .select((users::id, users::name))
            .load(self.connection)?;
        let named = rows.into_iter().filter_map(|(id, name)| name.map(|name| (id, name)));
        named.map(|(id, name)| Ok((read_back("user id", UserId::parse(&id))?, name))).collect()
    }
}

impl Transaction<'_> {
    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where the address is taken.
    pub fn insert_user(&mut self, user: &UserToStore<'_>) -> Result<(), StoreError> {
        diesel::insert_into(users::table)
            .values((
                users::id.eq(user.id.to_string()),
                users::company_id.eq(user.company_id.to_string()),
                users::role.eq(user.role.as_str()),
                users::name.eq(user.name.as_str()),
                users::email.eq(user.email.as_str()),
                users::email_folded.eq(user.email.folded()),
                users::password_hash.eq(user.password_hash),
                users::created_at.eq(user.created_at.as_micros()),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
