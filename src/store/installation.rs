//! The installation's own row: which secrets file belongs to this database.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::installation;
use super::{Snapshot, Transaction, read_back};
use crate::domain::ids::InstallationId;
use crate::domain::instant::Instant;

/// One database and what it expects of the secrets beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Its id, part of every checkpoint's origin.
    pub id: InstallationId,
    /// The public half of the key that signs its checkpoints.
    pub checkpoint_key: Vec<u8>,
    /// The pepper under which its keys are digested.
    pub pepper_id: String,
}

impl Snapshot<'_> {
    /// The installation, once it was set up by a first start.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn installation(&mut self) -> Result<Option<Installation>, StoreError> {
        let columns = (installation::id, installation::checkpoint_key, installation::pepper_id);
        let row: Option<(String, Vec<u8>, String)> =
            installation::table.select(columns).first(self.connection).optional()?;
        row.map(|(id, checkpoint_key, pepper_id)| {
            let id = read_back("installation id", InstallationId::parse(&id))?;
            Ok(Installation { id, checkpoint_key, pepper_id })
        })
        .transpose()
    }
}

impl Transaction<'_> {
    /// Records the first start.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn insert_installation(&mut self, made: &Installation, now: Instant) -> Result<(), StoreError> {
        diesel::insert_into(installation::table)
            .values((
                installation::id.eq(made.id.to_string()),
                installation::created_at.eq(now.as_micros()),
                installation::checkpoint_key.eq(&made.checkpoint_key),
                installation::pepper_id.eq(&made.pepper_id),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
