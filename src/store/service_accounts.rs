//! Service accounts.

use std::collections::HashMap;

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, ServiceAccountId};
use crate::domain::key::account_details::{Contact, Department, DetailsEdit, Purpose};
use crate::domain::text::name::ServiceAccountName;
use crate::domain::text::{collation, normalize};
use crate::domain::timestamp::Timestamp;
use crate::store::connection::AnyConnection;
use crate::store::db::{ReadWrite, ServiceAccounts};
use crate::store::error::StoreError;
use crate::store::prepared::on_driver;
use crate::store::schema::service_accounts;

/// A service account as its page shows it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = service_accounts)]
pub struct ServiceAccountRecord {
    pub id: ServiceAccountId,
    pub name: String,
    pub created_at: Timestamp,
    /// Empty if not given, like the department and the contact.
    pub purpose: String,
    pub department: String,
    pub contact: String,
}

impl<A> ServiceAccounts<'_, A> {
    /// Returns a service account of the company; `None` also for one of another company.
    #[instrument(name = "db.service_accounts.by_id", level = "debug", skip_all)]
    pub fn by_id(
        &mut self,
        company_id: CompanyId,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccountRecord>, StoreError> {
        let account = service_accounts::table
            .filter(service_accounts::company_id.eq(company_id))
            .filter(service_accounts::id.eq(id))
            .select(ServiceAccountRecord::as_select());
        Ok(account.first(self.connection).optional()?)
    }

    /// Returns the service account of a company with this case-folded name, and its name as stored.
    #[instrument(name = "db.service_accounts.by_name", level = "debug", skip_all)]
    pub fn by_name(
        &mut self,
        company_id: CompanyId,
        case_folded: &str,
    ) -> Result<Option<(ServiceAccountId, String)>, StoreError> {
        let account = service_accounts::table
            .filter(service_accounts::company_id.eq(company_id))
            .filter(service_accounts::name_folded.eq(case_folded))
            .select((service_accounts::id, service_accounts::name));
        Ok(on_driver!(self.connection, |driver| account.first(driver)).optional()?)
    }

    /// Returns the service accounts of a company with these case-folded names, and their names as stored, by case-folded
    /// name.
    #[instrument(name = "db.service_accounts.by_names", level = "debug", skip_all)]
    pub fn by_names(
        &mut self,
        company_id: CompanyId,
        case_folded: &[String],
    ) -> Result<HashMap<String, (ServiceAccountId, String)>, StoreError> {
        let rows: Vec<(String, ServiceAccountId, String)> = service_accounts::table
            .filter(service_accounts::company_id.eq(company_id))
            .filter(service_accounts::name_folded.eq_any(case_folded))
            .select((service_accounts::name_folded, service_accounts::id, service_accounts::name))
            .load(self.connection)?;
        Ok(rows.into_iter().map(|(folded, id, name)| (folded, (id, name))).collect())
    }
}

#[derive(Insertable)]
#[diesel(table_name = service_accounts)]
struct NewAccountRow {
    id: ServiceAccountId,
    company_id: CompanyId,
    name: String,
    name_folded: String,
    name_search: String,
    name_sort_key: Vec<u8>,
    created_at: Timestamp,
}

impl NewAccountRow {
    fn new(company_id: CompanyId, id: ServiceAccountId, name: &ServiceAccountName, now: Timestamp) -> Self {
        Self {
            id,
            company_id,
            name: name.as_str().to_owned(),
            name_folded: name.case_folded(),
            name_search: normalize::search_folded(name.as_str()),
            name_sort_key: collation::sort_key(name.as_str()),
            created_at: now,
        }
    }
}

#[derive(AsChangeset)]
#[diesel(table_name = service_accounts)]
struct ChangedDetails<'a> {
    purpose: Option<&'a str>,
    purpose_search: Option<String>,
    department: Option<&'a str>,
    contact: Option<&'a str>,
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
        let row = NewAccountRow::new(company_id, id, name, now);
        let insert = diesel::insert_into(service_accounts::table).values(row);
        on_driver!(self.connection, |driver| insert.execute(driver))?;
        Ok(())
    }

    /// Inserts service accounts, on PostgreSQL with one statement.
    #[instrument(name = "db.service_accounts.insert_all", level = "debug", skip_all)]
    pub fn insert_all(
        &mut self,
        company_id: CompanyId,
        accounts: &[(ServiceAccountId, &ServiceAccountName)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let AnyConnection::Postgres(postgres) = &mut *self.connection else {
            return accounts.iter().try_for_each(|(id, name)| self.insert(company_id, *id, name, now));
        };
        let row = |(id, name): &(ServiceAccountId, &ServiceAccountName)| NewAccountRow::new(company_id, *id, name, now);
        let rows: Vec<NewAccountRow> = accounts.iter().map(row).collect();
        diesel::insert_into(service_accounts::table).values(rows).execute(postgres)?;
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

    /// Stores the details of a service account that an edit gives.
    #[instrument(name = "db.service_accounts.edit_details", level = "debug", skip_all)]
    pub fn edit_details(
        &mut self,
        company_id: CompanyId,
        id: ServiceAccountId,
        edit: &DetailsEdit,
    ) -> Result<(), StoreError> {
        let account = service_accounts::table
            .filter(service_accounts::company_id.eq(company_id))
            .filter(service_accounts::id.eq(id));
        let details = ChangedDetails {
            purpose: edit.purpose.as_ref().map(Purpose::as_str),
            purpose_search: edit.purpose.as_ref().map(|purpose| normalize::search_folded(purpose.as_str())),
            department: edit.department.as_ref().map(Department::as_str),
            contact: edit.contact.as_ref().map(Contact::as_str),
        };
        diesel::update(account)
            .set((service_accounts::version.eq(service_accounts::version + 1), details))
            .execute(self.connection)?;
        Ok(())
    }
}
