//! Forms that made a key, so that sending one again makes no second. Bookkeeping, no part of the trail.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::submissions;
use super::{Snapshot, Transaction};
use crate::domain::instant::Instant;
use crate::domain::submission::SubmissionId;

impl Snapshot<'_> {
    /// Whether a form was sent before, successfully.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn submission_was_used(&mut self, id: SubmissionId) -> Result<bool, StoreError> {
        let used: Option<i64> = submissions::table
            .filter(submissions::id.eq(&id.as_bytes()[..]))
            .select(submissions::used_at)
            .first(self.connection)
            .optional()?;
        Ok(used.is_some())
    }
}

impl Transaction<'_> {
    /// Notes that a form was sent, and forgets those sent before `good_since`: nobody can send them again.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where it was sent before.
    pub fn use_submission(&mut self, id: SubmissionId, now: Instant, good_since: Instant) -> Result<(), StoreError> {
        diesel::delete(submissions::table.filter(submissions::used_at.lt(good_since.as_micros())))
            .execute(self.connection)?;
        diesel::insert_into(submissions::table)
            .values((submissions::id.eq(&id.as_bytes()[..]), submissions::used_at.eq(now.as_micros())))
            .execute(self.connection)?;
        Ok(())
    }
}
