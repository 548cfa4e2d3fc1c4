//! The prefixes that keys may have.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::timestamp::Timestamp;
use crate::store::db::{ApiKeys, ReadWrite};
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, key_prefixes};

/// The digest kind of keys whose digest was computed from the whole key, so that their prefix is known.
const WHOLE_KEY: &str = "key";

impl<A> ApiKeys<'_, A> {
    /// Returns the prefixes that keys may have, in alphabetical order.
    #[instrument(name = "db.keys.prefixes", level = "debug", skip_all)]
    pub fn prefixes(&mut self) -> Result<Vec<String>, StoreError> {
        let prefixes = key_prefixes::table.order(key_prefixes::prefix).select(key_prefixes::prefix);
        Ok(prefixes.load(self.connection)?)
    }

    /// Counts the active keys of all companies with a prefix. Reads every key.
    #[instrument(name = "db.keys.count_with_prefix", level = "debug", skip_all)]
    pub fn count_with_prefix(&mut self, prefix: &str, now: Timestamp) -> Result<i64, StoreError> {
        let keys = api_keys::table
            .filter(api_keys::preview.like(format!("{prefix}\\_%")).escape('\\'))
            .filter(api_keys::refused_from.gt(now))
            .filter(api_keys::digest_kind.eq(WHOLE_KEY));
        Ok(keys.count().get_result(self.connection)?)
    }
}

impl ApiKeys<'_, ReadWrite> {
    /// Adds a prefix.
    ///
    /// # Errors
    /// [`StoreError::Exists`], if it is known.
    #[instrument(name = "db.keys.insert_prefix", level = "debug", skip_all)]
    pub fn insert_prefix(&mut self, prefix: &str) -> Result<(), StoreError> {
        diesel::insert_into(key_prefixes::table).values(key_prefixes::prefix.eq(prefix)).execute(self.connection)?;
        Ok(())
    }

    /// Removes a prefix that no active key has.
    #[instrument(name = "db.keys.delete_prefix", level = "debug", skip_all)]
    pub fn delete_prefix(&mut self, prefix: &str) -> Result<(), StoreError> {
        diesel::delete(key_prefixes::table.filter(key_prefixes::prefix.eq(prefix))).execute(self.connection)?;
        Ok(())
    }
}
