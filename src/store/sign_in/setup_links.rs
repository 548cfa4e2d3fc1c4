//! The links that open set-up, by the digest of their token. They are not in the audit trail.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::timestamp::Timestamp;
use crate::domain::token::TokenDigest;
use crate::store::db::{ReadWrite, SetupLinks};
use crate::store::error::StoreError;
use crate::store::schema::setup_links;

impl<A> SetupLinks<'_, A> {
    /// Whether a link with this token was renewed after this time.
    #[instrument(name = "db.setup_links.exists", level = "debug", skip_all)]
    pub fn exists(&mut self, token_digest: &TokenDigest, renewed_after: Timestamp) -> Result<bool, StoreError> {
        let link = setup_links::table
            .filter(setup_links::token_digest.eq(token_digest))
            .filter(setup_links::renewed_at.gt(renewed_after));
        Ok(diesel::select(diesel::dsl::exists(link)).get_result(self.connection)?)
    }
}

impl SetupLinks<'_, ReadWrite> {
    /// Stores or renews a link, and deletes those that were not renewed since `oldest`.
    #[instrument(name = "db.setup_links.renew", level = "debug", skip_all)]
    pub fn renew(&mut self, token_digest: &TokenDigest, now: Timestamp, oldest: Timestamp) -> Result<(), StoreError> {
        diesel::delete(setup_links::table.filter(setup_links::renewed_at.le(oldest))).execute(self.connection)?;
        self.delete(token_digest)?;
        diesel::insert_into(setup_links::table)
            .values((setup_links::token_digest.eq(token_digest), setup_links::renewed_at.eq(now)))
            .execute(self.connection)?;
        Ok(())
    }

    #[instrument(name = "db.setup_links.delete", level = "debug", skip_all)]
    pub fn delete(&mut self, token_digest: &TokenDigest) -> Result<(), StoreError> {
        let link = setup_links::table.filter(setup_links::token_digest.eq(token_digest));
        diesel::delete(link).execute(self.connection)?;
        Ok(())
    }

    #[instrument(name = "db.setup_links.delete_all", level = "debug", skip_all)]
    pub fn delete_all(&mut self) -> Result<(), StoreError> {
        diesel::delete(setup_links::table).execute(self.connection)?;
        Ok(())
    }
}
