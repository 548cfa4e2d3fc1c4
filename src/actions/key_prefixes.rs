//! Prefixes of keys that are not in the settings any more.

use super::service::Actions;
use crate::store::StoreError;

/// A prefix that the settings do not list, and the number of active keys with it. They are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedPrefix {
    pub prefix: String,
    pub active_keys: i64,
}

impl Actions {
    /// Remembers the prefixes of the settings, before keys with them are created or accepted.
    pub fn remember_prefixes(&self) -> Result<(), StoreError> {
        let known = self.store.query(|db| db.keys().prefixes())?;
        for prefix in self.key_format.prefixes().filter(|prefix| !known.iter().any(|old| old == prefix)) {
            match self.store.write(|tx| tx.keys().insert_prefix(prefix)) {
                // Servers may start together, and a prefix may be listed twice.
                Err(StoreError::Exists) => {}
                result => result?,
            }
        }
        Ok(())
    }

    /// Returns the prefixes of active keys that the settings do not list. Forgets those that no active key has.
    pub fn dropped_prefixes(&self) -> Result<Vec<DroppedPrefix>, StoreError> {
        let mut dropped = Vec::new();
        for prefix in self.store.query(|db| db.keys().prefixes())? {
            if self.key_format.prefixes().any(|accepted| accepted == prefix) {
                continue;
            }
            let now = self.clock.now();
            match self.store.query(|db| db.keys().count_with_prefix(&prefix, now))? {
                0 => self.store.write(|tx| tx.keys().delete_prefix(&prefix))?,
                active_keys => dropped.push(DroppedPrefix { prefix, active_keys }),
            }
        }
        Ok(dropped)
    }
}
