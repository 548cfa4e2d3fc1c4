//! What is written about users.

use diesel::prelude::*;

use super::Transaction;
use super::error::StoreError;
use super::schema::users;
use super::users::UserToStore;
use crate::domain::ids::UserId;
use crate::domain::instant::Instant;
use crate::domain::name::PersonName;
use crate::domain::user::{Role, Theme};

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
    /// Gives a user another role.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_role(&mut self, id: UserId, role: Role) -> Result<(), StoreError> {
        diesel::update(users::table.filter(users::id.eq(id.to_string())))
            .set(users::role.eq(role.as_str()))
            .execute(self.connection)?;
        Ok(())
    }

    /// Gives a user another password.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_password_hash(&mut self, id: UserId, hash: &str) -> Result<(), StoreError> {
        diesel::update(users::table.filter(users::id.eq(id.to_string())))
            .set(users::password_hash.eq(hash))
            .execute(self.connection)?;
        Ok(())
    }

    /// Gives a user another name and other preferences.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_profile(
        &mut self,
        id: UserId,
        name: &PersonName,
        time_zone: Option<&str>,
        theme: Theme,
    ) -> Result<(), StoreError> {
        diesel::update(users::table.filter(users::id.eq(id.to_string())))
            .set((users::name.eq(name.as_str()), users::time_zone.eq(time_zone), users::theme.eq(theme.as_str())))
            .execute(self.connection)?;
        Ok(())
    }

    /// Notes that a user signed in now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_last_signed_in(&mut self, id: UserId, now: Instant) -> Result<(), StoreError> {
        diesel::update(users::table.filter(users::id.eq(id.to_string())))
            .set(users::last_signed_in_at.eq(now.as_micros()))
            .execute(self.connection)?;
        Ok(())
    }

    /// Erases everything that says who a user was or lets them in; the id stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn erase_user(&mut self, id: UserId, now: Instant) -> Result<(), StoreError> {
        self.end_sign_ins(id, None)?;
        self.delete_invitation(id)?;
        self.delete_second_factor(id)?;
        self.forget_devices(id)?;
        diesel::update(users::table.filter(users::id.eq(id.to_string())))
            .set((
                users::name.eq(None::<String>),
                users::email.eq(None::<String>),
                users::email_folded.eq(None::<String>),
                users::password_hash.eq(None::<String>),
                users::time_zone.eq(None::<String>),
                users::theme.eq(Theme::default().as_str()),
                users::last_signed_in_at.eq(None::<i64>),
                users::deleted_at.eq(now.as_micros()),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
