//! The notes with which the key that signs a trail was replaced.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::TrailId;
use crate::domain::trail::key_chain::MAX_KEY_CHANGES;
use crate::store::db::{ReadWrite, Trails};
use crate::store::error::StoreError;
use crate::store::schema::checkpoint_key_changes;

impl<A> Trails<'_, A> {
    /// Returns the notes of a trail, in their order: one more than are allowed at most.
    #[instrument(name = "db.trails.key_changes", level = "debug", skip_all)]
    pub fn key_changes(&mut self, trail: TrailId) -> Result<Vec<String>, StoreError> {
        let limit = i64::try_from(MAX_KEY_CHANGES).unwrap_or(i64::MAX).saturating_add(1);
        Ok(checkpoint_key_changes::table
            .filter(checkpoint_key_changes::trail_id.eq(trail))
            .order(checkpoint_key_changes::ordinal)
            .limit(limit)
            .select(checkpoint_key_changes::note)
            .load(self.connection)?)
    }
}

impl Trails<'_, ReadWrite> {
    /// Adds a note after those of a trail.
    #[instrument(name = "db.trails.insert_key_change", level = "debug", skip_all)]
    pub fn insert_key_change(&mut self, trail: TrailId, note: &str) -> Result<(), StoreError> {
        let last: Option<i64> = checkpoint_key_changes::table
            .filter(checkpoint_key_changes::trail_id.eq(trail))
            .select(diesel::dsl::max(checkpoint_key_changes::ordinal))
            .first(self.connection)?;
        diesel::insert_into(checkpoint_key_changes::table)
            .values((
                checkpoint_key_changes::trail_id.eq(trail),
                checkpoint_key_changes::ordinal.eq(last.unwrap_or(0) + 1),
                checkpoint_key_changes::note.eq(note),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
