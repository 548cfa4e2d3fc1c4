//! Refusals of revoked keys that the trail has yet to report.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use tracing::instrument;

use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::timestamp::Timestamp;
use crate::store::db::{ReadWrite, Usage};
use crate::store::error::StoreError;
use crate::store::schema::key_usage;

/// Refusals of a revoked key that the trail has yet to report.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = key_usage)]
pub struct UnreportedRefusals {
    pub company_id: CompanyId,
    pub key_id: KeyId,
    #[diesel(column_name = unreported_refusals)]
    pub count: i64,
    /// The time of the last refusal, reported or not.
    #[diesel(column_name = last_refused_at)]
    pub last_at: Option<Timestamp>,
    #[diesel(column_name = last_refused_address)]
    pub last_address: Option<String>,
    /// The name that the client gave itself.
    #[diesel(column_name = last_refused_client)]
    pub last_client: Option<String>,
    /// The request id of the last refusal.
    #[diesel(column_name = last_refused_request)]
    pub last_request: Option<String>,
}

/// As a literal: with a bound zero, SQLite would not use the partial index.
fn some_are_unreported() -> SqlLiteral<Bool> {
    sql("key_usage.unreported_refusals > 0")
}

impl<A> Usage<'_, A> {
    /// Returns the unreported refusals of all keys whose report is due.
    #[instrument(name = "db.usage.unreported_refusals", level = "debug", skip_all)]
    pub fn unreported_refusals(&mut self, now: Timestamp, limit: i64) -> Result<Vec<UnreportedRefusals>, StoreError> {
        Ok(key_usage::table
            .filter(some_are_unreported())
            .filter(key_usage::report_due_at.le(now))
            .order(key_usage::report_due_at)
            .limit(limit)
            .select(UnreportedRefusals::as_select())
            .load(self.connection)?)
    }

    /// Returns the unreported refusals of a key if its report is due.
    #[instrument(name = "db.usage.unreported_refusals_of", level = "debug", skip_all)]
    pub fn unreported_refusals_of(
        &mut self,
        id: KeyId,
        now: Timestamp,
    ) -> Result<Option<UnreportedRefusals>, StoreError> {
        Ok(key_usage::table
            .filter(key_usage::key_id.eq(id))
            .filter(some_are_unreported())
            .filter(key_usage::report_due_at.le(now))
            .select(UnreportedRefusals::as_select())
            .first(self.connection)
            .optional()?)
    }
}

impl Usage<'_, ReadWrite> {
    /// Stores that the trail reports `count` more refusals of a key, and when the next report is due.
    #[instrument(name = "db.usage.mark_refusals_reported", level = "debug", skip_all)]
    pub fn mark_refusals_reported(&mut self, id: KeyId, count: i64, next: Timestamp) -> Result<(), StoreError> {
        diesel::update(key_usage::table.filter(key_usage::key_id.eq(id)))
            .set((
                key_usage::unreported_refusals.eq(key_usage::unreported_refusals - count),
                key_usage::report_due_at.eq(next),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
