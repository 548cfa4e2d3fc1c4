//! Aligns the clock to the database's clock, so that several servers share one.

use super::service::Actions;
use crate::clock::Reading;
use crate::store::StoreError;

/// The readings of which the best one counts. A reading may wait for a connection.
const READINGS: usize = 3;

impl Actions {
    /// Reads the database's clock and aligns the own one to it. Does nothing on SQLite.
    pub fn align_clock(&self) -> Result<(), StoreError> {
        let mut readings = Vec::with_capacity(READINGS);
        for _ in 0..READINGS {
            let Some(reading) = Reading::take(|| self.store.query(|db| db.clock()))? else { return Ok(()) };
            readings.push(reading);
        }
        self.clock.align(readings);
        Ok(())
    }
}
