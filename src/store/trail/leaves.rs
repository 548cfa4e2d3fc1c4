//! Ranges of a trail for proofs and checks: events, and the hashes of their leaves.

use std::ops::RangeInclusive;

use diesel::prelude::*;
use tracing::instrument;

use super::events::EventRow;
use crate::domain::ids::TrailId;
use crate::domain::trail::action::Action;
use crate::domain::trail::event::Event;
use crate::store::connection::AnyConnection;
use crate::store::db::Trails;
use crate::store::error::StoreError;
use crate::store::schema::events;

#[diesel::dsl::auto_type]
fn in_order(trail: TrailId, first: i64, last: i64) -> _ {
    events::table
        .filter(events::trail_id.eq(trail))
        .filter(events::sequence.between(first, last))
        .order(events::sequence.asc())
}

impl<A> Trails<'_, A> {
    /// Returns the events with these sequence numbers in order, at most `limit`, each with the stored hash of its leaf.
    #[instrument(name = "db.trails.events_between", level = "debug", skip_all)]
    pub fn events_between(
        &mut self,
        trail: TrailId,
        sequences: RangeInclusive<i64>,
        limit: i64,
    ) -> Result<Vec<(Event, Vec<u8>)>, StoreError> {
        let events = in_order(trail, *sequences.start(), *sequences.end()).limit(limit);
        // The driver's own connection reads faster, and a trail has millions of events.
        let rows: Vec<EventRow> = match self.connection {
            AnyConnection::Sqlite(sqlite) => events.select(EventRow::as_select()).load(sqlite)?,
            AnyConnection::Postgres(postgres) => events.select(EventRow::as_select()).load(postgres)?,
        };
        Ok(rows.into_iter().map(EventRow::into_event).collect())
    }

    /// Returns the events of one action with these sequence numbers in order.
    #[instrument(name = "db.trails.of_action", level = "debug", skip_all)]
    pub fn of_action(
        &mut self,
        trail: TrailId,
        action: Action,
        sequences: RangeInclusive<i64>,
    ) -> Result<Vec<Event>, StoreError> {
        let events = in_order(trail, *sequences.start(), *sequences.end()).filter(events::action.eq(action));
        let rows: Vec<EventRow> = events.select(EventRow::as_select()).load(self.connection)?;
        Ok(rows.into_iter().map(|row| row.into_event().0).collect())
    }

    /// Returns the stored hashes of the leaves with these sequence numbers in order, each with its sequence number.
    #[instrument(name = "db.trails.leaf_hashes", level = "debug", skip_all)]
    pub fn leaf_hashes(
        &mut self,
        trail: TrailId,
        sequences: RangeInclusive<i64>,
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let hashes =
            in_order(trail, *sequences.start(), *sequences.end()).select((events::sequence, events::leaf_hash));
        Ok(match self.connection {
            AnyConnection::Sqlite(sqlite) => hashes.load(sqlite)?,
            AnyConnection::Postgres(postgres) => hashes.load(postgres)?,
        })
    }
}
