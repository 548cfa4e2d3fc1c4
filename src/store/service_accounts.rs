//! Service accounts.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, ServiceAccountId};
use crate::domain::text::name::ServiceAccountName;
use crate::domain::text::{collation, normalize};
use crate::domain::timestamp::Timestamp;
use crate::store::db::{ReadWrite, ServiceAccounts};
use crate::store::error::StoreError;
use crate::store::schema::service_accounts;

impl<A> ServiceAccounts<'_, A> {
    /// Returns the service account of a company with this case-folded name, and its name as stored.
    #[instrument(name = "db.service_accounts.by_name", level = "debug", skip_all)]
    pub fn by_name(
        &mut self,
        company_id: CompanyId,
        case_folded: &str,
    ) -> Result<Option<(ServiceAccountId, String)>, StoreError> {
        Ok(service_accounts::table
            .filter(service_accounts::company_id.eq(company_id))
            .filter(service_accounts::name_folded.eq(case_folded))
            .select((service_accounts::id, service_accounts::name))
            .first(self.connection)
            .optional()?)
    }
}

impl ServiceAccounts<'_, ReadWrite> {
    /// # Errors
    /// [`StoreError::Exists`] if the name is taken.
    #[instrument(name = "db.service_accounts.insert", level = "debug", skip_all)]
    pub fn insert(
        &mut self,
        company_id: CompanyId,
        id: ServiceAccountId,
        name: &ServiceAccountName,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(service_accounts::table)
            .values((
                service_accounts::id.eq(id),
                service_accounts::company_id.eq(company_id),
                service_accounts::name.eq(name.as_str()),
                service_accounts::name_folded.eq(name.case_folded()),
                service_accounts::name_search.eq(normalize::search_folded(name.as_str())),
                service_accounts::name_sort_key.eq(collation::sort_key(name.as_str())),
                service_accounts::created_at.eq(now),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Renames a service account. Its old name is free afterwards.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if the name is taken.
    #[instrument(name = "db.service_accounts.rename", level = "debug", skip_all)]
    pub fn rename(
        &mut self,
        company_id: CompanyId,
        id: ServiceAccountId,
        name: &ServiceAccountName,
    ) -> Result<(), StoreError> {
        let account = service_accounts::table
            .filter(service_accounts::company_id.eq(company_id))
            .filter(service_accounts::id.eq(id));
        diesel::update(account)
            .set((
                service_accounts::name.eq(name.as_str()),
                service_accounts::name_folded.eq(name.case_folded()),
                service_accounts::version.eq(service_accounts::version + 1),
                service_accounts::name_search.eq(normalize::search_folded(name.as_str())),
                service_accounts::name_sort_key.eq(collation::sort_key(name.as_str())),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
