//! Aligns the clock to the database's clock, so that several servers share one.

use super::service::Actions;
use crate::clock::{Clock, Reading};
use crate::store::{Store, StoreError};

/// The readings of which the best one counts. A reading may wait for a connection.
const READINGS: usize = 3;

impl Actions {
    /// Aligns the clock to the database's, see [`align_clock`].
    pub fn align_clock(&self) -> Result<(), StoreError> {
        align_clock(&self.clock, &self.store)
    }
}

/// Reads the database's clock and aligns a clock to it. Does nothing on SQLite.
pub fn align_clock(clock: &Clock, store: &Store) -> Result<(), StoreError> {
    let mut readings = Vec::with_capacity(READINGS);
    for _ in 0..READINGS {
        let Some(reading) = Reading::take(|| store.query(|db| db.clock()))? else { return Ok(()) };
        readings.push(reading);
    }
    clock.align(readings);
    Ok(())
}
