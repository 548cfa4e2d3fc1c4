//! The latest checkpoint of each trail that each witness holds.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use tracing::instrument;

use crate::domain::ids::{CompanyId, TrailId};
use crate::domain::timestamp::Timestamp;
use crate::store::companies::Company;
use crate::store::db::{ReadWrite, WitnessedCheckpoints};
use crate::store::error::StoreError;
use crate::store::schema::{audit_trails, checkpoint_witnesses, companies, events};

diesel::define_sql_function! {
    fn coalesce(value: Nullable<BigInt>, default: BigInt) -> BigInt;
}

/// The latest checkpoint of a trail, which a witness does not hold yet.
#[derive(Clone, Debug)]
pub struct UnwitnessedCheckpoint {
    pub trail: TrailId,
    /// The company of the trail; `None` for the installation's own trail.
    pub company: Option<Company>,
    /// The number of events that the checkpoint covers.
    pub size: i64,
    /// The signed note.
    pub checkpoint: String,
    /// The time of the last event that the checkpoint covers.
    pub made_at: Option<Timestamp>,
}

/// The latest checkpoint of a trail that a witness holds.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = checkpoint_witnesses)]
pub struct WitnessedCheckpoint {
    /// The address of the witness as it is configured, without secrets.
    pub witness: String,
    /// The number of events that the checkpoint covers.
    pub size: i64,
    /// The signed note.
    pub checkpoint: String,
    pub witnessed_at: Timestamp,
}

impl<A> WitnessedCheckpoints<'_, A> {
    /// Returns the first trail after `after`, in the order of ids, whose latest checkpoint the witness does not hold.
    /// Empty trails are left out. The notes are compared, not their sizes, so that a witness also receives the
    /// checkpoint of a history that was rewritten or cut.
    #[instrument(name = "db.witnessed.next_unwitnessed", level = "debug", skip_all)]
    pub fn next_unwitnessed(
        &mut self,
        witness: &str,
        after: Option<TrailId>,
    ) -> Result<Option<UnwitnessedCheckpoint>, StoreError> {
        type Row = (TrailId, i64, String, Option<CompanyId>, Option<String>);
        let witnessed = audit_trails::id
            .eq(checkpoint_witnesses::trail_id)
            .and(checkpoint_witnesses::witness.eq(witness.to_owned()));
        let differs = checkpoint_witnesses::checkpoint
            .nullable()
            .is_null()
            .or(checkpoint_witnesses::checkpoint.nullable().ne(audit_trails::checkpoint.nullable()));
        let mut trails = audit_trails::table
            .left_join(checkpoint_witnesses::table.on(witnessed))
            .left_join(companies::table.on(companies::id.eq(audit_trails::id)))
            .filter(audit_trails::size.gt(0))
            .filter(differs.assume_not_null())
            .order(audit_trails::id)
            .select((
                audit_trails::id,
                audit_trails::size,
                audit_trails::checkpoint,
                companies::id.nullable(),
                companies::name.nullable(),
            ))
            .into_boxed();
        if let Some(after) = after {
            trails = trails.filter(audit_trails::id.gt(after));
        }
        let row: Option<Row> = trails.first(self.connection).optional()?;
        let Some((trail, size, checkpoint, company_id, company_name)) = row else { return Ok(None) };
        let made_at = events::table
            .filter(events::trail_id.eq(trail))
            .filter(events::sequence.eq(size))
            .select(events::at)
            .first(self.connection)
            .optional()?;
        let company = company_id.zip(company_name).map(|(id, name)| Company { id, name });
        Ok(Some(UnwitnessedCheckpoint { trail, company, size, checkpoint, made_at }))
    }

    /// Returns the time of the oldest event that no checkpoint of this witness covers.
    #[instrument(name = "db.witnessed.unwitnessed_since", level = "debug", skip_all)]
    pub fn unwitnessed_since(&mut self, witness: &str) -> Result<Option<Timestamp>, StoreError> {
        let witnessed = audit_trails::id
            .eq(checkpoint_witnesses::trail_id)
            .and(checkpoint_witnesses::witness.eq(witness.to_owned()));
        let next = coalesce(checkpoint_witnesses::size.nullable(), 0) + 1;
        let next_event = events::trail_id.eq(audit_trails::id).and(events::sequence.eq(next));
        Ok(audit_trails::table
            .left_join(checkpoint_witnesses::table.on(witnessed))
            .inner_join(events::table.on(next_event))
            .select(diesel::dsl::min(events::at))
            .first(self.connection)?)
    }

    /// Returns the checkpoints of a trail that witnesses hold, in the order of their addresses. Some witnesses may
    /// not be configured any more.
    #[instrument(name = "db.witnessed.of_trail", level = "debug", skip_all)]
    pub fn of_trail(&mut self, trail: TrailId) -> Result<Vec<WitnessedCheckpoint>, StoreError> {
        Ok(checkpoint_witnesses::table
            .filter(checkpoint_witnesses::trail_id.eq(trail))
            .order(checkpoint_witnesses::witness)
            .select(WitnessedCheckpoint::as_select())
            .load(self.connection)?)
    }
}

impl WitnessedCheckpoints<'_, ReadWrite> {
    /// Stores that a witness holds a checkpoint, which replaces the previous one.
    #[instrument(name = "db.witnessed.set", level = "debug", skip_all)]
    pub fn set(&mut self, witness: &str, checkpoint: &UnwitnessedCheckpoint, now: Timestamp) -> Result<(), StoreError> {
        let values = (
            checkpoint_witnesses::size.eq(checkpoint.size),
            checkpoint_witnesses::checkpoint.eq(&checkpoint.checkpoint),
            checkpoint_witnesses::witnessed_at.eq(now),
        );
        let row = checkpoint_witnesses::table
            .filter(checkpoint_witnesses::trail_id.eq(checkpoint.trail))
            .filter(checkpoint_witnesses::witness.eq(witness));
        if diesel::update(row).set(values).execute(self.connection)? == 0 {
            diesel::insert_into(checkpoint_witnesses::table)
                .values((
                    checkpoint_witnesses::trail_id.eq(checkpoint.trail),
                    checkpoint_witnesses::witness.eq(witness),
                    values.0,
                    values.1,
                    values.2,
                ))
                .execute(self.connection)?;
        }
        Ok(())
    }
}
