//! Submitted forms that created a key, so that a form sent twice creates one. They are not in the audit trail.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::key::submission::SubmissionId;
use crate::domain::timestamp::Timestamp;
use crate::store::db::{ReadWrite, Submissions};
use crate::store::error::StoreError;
use crate::store::prepared::on_driver;
use crate::store::schema::submissions;

impl<A> Submissions<'_, A> {
    /// Whether the form was submitted successfully before.
    #[instrument(name = "db.submissions.is_used", level = "debug", skip_all)]
    pub fn is_used(&mut self, id: SubmissionId) -> Result<bool, StoreError> {
        let used = submissions::table.filter(submissions::id.eq(id));
        let is_used = diesel::select(diesel::dsl::exists(used));
        Ok(on_driver!(self.connection, |driver| is_used.get_result(driver))?)
    }
}

impl Submissions<'_, ReadWrite> {
    /// Stores that the form was submitted, and deletes submissions before `oldest`, whose forms have expired.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if the form was submitted before.
    #[instrument(name = "db.submissions.mark_used", level = "debug", skip_all)]
    pub fn mark_used(&mut self, id: SubmissionId, now: Timestamp, oldest: Timestamp) -> Result<(), StoreError> {
        let expired = diesel::delete(submissions::table.filter(submissions::used_at.lt(oldest)));
        on_driver!(self.connection, |driver| expired.execute(driver))?;
        let insert =
            diesel::insert_into(submissions::table).values((submissions::id.eq(id), submissions::used_at.eq(now)));
        on_driver!(self.connection, |driver| insert.execute(driver))?;
        Ok(())
    }
}
