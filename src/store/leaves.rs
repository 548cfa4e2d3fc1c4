//! What proofs and checks read of the trail: events and the hashes of their leaves, by their places.

use std::ops::RangeInclusive;

use diesel::prelude::*;

use super::Snapshot;
use super::audit::EventRow;
use super::connection::AnyConnection;
use super::error::StoreError;
use super::schema::events;
use crate::domain::event::Event;
use crate::domain::ids::TrailId;

/// The events at those places of a trail, in order.
#[diesel::dsl::auto_type]
fn in_order(trail: String, first: i64, last: i64) -> _ {
    events::table
        .filter(events::trail_id.eq(trail))
        .filter(events::sequence.between(first, last))
        .order(events::sequence.asc())
}

impl Snapshot<'_> {
    /// The events at those places of a trail, in order, each with the leaf hash stored beside it; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn events_between(
        &mut self,
        trail: TrailId,
        places: RangeInclusive<i64>,
        limit: i64,
    ) -> Result<Vec<(Event, Vec<u8>)>, StoreError> {
        let asked = in_order(trail.to_string(), *places.start(), *places.end()).limit(limit);
        // Through the connection of either database itself: a trail is read by the million.
        let rows: Vec<EventRow> = match self.connection {
            AnyConnection::Sqlite(sqlite) => asked.select(EventRow::as_select()).load(sqlite)?,
            AnyConnection::Postgres(postgres) => asked.select(EventRow::as_select()).load(postgres)?,
        };
        Ok(rows.into_iter().map(EventRow::into_event).collect())
    }

    /// The stored leaf hashes at those places of a trail, in order, each with its place.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn leaf_hashes(
        &mut self,
        trail: TrailId,
        places: RangeInclusive<i64>,
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let asked =
            in_order(trail.to_string(), *places.start(), *places.end()).select((events::sequence, events::leaf_hash));
        Ok(match self.connection {
            AnyConnection::Sqlite(sqlite) => asked.load(sqlite)?,
            AnyConnection::Postgres(postgres) => asked.load(postgres)?,
        })
    }
}
