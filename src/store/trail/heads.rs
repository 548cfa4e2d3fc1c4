//! Heads of audit trails: size, frontier and checkpoint.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::TrailId;
use crate::domain::trail::check::TrailHead;
use crate::store::connection::AnyConnection;
use crate::store::db::{ReadWrite, Trails};
use crate::store::error::StoreError;
use crate::store::schema::{audit_trail_hours, audit_trails};

impl<A> Trails<'_, A> {
    #[instrument(name = "db.trails.head", level = "debug", skip_all)]
    pub fn head(&mut self, trail: TrailId) -> Result<TrailHead, StoreError> {
        let (size, frontier, checkpoint) = audit_trails::table
            .filter(audit_trails::id.eq(trail))
            .select((audit_trails::size, audit_trails::frontier, audit_trails::checkpoint))
            .first(self.connection)?;
        Ok(TrailHead { size, frontier, checkpoint })
    }

    /// Counts the events of all trails, from their heads.
    #[instrument(name = "db.trails.count_events", level = "debug", skip_all)]
    pub fn count_events(&mut self) -> Result<i64, StoreError> {
        Ok(audit_trails::table.select(audit_trails::size).load::<i64>(self.connection)?.iter().sum())
    }

    /// Returns the head of a trail, if there is such a trail.
    #[instrument(name = "db.trails.find_head", level = "debug", skip_all)]
    pub fn find_head(&mut self, trail: TrailId) -> Result<Option<TrailHead>, StoreError> {
        let head: Option<(i64, Vec<u8>, String)> = audit_trails::table
            .filter(audit_trails::id.eq(trail))
            .select((audit_trails::size, audit_trails::frontier, audit_trails::checkpoint))
            .first(self.connection)
            .optional()?;
        Ok(head.map(|(size, frontier, checkpoint)| TrailHead { size, frontier, checkpoint }))
    }

    /// Returns the id, the size and the latest checkpoint of every trail.
    #[instrument(name = "db.trails.checkpoints", level = "debug", skip_all)]
    pub fn checkpoints(&mut self) -> Result<Vec<(TrailId, i64, String)>, StoreError> {
        let trails = audit_trails::table.select((audit_trails::id, audit_trails::size, audit_trails::checkpoint));
        // The driver's own connection reads faster, and there may be many companies.
        Ok(match self.connection {
            AnyConnection::Sqlite(sqlite) => trails.load(sqlite)?,
            AnyConnection::Postgres(postgres) => trails.load(postgres)?,
        })
    }
}

impl Trails<'_, ReadWrite> {
    /// Inserts a new trail.
    #[instrument(name = "db.trails.insert", level = "debug", skip_all)]
    pub fn insert(&mut self, trail: TrailId, head: &TrailHead) -> Result<(), StoreError> {
        diesel::insert_into(audit_trails::table)
            .values((
                audit_trails::id.eq(trail),
                audit_trails::size.eq(head.size),
                audit_trails::frontier.eq(&head.frontier),
                audit_trails::checkpoint.eq(&head.checkpoint),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Locks the head of a trail until the transaction ends, and returns it. All changes to one company take this lock.
    /// On SQLite the transaction has the lock of the whole database already.
    #[instrument(name = "db.trails.lock", level = "debug", skip_all)]
    pub fn lock(&mut self, trail: TrailId) -> Result<TrailHead, StoreError> {
        let AnyConnection::Postgres(postgres) = &mut *self.connection else { return self.head(trail) };
        let (size, frontier, checkpoint) = audit_trails::table
            .filter(audit_trails::id.eq(trail))
            .select((audit_trails::size, audit_trails::frontier, audit_trails::checkpoint))
            .for_no_key_update()
            .first(postgres)?;
        Ok(TrailHead { size, frontier, checkpoint })
    }

    /// Stores the head of a trail after events were appended.
    #[instrument(name = "db.trails.update_head", level = "debug", skip_all)]
    pub fn update_head(&mut self, trail: TrailId, head: &TrailHead) -> Result<(), StoreError> {
        diesel::update(audit_trails::table.filter(audit_trails::id.eq(trail)))
            .set((
                audit_trails::size.eq(head.size),
                audit_trails::frontier.eq(&head.frontier),
                audit_trails::checkpoint.eq(&head.checkpoint),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Stores that the events of a trail after `after` and up to `last` happened in this hour.
    #[instrument(name = "db.trails.index_hour", level = "debug", skip_all)]
    pub fn index_hour(&mut self, trail: TrailId, hour: i64, after: i64, last: i64) -> Result<(), StoreError> {
        if last == after {
            return Ok(());
        }
        let row = audit_trail_hours::table
            .filter(audit_trail_hours::trail_id.eq(trail))
            .filter(audit_trail_hours::hour.eq(hour));
        let updated = diesel::update(row).set(audit_trail_hours::last_sequence.eq(last)).execute(self.connection)?;
        if updated == 0 {
            diesel::insert_into(audit_trail_hours::table)
                .values((
                    audit_trail_hours::trail_id.eq(trail),
                    audit_trail_hours::hour.eq(hour),
                    audit_trail_hours::first_sequence.eq(after + 1),
                    audit_trail_hours::last_sequence.eq(last),
                ))
                .execute(self.connection)?;
        }
        Ok(())
    }
}
