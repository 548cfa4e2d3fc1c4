//! Service accounts.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::service_accounts;
use super::{Snapshot, Transaction, read_back};
use crate::domain::ids::{CompanyId, ServiceAccountId};
use crate::domain::instant::Instant;
use crate::domain::name::ServiceAccountName;

impl Snapshot<'_> {
    /// The service account of that name in a company, compared as names are, in the spelling it has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn service_account_by_name(
        &mut self,
        company_id: CompanyId,
        folded: &str,
    ) -> Result<Option<(ServiceAccountId, String)>, StoreError> {
        let row: Option<(String, String)> = service_accounts::table
            .filter(service_accounts::company_id.eq(company_id.to_string()))
            .filter(service_accounts::name_folded.eq(folded))
            .select((service_accounts::id, service_accounts::name))
            .first(self.connection)
            .optional()?;
        row.map(|(id, name)| Ok((read_back("service account id", ServiceAccountId::parse(&id))?, name))).transpose()
    }
}

impl Transaction<'_> {
    /// Adds a service account.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where the name is taken.
    pub fn insert_service_account(
        &mut self,
        company_id: CompanyId,
        id: ServiceAccountId,
        name: &ServiceAccountName,
        now: Instant,
    ) -> Result<(), StoreError> {
        diesel::insert_into(service_accounts::table)
            .values((
                service_accounts::id.eq(id.to_string()),
                service_accounts::company_id.eq(company_id.to_string()),
                service_accounts::name.eq(name.as_str()),
                service_accounts::name_folded.eq(name.folded()),
                service_accounts::created_at.eq(now.as_micros()),
            ))
            .execute(self.connection)?;
        Ok(())
    }
    /// Gives a service account another name; the old one is free then.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where the name is taken.
    pub fn rename_service_account(
        &mut self,
        company_id: CompanyId,
        id: ServiceAccountId,
        name: &ServiceAccountName,
    ) -> Result<(), StoreError> {
        let account = service_accounts::table
            .filter(service_accounts::company_id.eq(company_id.to_string()))
            .filter(service_accounts::id.eq(id.to_string()));
        diesel::update(account)
            .set((service_accounts::name.eq(name.as_str()), service_accounts::name_folded.eq(name.folded())))
            .execute(self.connection)?;
        Ok(())
    }
}
