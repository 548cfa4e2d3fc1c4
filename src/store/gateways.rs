//! Gateways: clients that may introspect keys, by the digests of their credentials.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::GatewayId;
use crate::domain::text::name::GatewayName;
use crate::domain::timestamp::Timestamp;
use crate::domain::token::TokenDigest;
use crate::store::db::{Gateways, ReadWrite};
use crate::store::error::StoreError;
use crate::store::schema::gateways;

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = gateways)]
pub struct Gateway {
    pub id: GatewayId,
    pub name: String,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

impl<A> Gateways<'_, A> {
    /// Returns the gateway with this credential, unless it is revoked.
    pub fn by_credential(&mut self, credential: &TokenDigest) -> Result<Option<Gateway>, StoreError> {
        Ok(gateways::table
            .filter(gateways::credential_digest.eq(credential))
            .filter(gateways::revoked_at.is_null())
            .select(Gateway::as_select())
            .first(self.connection)
            .optional()?)
    }

    /// Returns the gateway with this case-folded name, unless it is revoked.
    #[instrument(name = "db.gateways.by_name", level = "debug", skip_all)]
    pub fn by_name(&mut self, case_folded: &str) -> Result<Option<Gateway>, StoreError> {
        Ok(gateways::table
            .filter(gateways::name_folded.eq(case_folded))
            .filter(gateways::revoked_at.is_null())
            .select(Gateway::as_select())
            .first(self.connection)
            .optional()?)
    }

    /// Returns all gateways, revoked ones included, the oldest first.
    #[instrument(name = "db.gateways.all", level = "debug", skip_all)]
    pub fn all(&mut self) -> Result<Vec<Gateway>, StoreError> {
        Ok(gateways::table
            .order((gateways::created_at, gateways::id))
            .select(Gateway::as_select())
            .load(self.connection)?)
    }
}

impl Gateways<'_, ReadWrite> {
    /// # Errors
    /// [`StoreError::Exists`] if a gateway with this name is not revoked.
    #[instrument(name = "db.gateways.insert", level = "debug", skip_all)]
    pub fn insert(
        &mut self,
        id: GatewayId,
        name: &GatewayName,
        credential: &TokenDigest,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(gateways::table)
            .values((
                gateways::id.eq(id),
                gateways::name.eq(name.as_str()),
                gateways::name_folded.eq(name.case_folded()),
                gateways::credential_digest.eq(credential),
                gateways::created_at.eq(now),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    #[instrument(name = "db.gateways.revoke", level = "debug", skip_all)]
    pub fn revoke(&mut self, id: GatewayId, now: Timestamp) -> Result<(), StoreError> {
        diesel::update(gateways::table.filter(gateways::id.eq(id)))
            .set(gateways::revoked_at.eq(now))
            .execute(self.connection)?;
        Ok(())
    }
}
