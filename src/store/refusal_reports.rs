//! Refusals of revoked keys: which of them the trail does not speak of yet.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::error::StoreError;
use super::schema::key_usage;
use super::{Snapshot, Transaction, read_back};
use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::instant::Instant;

/// Refusals of a revoked key that the trail does not speak of yet.
#[derive(Clone, Debug)]
pub struct UnreportedRefusals {
    /// The key's company.
    pub company_id: CompanyId,
    /// The key.
    pub key_id: KeyId,
    /// How many.
    pub count: i64,
    /// When the last of all was.
    pub last_at: Option<Instant>,
    /// Where it came from.
    pub last_address: Option<String>,
    /// What the program called itself.
    pub last_client: Option<String>,
    /// The id of its request.
    pub last_request: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = key_usage)]
struct UnreportedRow {
    company_id: String,
    key_id: String,
    unreported_refusals: i64,
    last_refused_at: Option<i64>,
    last_refused_address: Option<String>,
    last_refused_client: Option<String>,
    last_refused_request: Option<String>,
}

impl UnreportedRow {
    fn into_refusals(self) -> Result<UnreportedRefusals, StoreError> {
        Ok(UnreportedRefusals {
            company_id: read_back("company id", CompanyId::parse(&self.company_id))?,
            key_id: read_back("key id", KeyId::parse(&self.key_id))?,
            count: self.unreported_refusals,
            last_at: self.last_refused_at.map(Instant::from_micros),
            last_address: self.last_refused_address,
            last_client: self.last_refused_client,
            last_request: self.last_refused_request,
        })
    }
}

/// Spelled out, as a bound zero would not lead SQLite to the index of those alone.
fn some_are_unreported() -> SqlLiteral<Bool> {
    sql("key_usage.unreported_refusals > 0")
}

impl Snapshot<'_> {
    /// Refusals of revoked keys whose report is due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn refusals_to_report(&mut self, now: Instant, limit: i64) -> Result<Vec<UnreportedRefusals>, StoreError> {
        let rows: Vec<UnreportedRow> = key_usage::table
            .filter(some_are_unreported())
            .filter(key_usage::report_due_at.le(now.as_micros()))
            .order(key_usage::report_due_at)
            .limit(limit)
            .select(UnreportedRow::as_select())
            .load(self.connection)?;
        rows.into_iter().map(UnreportedRow::into_refusals).collect()
    }

    /// The same of one key, where its report is due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn refusals_to_report_of(&mut self, id: KeyId, now: Instant) -> Result<Option<UnreportedRefusals>, StoreError> {
        let row: Option<UnreportedRow> = key_usage::table
            .filter(key_usage::key_id.eq(id.to_string()))
            .filter(some_are_unreported())
            .filter(key_usage::report_due_at.le(now.as_micros()))
            .select(UnreportedRow::as_select())
            .first(self.connection)
            .optional()?;
        row.map(UnreportedRow::into_refusals).transpose()
    }
}

impl Transaction<'_> {
    /// Notes that the trail speaks of so many refusals of a key, and when it may speak of further ones.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_refusals_reported(&mut self, id: KeyId, count: i64, next: Instant) -> Result<(), StoreError> {
        diesel::update(key_usage::table.filter(key_usage::key_id.eq(id.to_string())))
            .set((
                key_usage::unreported_refusals.eq(key_usage::unreported_refusals - count),
                key_usage::report_due_at.eq(next.as_micros()),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
