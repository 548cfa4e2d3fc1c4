//! The installation's own row: it ties the secrets file to the database.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::InstallationId;
use crate::domain::timestamp::Timestamp;
use crate::store::db::{Installations, ReadWrite};
use crate::store::error::StoreError;
use crate::store::schema::installation;

/// A database, and the secrets that belong to it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = installation)]
pub struct Installation {
    /// Part of the origin of every checkpoint.
    pub id: InstallationId,
    /// The public half of the key that signs checkpoints.
    pub checkpoint_key: Vec<u8>,
    /// The pepper of the digests of keys.
    pub pepper_id: String,
}

impl<A> Installations<'_, A> {
    /// Returns the installation; `None` before the first start.
    #[instrument(name = "db.installation.get", level = "debug", skip_all)]
    pub fn get(&mut self) -> Result<Option<Installation>, StoreError> {
        Ok(installation::table.select(Installation::as_select()).first(self.connection).optional()?)
    }
}

impl Installations<'_, ReadWrite> {
    /// Stores the installation at the first start.
    #[instrument(name = "db.installation.insert", level = "debug", skip_all)]
    pub fn insert(&mut self, new: &Installation, now: Timestamp) -> Result<(), StoreError> {
        diesel::insert_into(installation::table)
            .values((
                installation::id.eq(new.id),
                installation::created_at.eq(now),
                installation::checkpoint_key.eq(&new.checkpoint_key),
                installation::pepper_id.eq(&new.pepper_id),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
