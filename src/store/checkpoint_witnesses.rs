//! Which checkpoints are kept outside: the last one of each trail that each witness has.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::{audit_trails, checkpoint_witnesses, companies, events};
use super::{Company, Snapshot, Transaction, read_back};
use crate::domain::ids::{CompanyId, TrailId};
use crate::domain::instant::Instant;

/// A trail's latest checkpoint, where a witness does not have it yet.
#[derive(Clone, Debug)]
pub struct UnwitnessedCheckpoint {
    /// The trail.
    pub trail: TrailId,
    /// Whose it is; the installation's own trail is no company's.
    pub company: Option<Company>,
    /// How many events it speaks of.
    pub size: i64,
    /// The signed note.
    pub checkpoint: String,
    /// When the last of those events happened.
    pub made_at: Option<Instant>,
}

/// The last checkpoint of a trail that a witness has.
#[derive(Clone, Debug)]
pub struct WitnessedCheckpoint {
    /// The witness, as it was written down.
    pub witness: String,
    /// How many events the checkpoint speaks of.
    pub size: i64,
    /// The signed note.
    pub checkpoint: String,
    /// Since when the witness has it.
    pub witnessed_at: Instant,
}

impl Snapshot<'_> {
    /// The first trail after `after`, in order of ids, whose latest checkpoint that witness does not have. A trail without
    /// events has nothing to be witnessed. Compared is the note, not its size: a history that was rewritten to the same
    /// length, or cut, is to be seen outside, too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unwitnessed_checkpoint(
        &mut self,
        witness: &str,
        after: Option<TrailId>,
    ) -> Result<Option<UnwitnessedCheckpoint>, StoreError> {
        type Row = (String, i64, String, Option<String>, Option<String>);
        let witnessed = audit_trails::id
            .eq(checkpoint_witnesses::trail_id)
            .and(checkpoint_witnesses::witness.eq(witness.to_owned()));
        let differs = checkpoint_witnesses::checkpoint
            .nullable()
            .is_null()
            .or(checkpoint_witnesses::checkpoint.nullable().ne(audit_trails::checkpoint.nullable()));
        let row: Option<Row> = audit_trails::table
            .left_join(checkpoint_witnesses::table.on(witnessed))
            .left_join(companies::table.on(companies::id.eq(audit_trails::id)))
            .filter(audit_trails::id.gt(after.map_or_else(String::new, |trail| trail.to_string())))
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
            .first(self.connection)
            .optional()?;
        let Some((id, size, checkpoint, company_id, company_name)) = row else { return Ok(None) };
        let made_at: Option<i64> = events::table
            .filter(events::trail_id.eq(&id))
            .filter(events::sequence.eq(size))
            .select(events::at)
            .first(self.connection)
            .optional()?;
        let company = company_id.zip(company_name).map(|(id, name)| {
            Ok::<_, StoreError>(Company { id: read_back("company id", CompanyId::parse(&id))?, name })
        });
        Ok(Some(UnwitnessedCheckpoint {
            trail: read_back("trail id", TrailId::parse(&id))?,
            company: company.transpose()?,
            size,
            checkpoint,
            made_at: made_at.map(Instant::from_micros),
        }))
    }

    /// What each witness has of a trail, by witness; among them some that are configured no longer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn witnessed_checkpoints(&mut self, trail: TrailId) -> Result<Vec<WitnessedCheckpoint>, StoreError> {
        let rows: Vec<(String, i64, String, i64)> = checkpoint_witnesses::table
            .filter(checkpoint_witnesses::trail_id.eq(trail.to_string()))
            .order(checkpoint_witnesses::witness)
            .select((
                checkpoint_witnesses::witness,
                checkpoint_witnesses::size,
                checkpoint_witnesses::checkpoint,
                checkpoint_witnesses::witnessed_at,
            ))
            .load(self.connection)?;
        let witnessed = rows.into_iter().map(|(witness, size, checkpoint, at)| WitnessedCheckpoint {
            witness,
            size,
            checkpoint,
            witnessed_at: Instant::from_micros(at),
        });
        Ok(witnessed.collect())
    }
}

impl Transaction<'_> {
    /// Notes that a witness has a checkpoint, in the place of the one it had.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_witnessed(
        &mut self,
        witness: &str,
        had: &UnwitnessedCheckpoint,
        now: Instant,
    ) -> Result<(), StoreError> {
        let trail = had.trail.to_string();
        let now_has = (
            checkpoint_witnesses::size.eq(had.size),
            checkpoint_witnesses::checkpoint.eq(&had.checkpoint),
            checkpoint_witnesses::witnessed_at.eq(now.as_micros()),
        );
        let row = checkpoint_witnesses::table
            .filter(checkpoint_witnesses::trail_id.eq(&trail))
            .filter(checkpoint_witnesses::witness.eq(witness.to_owned()));
        if diesel::update(row).set(now_has).execute(self.connection)? == 0 {
            diesel::insert_into(checkpoint_witnesses::table)
                .values((
                    checkpoint_witnesses::trail_id.eq(&trail),
                    checkpoint_witnesses::witness.eq(witness),
                    now_has.0,
                    now_has.1,
                    now_has.2,
                ))
                .execute(self.connection)?;
        }
        Ok(())
    }
}
