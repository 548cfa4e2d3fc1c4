//! The installation's own row: it ties the secrets file to the database.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::InstallationId;
use crate::domain::timestamp::Timestamp;
use crate::store::db::{Installations, ReadWrite};
use crate::store::error::StoreError;
use crate::store::schema::{installation, secret_checks};

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

/// A stored check of a secret: its name, its id and its keyed value.
pub type StoredSecretCheck = (String, String, Vec<u8>);

impl<A> Installations<'_, A> {
    /// Returns the checks of the secrets that belong to the database.
    #[instrument(name = "db.installation.secret_checks", level = "debug", skip_all)]
    pub fn secret_checks(&mut self) -> Result<Vec<StoredSecretCheck>, StoreError> {
        let columns = (secret_checks::name, secret_checks::id, secret_checks::value);
        Ok(secret_checks::table.select(columns).load(self.connection)?)
    }
}

impl Installations<'_, ReadWrite> {
    /// Stores the check of a secret.
    #[instrument(name = "db.installation.insert_secret_check", level = "debug", skip_all)]
    pub fn insert_secret_check(&mut self, name: &str, id: &str, value: &[u8]) -> Result<(), StoreError> {
        diesel::insert_into(secret_checks::table)
            .values((secret_checks::name.eq(name), secret_checks::id.eq(id), secret_checks::value.eq(value)))
            .execute(self.connection)?;
        Ok(())
    }

    /// Stores another public key of checkpoints.
    #[instrument(name = "db.installation.set_checkpoint_key", level = "debug", skip_all)]
    pub fn set_checkpoint_key(&mut self, key: &[u8]) -> Result<(), StoreError> {
        diesel::update(installation::table).set(installation::checkpoint_key.eq(key)).execute(self.connection)?;
        Ok(())
    }

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
