//! Changes to users.

use diesel::prelude::*;
use tracing::instrument;

use super::record::NewUserRecord;
use crate::domain::ids::UserId;
use crate::domain::text::collation;
use crate::domain::text::name::PersonName;
use crate::domain::text::normalize;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::profile::{Role, Theme};
use crate::store::db::{ReadWrite, Users, WriteDb};
use crate::store::error::StoreError;
use crate::store::schema::users;

impl Users<'_, ReadWrite> {
    /// # Errors
    /// [`StoreError::Exists`] if the email address is taken.
    #[instrument(name = "db.users.insert", level = "debug", skip_all)]
    pub fn insert(&mut self, user: &NewUserRecord<'_>) -> Result<(), StoreError> {
        diesel::insert_into(users::table)
            .values((
                users::id.eq(user.id),
                users::company_id.eq(user.company_id),
                users::role.eq(user.role),
                users::name.eq(user.name.as_str()),
                users::name_sort_key.eq(collation::sort_key(user.name.as_str())),
                users::name_search.eq(normalize::search_folded(user.name.as_str())),
                users::email.eq(user.email.as_str()),
                users::email_folded.eq(user.email.case_folded()),
                users::password_hash.eq(user.password_hash),
                users::created_at.eq(user.created_at),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    #[instrument(name = "db.users.set_role", level = "debug", skip_all)]
    pub fn set_role(&mut self, id: UserId, role: Role) -> Result<(), StoreError> {
        diesel::update(users::table.filter(users::id.eq(id)))
            .set((users::role.eq(role), users::role_version.eq(users::role_version + 1)))
            .execute(self.connection)?;
        Ok(())
    }

    #[instrument(name = "db.users.set_password_hash", level = "debug", skip_all)]
    pub fn set_password_hash(&mut self, id: UserId, hash: &str) -> Result<(), StoreError> {
        diesel::update(users::table.filter(users::id.eq(id)))
            .set(users::password_hash.eq(hash))
            .execute(self.connection)?;
        Ok(())
    }

    #[instrument(name = "db.users.set_profile", level = "debug", skip_all)]
    pub fn set_profile(
        &mut self,
        id: UserId,
        name: &PersonName,
        time_zone: Option<&str>,
        theme: Theme,
    ) -> Result<(), StoreError> {
        diesel::update(users::table.filter(users::id.eq(id)))
            .set((
                users::name.eq(name.as_str()),
                users::name_sort_key.eq(collation::sort_key(name.as_str())),
                users::name_search.eq(normalize::search_folded(name.as_str())),
                users::time_zone.eq(time_zone),
                users::theme.eq(theme),
                users::profile_version.eq(users::profile_version + 1),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    #[instrument(name = "db.users.set_last_signed_in", level = "debug", skip_all)]
    pub fn set_last_signed_in(&mut self, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        diesel::update(users::table.filter(users::id.eq(id)))
            .set(users::last_signed_in_at.eq(now))
            .execute(self.connection)?;
        Ok(())
    }

    /// Erases everything that identifies a user or lets them sign in. The id stays.
    #[instrument(name = "db.users.erase", level = "debug", skip_all)]
    pub fn erase(&mut self, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        WriteDb::new(self.connection).sessions().end_all(id, None)?;
        WriteDb::new(self.connection).invitations().delete(id)?;
        WriteDb::new(self.connection).second_factors().delete(id)?;
        WriteDb::new(self.connection).devices().forget_all(id)?;
        diesel::update(users::table.filter(users::id.eq(id)))
            .set((
                users::name.eq(None::<&str>),
                users::name_sort_key.eq(None::<&[u8]>),
                users::name_search.eq(None::<&str>),
                users::email.eq(None::<&str>),
                users::email_folded.eq(None::<&str>),
                users::password_hash.eq(None::<&str>),
                users::time_zone.eq(None::<&str>),
                users::theme.eq(Theme::default()),
                users::last_signed_in_at.eq(None::<Timestamp>),
                users::deleted_at.eq(now),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
