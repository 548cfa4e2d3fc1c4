//! How often sign-in failed for an address or a client, counted under keyed digests. Bookkeeping, no part of the trail.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::sign_in_failures;
use super::{Snapshot, Transaction};
use crate::domain::instant::Instant;

/// No more subjects than this are remembered: strangers can make up addresses without end.
const MOST_SUBJECTS: i64 = 100_000;

/// The failures of one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable)]
#[diesel(table_name = sign_in_failures)]
pub struct SignInFailures {
    /// How many, since the last success or since they began to be counted.
    pub failures: i64,
    /// When the first of them was, in microseconds since 1970.
    pub first_at: i64,
    /// When the last of them was, in microseconds since 1970.
    pub last_at: i64,
    /// How many of them no event of the trail speaks of yet.
    pub unreported: i64,
    /// When an event last spoke of them, in microseconds since 1970.
    pub reported_at: Option<i64>,
}

impl Snapshot<'_> {
    /// The failures of that subject.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sign_in_failures(&mut self, subject: &[u8; 32]) -> Result<Option<SignInFailures>, StoreError> {
        Ok(sign_in_failures::table
            .filter(sign_in_failures::subject.eq(&subject[..]))
            .select((
                sign_in_failures::failures,
                sign_in_failures::first_at,
                sign_in_failures::last_at,
                sign_in_failures::unreported,
                sign_in_failures::reported_at,
            ))
            .first(self.connection)
            .optional()?)
    }
}

impl Transaction<'_> {
    /// Counts one more failure of that subject, alone or beside others that do the same at the same moment; one that
    /// is `to_report` waits for an event that speaks of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count_sign_in_failure(
        &mut self,
        subject: &[u8; 32],
        to_report: bool,
        now: Instant,
    ) -> Result<(), StoreError> {
        self.add_to_sign_in_failures(subject, 1, i64::from(to_report), now)
    }

    /// Notes a failure of that subject which an event has to speak of, but which is counted elsewhere.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_sign_in_failure(&mut self, subject: &[u8; 32], now: Instant) -> Result<(), StoreError> {
        self.add_to_sign_in_failures(subject, 0, 1, now)
    }

    fn add_to_sign_in_failures(
        &mut self,
        subject: &[u8; 32],
        failures: i64,
        unreported: i64,
        now: Instant,
    ) -> Result<(), StoreError> {
        if self.add_again(subject, failures, unreported, now)? == 0 {
            let first = diesel::insert_into(sign_in_failures::table).values((
                sign_in_failures::subject.eq(&subject[..]),
                sign_in_failures::failures.eq(failures),
                sign_in_failures::first_at.eq(now.as_micros()),
                sign_in_failures::last_at.eq(now.as_micros()),
                sign_in_failures::unreported.eq(unreported),
            ));
            // A transaction of its own: on PostgreSQL an insert that fails would take the whole outer one with it.
            let inserted = self.connection.transaction(|connection| first.execute(connection));
            match inserted.map_err(StoreError::from) {
                Err(StoreError::Exists) => self.add_again(subject, failures, unreported, now)?,
                other => other?,
            };
        }
        Ok(())
    }

    fn add_again(
        &mut self,
        subject: &[u8; 32],
        failures: i64,
        unreported: i64,
        now: Instant,
    ) -> Result<usize, StoreError> {
        Ok(diesel::update(sign_in_failures::table.filter(sign_in_failures::subject.eq(&subject[..])))
            .set((
                sign_in_failures::failures.eq(sign_in_failures::failures + failures),
                sign_in_failures::last_at.eq(now.as_micros()),
                sign_in_failures::unreported.eq(sign_in_failures::unreported + unreported),
            ))
            .execute(self.connection)?)
    }

    /// Notes that an event of the trail now speaks of all failures of that subject.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sign_in_failures_reported(&mut self, subject: &[u8; 32], now: Instant) -> Result<(), StoreError> {
        diesel::update(sign_in_failures::table.filter(sign_in_failures::subject.eq(&subject[..])))
            .set((sign_in_failures::unreported.eq(0), sign_in_failures::reported_at.eq(now.as_micros())))
            .execute(self.connection)?;
        Ok(())
    }

    /// Begins to count anew for that subject; what no event speaks of yet still waits for one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reset_sign_in_failures(&mut self, subject: &[u8; 32], now: Instant) -> Result<(), StoreError> {
        diesel::update(sign_in_failures::table.filter(sign_in_failures::subject.eq(&subject[..])))
            .set((sign_in_failures::failures.eq(0), sign_in_failures::first_at.eq(now.as_micros())))
            .execute(self.connection)?;
        Ok(())
    }

    /// Forgets subjects that failed last before that instant, and the longest quiet ones of too many; but none of which
    /// an event has yet to speak.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_old_sign_in_failures(&mut self, quiet_since: Instant) -> Result<(), StoreError> {
        let last_to_go: Option<i64> = sign_in_failures::table
            .order(sign_in_failures::last_at.desc())
            .offset(MOST_SUBJECTS)
            .select(sign_in_failures::last_at)
            .first(self.connection)
            .optional()?;
        let last_to_go = last_to_go.unwrap_or(i64::MIN).max(quiet_since.as_micros());
        let old = sign_in_failures::last_at.le(last_to_go).and(sign_in_failures::unreported.eq(0));
        diesel::delete(sign_in_failures::table.filter(old)).execute(self.connection)?;
        Ok(())
    }
    /// Forgets all about a subject.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_sign_in_failures(&mut self, subject: &[u8; 32]) -> Result<(), StoreError> {
        diesel::delete(sign_in_failures::table.filter(sign_in_failures::subject.eq(&subject[..])))
            .execute(self.connection)?;
        Ok(())
    }
}
