//! Heads of audit trails: size, frontier and checkpoint.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use tracing::instrument;

use crate::domain::ids::TrailId;
use crate::domain::trail::check::TrailHead;
use crate::store::connection::AnyConnection;
use crate::store::db::{ReadWrite, Trails};
use crate::store::error::StoreError;
use crate::store::prepared::{on_driver, statement};
use crate::store::schema::audit_trails;

statement! {
    UpdateHead {
        "UPDATE audit_trails SET size = " size: i64 as BigInt,
        ", frontier = " frontier: Vec<u8> as Binary,
        ", checkpoint = " checkpoint: String as Text,
        " WHERE id = " trail: TrailId as Text;
        ""
    }
}

statement! {
    IndexHour {
        "INSERT INTO audit_trail_hours (trail_id, hour, first_sequence, last_sequence) VALUES (" trail: TrailId as Text,
        ", " hour: i64 as BigInt,
        ", " first: i64 as BigInt,
        ", " last: i64 as BigInt;
        ") ON CONFLICT (trail_id, hour) DO UPDATE SET last_sequence = excluded.last_sequence"
    }
}

statement! {
    /// Both on PostgreSQL, where each statement is a round trip.
    UpdateHeadAndHour {
        "WITH hours AS (INSERT INTO audit_trail_hours (trail_id, hour, first_sequence, last_sequence) VALUES ("
            trail_of_hour: TrailId as Text,
        ", " hour: i64 as BigInt,
        ", " first: i64 as BigInt,
        ", " last: i64 as BigInt,
        ") ON CONFLICT (trail_id, hour) DO UPDATE SET last_sequence = excluded.last_sequence) \
         UPDATE audit_trails SET size = " size: i64 as BigInt,
        ", frontier = " frontier: Vec<u8> as Binary,
        ", checkpoint = " checkpoint: String as Text,
        " WHERE id = " trail: TrailId as Text;
        ""
    }
}

impl<A> Trails<'_, A> {
    #[instrument(name = "db.trails.head", level = "debug", skip_all)]
    pub fn head(&mut self, trail: TrailId) -> Result<TrailHead, StoreError> {
        let head = audit_trails::table.filter(audit_trails::id.eq(trail)).select((
            audit_trails::size,
            audit_trails::frontier,
            audit_trails::checkpoint,
        ));
        let (size, frontier, checkpoint) = on_driver!(self.connection, |driver| head.first(driver))?;
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

    /// Stores a checkpoint of the same events.
    #[instrument(name = "db.trails.replace_checkpoint", level = "debug", skip_all)]
    pub fn replace_checkpoint(&mut self, trail: TrailId, checkpoint: &str) -> Result<(), StoreError> {
        let target = audit_trails::table.find(trail);
        diesel::update(target).set(audit_trails::checkpoint.eq(checkpoint)).execute(self.connection)?;
        Ok(())
    }

    /// Stores the head of a trail after its events after `before` were appended, all of them in this hour.
    #[instrument(name = "db.trails.update_head", level = "debug", skip_all)]
    pub fn update_head(&mut self, trail: TrailId, head: &TrailHead, before: i64, hour: i64) -> Result<(), StoreError> {
        let TrailHead { size, frontier, checkpoint } = head;
        let (hour, first, last) = (&hour, &(before + 1), size);
        match self.connection {
            AnyConnection::Postgres(_) if last >= first => {
                let (trail, trail_of_hour) = (&trail, &trail);
                UpdateHeadAndHour { trail_of_hour, hour, first, last, size, frontier, checkpoint, trail }
                    .execute(self.connection)?;
            }
            _ => {
                if last >= first {
                    IndexHour { trail: &trail, hour, first, last }.execute(self.connection)?;
                }
                UpdateHead { size, frontier, checkpoint, trail: &trail }.execute(self.connection)?;
            }
        }
        Ok(())
    }
}
