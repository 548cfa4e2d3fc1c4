//! Counters of failed sign-ins for an email address or a client, by keyed digests. They are not in the audit trail.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::timestamp::Timestamp;
use crate::store::db::{ReadWrite, SignInFailureCounts};
use crate::store::error::StoreError;
use crate::store::schema::sign_in_failures;

/// The limit on counters: a client can make up addresses without end.
const MAX_SUBJECTS: i64 = 100_000;

/// The failed sign-ins of one subject: an email address or a client. Times are in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = sign_in_failures)]
pub struct SignInFailures {
    /// The number since the last reset.
    pub failures: i64,
    pub first_at: i64,
    pub last_at: i64,
    /// The number that is not in the trail yet.
    pub unreported: i64,
    /// The time of the last event in the trail.
    pub reported_at: Option<i64>,
}

impl<A> SignInFailureCounts<'_, A> {
    #[instrument(name = "db.sign_in_failures.of", level = "debug", skip_all)]
    pub fn of(&mut self, subject: &[u8; 32]) -> Result<Option<SignInFailures>, StoreError> {
        Ok(sign_in_failures::table
            .filter(sign_in_failures::subject.eq(subject))
            .select(SignInFailures::as_select())
            .first(self.connection)
            .optional()?)
    }
}

impl SignInFailureCounts<'_, ReadWrite> {
    /// Adds one failure; concurrent transactions each add theirs. With `to_report`, it counts as not yet in the trail.
    #[instrument(name = "db.sign_in_failures.count", level = "debug", skip_all)]
    pub fn count(&mut self, subject: &[u8; 32], to_report: bool, now: Timestamp) -> Result<(), StoreError> {
        self.add(subject, 1, i64::from(to_report), now)
    }

    /// Adds a failure that the trail has yet to report, but that another subject counts.
    #[instrument(name = "db.sign_in_failures.touch", level = "debug", skip_all)]
    pub fn touch(&mut self, subject: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
        self.add(subject, 0, 1, now)
    }

    fn add(&mut self, subject: &[u8; 32], failures: i64, unreported: i64, now: Timestamp) -> Result<(), StoreError> {
        if self.add_to_existing(subject, failures, unreported, now)? == 0 {
            let first = diesel::insert_into(sign_in_failures::table).values((
                sign_in_failures::subject.eq(subject),
                sign_in_failures::failures.eq(failures),
                sign_in_failures::first_at.eq(now),
                sign_in_failures::last_at.eq(now),
                sign_in_failures::unreported.eq(unreported),
            ));
            // In a nested transaction: on PostgreSQL a failed insert would abort the outer one.
            let inserted = self.connection.transaction(|connection| first.execute(connection));
            match inserted.map_err(StoreError::from) {
                Err(StoreError::Exists) => self.add_to_existing(subject, failures, unreported, now)?,
                other => other?,
            };
        }
        Ok(())
    }

    fn add_to_existing(
        &mut self,
        subject: &[u8; 32],
        failures: i64,
        unreported: i64,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        Ok(diesel::update(sign_in_failures::table.filter(sign_in_failures::subject.eq(subject)))
            .set((
                sign_in_failures::failures.eq(sign_in_failures::failures + failures),
                sign_in_failures::last_at.eq(now),
                sign_in_failures::unreported.eq(sign_in_failures::unreported + unreported),
            ))
            .execute(self.connection)?)
    }

    /// Stores that the trail now reports all failures of the subject.
    #[instrument(name = "db.sign_in_failures.mark_reported", level = "debug", skip_all)]
    pub fn mark_reported(&mut self, subject: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
        diesel::update(sign_in_failures::table.filter(sign_in_failures::subject.eq(subject)))
            .set((sign_in_failures::unreported.eq(0), sign_in_failures::reported_at.eq(now)))
            .execute(self.connection)?;
        Ok(())
    }

    /// Restarts the count of the subject. Unreported failures stay unreported.
    #[instrument(name = "db.sign_in_failures.reset", level = "debug", skip_all)]
    pub fn reset(&mut self, subject: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
        diesel::update(sign_in_failures::table.filter(sign_in_failures::subject.eq(subject)))
            .set((sign_in_failures::failures.eq(0), sign_in_failures::first_at.eq(now)))
            .execute(self.connection)?;
        Ok(())
    }

    /// Deletes subjects whose last failure is before `oldest`, and the oldest ones beyond [`MAX_SUBJECTS`]. Subjects
    /// with unreported failures stay.
    #[instrument(name = "db.sign_in_failures.delete_old", level = "debug", skip_all)]
    pub fn delete_old(&mut self, oldest: Timestamp) -> Result<(), StoreError> {
        let last_beyond: Option<Timestamp> = sign_in_failures::table
            .order(sign_in_failures::last_at.desc())
            .offset(MAX_SUBJECTS)
            .select(sign_in_failures::last_at)
            .first(self.connection)
            .optional()?;
        let last_deleted = last_beyond.map_or(oldest, |last| last.max(oldest));
        let old = sign_in_failures::last_at.le(last_deleted).and(sign_in_failures::unreported.eq(0));
        diesel::delete(sign_in_failures::table.filter(old)).execute(self.connection)?;
        Ok(())
    }

    /// Deletes the counters of a subject.
    #[instrument(name = "db.sign_in_failures.delete", level = "debug", skip_all)]
    pub fn delete(&mut self, subject: &[u8; 32]) -> Result<(), StoreError> {
        diesel::delete(sign_in_failures::table.filter(sign_in_failures::subject.eq(subject)))
            .execute(self.connection)?;
        Ok(())
    }
}
