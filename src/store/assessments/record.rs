//! The recorded findings.

use diesel::dsl::exists;
use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::practice::finding::Findings;
use crate::domain::practice::summary::Summary;
use crate::domain::timestamp::Timestamp;
use crate::store::db::Assessments;
use crate::store::error::StoreError;
use crate::store::prepared::on_driver;
use crate::store::schema::{assessment_queue, companies, key_assessments, practice_days, practice_summaries};

/// The findings of a company, and whether they are up to date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PracticeState {
    pub summary: Summary,
    /// Some keys are to be assessed again.
    pub is_due: bool,
}

impl PracticeState {
    pub(in crate::store) fn new(summary: Option<&str>, is_due: bool) -> Result<Self, StoreError> {
        Ok(Self { summary: summary.map(parse).transpose()?.unwrap_or_default(), is_due })
    }
}

/// The keys of a company at the end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = practice_days)]
pub struct PracticeDay {
    /// Days since 1970, UTC.
    pub day: i64,
    pub active_keys: i64,
    pub keys_with_findings: i64,
}

pub(super) fn parse(summary: &str) -> Result<Summary, StoreError> {
    serde_json::from_str(summary).map_err(|_| StoreError::unexpected("a stored summary of findings cannot be read"))
}

/// Whether a company has keys to assess.
macro_rules! is_due {
    ($company_id:expr, $now:expr) => {
        exists(assessment_queue::table.filter(assessment_queue::company_id.eq($company_id))).or(exists(
            key_assessments::table
                .filter(key_assessments::company_id.eq($company_id))
                .filter(key_assessments::due_at.le($now)),
        ))
    };
}

impl<A> Assessments<'_, A> {
    /// Returns the findings of a company in numbers.
    #[instrument(name = "db.assessments.state", level = "debug", skip_all)]
    pub fn state(&mut self, company_id: CompanyId, now: Timestamp) -> Result<PracticeState, StoreError> {
        let summary = practice_summaries::table
            .filter(practice_summaries::company_id.eq(company_id))
            .select(practice_summaries::summary);
        let state = diesel::select((summary.single_value(), is_due!(company_id, now)));
        let (summary, is_due): (Option<String>, bool) = on_driver!(self.connection, |driver| state.get_result(driver))?;
        PracticeState::new(summary.as_deref(), is_due)
    }

    /// Returns some of the companies that have keys to assess.
    #[instrument(name = "db.assessments.companies_due", level = "debug", skip_all)]
    pub fn companies_due(&mut self, now: Timestamp, limit: i64) -> Result<Vec<CompanyId>, StoreError> {
        Ok(companies::table
            .filter(is_due!(companies::id, now))
            .order(companies::id)
            .limit(limit)
            .select(companies::id)
            .load(self.connection)?)
    }

    /// Returns the findings of a key.
    #[instrument(name = "db.assessments.of_key", level = "debug", skip_all)]
    pub fn of_key(&mut self, company_id: CompanyId, id: KeyId) -> Result<Findings, StoreError> {
        let findings: Option<i64> = key_assessments::table
            .filter(key_assessments::key_id.eq(id))
            .filter(key_assessments::company_id.eq(company_id))
            .select(key_assessments::findings)
            .first(self.connection)
            .optional()?;
        Ok(Findings::from_bits(findings.unwrap_or(0)))
    }

    /// Returns the recorded days from a day on, in order.
    #[instrument(name = "db.assessments.days", level = "debug", skip_all)]
    pub fn days(&mut self, company_id: CompanyId, from: i64) -> Result<Vec<PracticeDay>, StoreError> {
        Ok(practice_days::table
            .filter(practice_days::company_id.eq(company_id))
            .filter(practice_days::day.ge(from))
            .order(practice_days::day)
            .select(PracticeDay::as_select())
            .load(self.connection)?)
    }
}
