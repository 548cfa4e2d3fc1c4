//! Gateways: who may ask about keys by introspection, each by the digest of a credential.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::gateways;
use super::{Snapshot, Transaction, read_back};
use crate::domain::ids::GatewayId;
use crate::domain::instant::Instant;
use crate::domain::name::GatewayName;
use crate::domain::token::TokenDigest;

/// A gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its id.
    pub id: GatewayId,
    /// Its name, as given.
    pub name: String,
    /// When it was added.
    pub created_at: Instant,
    /// From when on it may ask no more.
    pub revoked_at: Option<Instant>,
}

type Row = (String, String, i64, Option<i64>);
const COLUMNS: (gateways::id, gateways::name, gateways::created_at, gateways::revoked_at) =
    (gateways::id, gateways::name, gateways::created_at, gateways::revoked_at);

fn gateway((id, name, created_at, revoked_at): Row) -> Result<Gateway, StoreError> {
    Ok(Gateway {
        id: read_back("gateway id", GatewayId::parse(&id))?,
        name,
        created_at: Instant::from_micros(created_at),
        revoked_at: revoked_at.map(Instant::from_micros),
    })
}

impl Snapshot<'_> {
    /// The gateway whose credential that is, where it may ask.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn gateway_by_credential(&mut self, credential: &TokenDigest) -> Result<Option<Gateway>, StoreError> {
        let row: Option<Row> = gateways::table
            .filter(gateways::credential_digest.eq(&credential.as_bytes()[..]))
            .filter(gateways::revoked_at.is_null())
            .select(COLUMNS)
            .first(self.connection)
            .optional()?;
        row.map(gateway).transpose()
    }

    /// The gateway of that name, compared as names are, that may ask.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn gateway_by_name(&mut self, folded: &str) -> Result<Option<Gateway>, StoreError> {
        let row: Option<Row> = gateways::table
            .filter(gateways::name_folded.eq(folded))
            .filter(gateways::revoked_at.is_null())
            .select(COLUMNS)
            .first(self.connection)
            .optional()?;
        row.map(gateway).transpose()
    }

    /// Every gateway, the revoked ones too, in the order in which they were added.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn gateways(&mut self) -> Result<Vec<Gateway>, StoreError> {
        let rows: Vec<Row> =
            gateways::table.order((gateways::created_at, gateways::id)).select(COLUMNS).load(self.connection)?;
        rows.into_iter().map(gateway).collect()
    }
}

impl Transaction<'_> {
    /// Adds a gateway.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where one of that name may ask already.
    pub fn insert_gateway(
        &mut self,
        id: GatewayId,
        name: &GatewayName,
        credential: &TokenDigest,
        now: Instant,
    ) -> Result<(), StoreError> {
        diesel::insert_into(gateways::table)
            .values((
                gateways::id.eq(id.to_string()),
                gateways::name.eq(name.as_str()),
                gateways::name_folded.eq(name.folded()),
                gateways::credential_digest.eq(&credential.as_bytes()[..]),
                gateways::created_at.eq(now.as_micros()),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Lets a gateway ask no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn revoke_gateway(&mut self, id: GatewayId, now: Instant) -> Result<(), StoreError> {
        diesel::update(gateways::table.filter(gateways::id.eq(id.to_string())))
            .set(gateways::revoked_at.eq(now.as_micros()))
            .execute(self.connection)?;
        Ok(())
    }
}
