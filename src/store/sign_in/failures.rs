//! Counters of failed sign-ins for an email address, a browser or a client, by keyed digests. They are not in the audit trail.

use std::ops::RangeInclusive;

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::timestamp::Timestamp;
use crate::store::db::{ReadWrite, SignInFailureCounts};
use crate::store::error::StoreError;
use crate::store::schema::sign_in_failures;

/// The limit on counters: a client can make up addresses without end.
const MAX_SUBJECTS: i64 = 100_000;

/// The failed sign-ins of one subject: an email address, a browser or a client. Times are in microseconds since 1970.
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

    /// Returns when the counting began, for each subject in a range that has at least `failures` since then.
    #[instrument(name = "db.sign_in_failures.in_range", level = "debug", skip_all)]
    pub fn in_range(
        &mut self,
        subjects: &RangeInclusive<[u8; 32]>,
        failures: i64,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        Ok(sign_in_failures::table
            .filter(sign_in_failures::subject.ge(subjects.start()))
            .filter(sign_in_failures::subject.le(subjects.end()))
            .filter(sign_in_failures::failures.ge(failures))
            .filter(sign_in_failures::first_at.gt(since))
            .select(sign_in_failures::first_at)
            .load(self.connection)?)
    }
}

impl SignInFailureCounts<'_, ReadWrite> {
    /// Locks the counter of a subject until the end of the transaction, and returns it. A missing one is created.
    #[instrument(name = "db.sign_in_failures.lock", level = "debug", skip_all)]
    pub fn lock(&mut self, subject: &[u8; 32], now: Timestamp) -> Result<SignInFailures, StoreError> {
        if self.lock_existing(subject)? == 0 {
            let empty = diesel::insert_into(sign_in_failures::table).values((
                sign_in_failures::subject.eq(subject),
                sign_in_failures::failures.eq(0),
                sign_in_failures::first_at.eq(now),
                sign_in_failures::last_at.eq(now),
                sign_in_failures::unreported.eq(0),
            ));
            // In a nested transaction: on PostgreSQL a failed insert would abort the outer one.
            let inserted = self.connection.transaction(|connection| empty.execute(connection));
            match inserted.map_err(StoreError::from) {
                Err(StoreError::Exists) => self.lock_existing(subject)?,
                other => other?,
            };
        }
        self.of(subject)?.ok_or_else(|| StoreError::unexpected("a locked counter is missing"))
    }

    fn lock_existing(&mut self, subject: &[u8; 32]) -> Result<usize, StoreError> {
        Ok(diesel::update(sign_in_failures::table.filter(sign_in_failures::subject.eq(subject)))
            .set(sign_in_failures::failures.eq(sign_in_failures::failures))
            .execute(self.connection)?)
    }

    /// Adds one failure to a counter that exists.
    #[instrument(name = "db.sign_in_failures.count", level = "debug", skip_all)]
    pub fn count(&mut self, subject: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
        diesel::update(sign_in_failures::table.filter(sign_in_failures::subject.eq(subject)))
            .set((sign_in_failures::failures.eq(sign_in_failures::failures + 1), sign_in_failures::last_at.eq(now)))
            .execute(self.connection)?;
        Ok(())
    }

    /// Removes the failure that was counted at `counted_at`. The last failure is then the one at `last_at` again,
    /// unless another one was counted since.
    #[instrument(name = "db.sign_in_failures.take_back", level = "debug", skip_all)]
    pub fn take_back(
        &mut self,
        subject: &[u8; 32],
        counted_at: Timestamp,
        last_at: Timestamp,
    ) -> Result<(), StoreError> {
        let of_subject = sign_in_failures::subject.eq(subject);
        let counted = sign_in_failures::table.filter(of_subject).filter(sign_in_failures::failures.gt(0));
        diesel::update(counted)
            .set(sign_in_failures::failures.eq(sign_in_failures::failures - 1))
            .execute(self.connection)?;
        let last = sign_in_failures::table.filter(of_subject).filter(sign_in_failures::last_at.eq(counted_at));
        diesel::update(last).set(sign_in_failures::last_at.eq(last_at)).execute(self.connection)?;
        Ok(())
    }

    /// Adds failures that the trail has yet to report.
    #[instrument(name = "db.sign_in_failures.add_unreported", level = "debug", skip_all)]
    pub fn add_unreported(&mut self, subject: &[u8; 32], failures: i64) -> Result<(), StoreError> {
        diesel::update(sign_in_failures::table.filter(sign_in_failures::subject.eq(subject)))
            .set(sign_in_failures::unreported.eq(sign_in_failures::unreported + failures))
            .execute(self.connection)?;
        Ok(())
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
