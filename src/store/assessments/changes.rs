//! Changes of the recorded findings. Every company's are made one after the other, under a lock.

use diesel::prelude::*;
use tracing::instrument;

use super::facts::DueKeys;
use super::record::{PracticeDay, parse};
use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::practice::rules::Assessment;
use crate::domain::practice::summary::Summary;
use crate::store::connection::AnyConnection;
use crate::store::db::{Assessments, ReadWrite};
use crate::store::error::StoreError;
use crate::store::schema::{assessment_queue, key_assessments, practice_days, practice_summaries};

impl Assessments<'_, ReadWrite> {
    /// Locks the summary of a company until the transaction ends, and returns it. `None` if there is none yet.
    #[instrument(name = "db.assessments.lock", level = "debug", skip_all)]
    pub fn lock(&mut self, company_id: CompanyId) -> Result<Option<Summary>, StoreError> {
        let summary = practice_summaries::table
            .filter(practice_summaries::company_id.eq(company_id))
            .select(practice_summaries::summary);
        let stored: Option<String> = match &mut *self.connection {
            AnyConnection::Sqlite(sqlite) => summary.first(sqlite).optional()?,
            AnyConnection::Postgres(postgres) => {
                // The first transaction of a company inserts the row that the others wait for.
                diesel::insert_into(practice_summaries::table)
                    .values((practice_summaries::company_id.eq(company_id), practice_summaries::summary.eq("")))
                    .on_conflict_do_nothing()
                    .execute(postgres)?;
                summary.for_update().first(postgres).optional()?
            }
        };
        stored.filter(|text| !text.is_empty()).as_deref().map(parse).transpose()
    }

    /// Records the assessment of a key; `None` if the key has ended.
    #[instrument(name = "db.assessments.record", level = "debug", skip_all)]
    pub fn record(
        &mut self,
        company_id: CompanyId,
        id: KeyId,
        is_known: bool,
        assessment: Option<Assessment>,
    ) -> Result<(), StoreError> {
        let row = key_assessments::table.filter(key_assessments::key_id.eq(id));
        match assessment {
            None => diesel::delete(row).execute(self.connection)?,
            Some(Assessment { findings, next_change }) => {
                let due_at = next_change.map_or(i64::MAX, |at| at.as_micros());
                let values = (key_assessments::findings.eq(findings.bits()), key_assessments::due_at.eq(due_at));
                if is_known {
                    diesel::update(row).set(values).execute(self.connection)?
                } else {
                    let key = (key_assessments::key_id.eq(id), key_assessments::company_id.eq(company_id));
                    diesel::insert_into(key_assessments::table).values((key, values)).execute(self.connection)?
                }
            }
        };
        Ok(())
    }

    /// Removes the entries of the queue that named these keys.
    #[instrument(name = "db.assessments.dequeue", level = "debug", skip_all)]
    pub fn dequeue(&mut self, due: &DueKeys) -> Result<(), StoreError> {
        diesel::delete(assessment_queue::table.filter(assessment_queue::id.eq_any(&due.queued)))
            .execute(self.connection)?;
        Ok(())
    }

    /// Stores the summary of a company, and its numbers for a day.
    #[instrument(name = "db.assessments.save_summary", level = "debug", skip_all)]
    pub fn save_summary(
        &mut self,
        company_id: CompanyId,
        summary: &Summary,
        today: PracticeDay,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(summary).map_err(StoreError::unexpected)?;
        let stored = practice_summaries::table.filter(practice_summaries::company_id.eq(company_id));
        let updated = diesel::update(stored).set(practice_summaries::summary.eq(&text)).execute(self.connection)?;
        if updated == 0 {
            diesel::insert_into(practice_summaries::table)
                .values((practice_summaries::company_id.eq(company_id), practice_summaries::summary.eq(text)))
                .execute(self.connection)?;
        }
        let numbers = (
            practice_days::active_keys.eq(today.active_keys),
            practice_days::keys_with_findings.eq(today.keys_with_findings),
        );
        let day = practice_days::table
            .filter(practice_days::company_id.eq(company_id))
            .filter(practice_days::day.eq(today.day));
        if diesel::update(day).set(numbers).execute(self.connection)? == 0 {
            diesel::insert_into(practice_days::table)
                .values((practice_days::company_id.eq(company_id), practice_days::day.eq(today.day), numbers))
                .execute(self.connection)?;
        }
        Ok(())
    }
}
