//! Companies.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::companies;
use super::{Snapshot, Transaction, read_back};
use crate::domain::ids::CompanyId;
use crate::domain::instant::Instant;
use crate::domain::name::CompanyName;

/// A company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// Its name, as typed.
    pub name: String,
}

/// What a company's admins decide for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanySettings {
    /// Its name, as typed.
    pub name: String,
    /// Its admins must have a second factor.
    pub require_second_factor: bool,
}

impl Snapshot<'_> {
    /// The company of that name, compared as names are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn company_by_name(&mut self, folded: &str) -> Result<Option<Company>, StoreError> {
        let row = companies::table
            .filter(companies::name_folded.eq(folded))
            .select((companies::id, companies::name))
            .first(self.connection)
            .optional()?;
        row.map(company).transpose()
    }

    /// The company of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn company(&mut self, id: CompanyId) -> Result<Option<Company>, StoreError> {
        let row = companies::table
            .filter(companies::id.eq(id.to_string()))
            .select((companies::id, companies::name))
            .first(self.connection)
            .optional()?;
        row.map(company).transpose()
    }

    /// What the admins of a company decided.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn company_settings(&mut self, id: CompanyId) -> Result<CompanySettings, StoreError> {
        let (name, require_second_factor) = companies::table
            .filter(companies::id.eq(id.to_string()))
            .select((companies::name, companies::require_second_factor))
            .first(self.connection)?;
        Ok(CompanySettings { name, require_second_factor })
    }

    /// Every company, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn companies(&mut self) -> Result<Vec<Company>, StoreError> {
        let rows: Vec<(String, String)> = companies::table
            .order(companies::name_folded)
            .select((companies::id, companies::name))
            .load(self.connection)?;
        rows.into_iter().map(company).collect()
    }
}

fn company((id, name): (String, String)) -> Result<Company, StoreError> {
    Ok(Company { id: read_back("company id", CompanyId::parse(&id))?, name })
}

impl Transaction<'_> {
    /// Adds a company; its trail stands already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn insert_company(&mut self, id: CompanyId, name: &CompanyName, now: Instant) -> Result<(), StoreError> {
        diesel::insert_into(companies::table)
            .values((
                companies::id.eq(id.to_string()),
                companies::name.eq(name.as_str()),
                companies::name_folded.eq(name.folded()),
                companies::created_at.eq(now.as_micros()),
            ))
            .execute(self.connection)?;
        Ok(())
    }
    /// Gives a company another name and other rules.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where another company has the name.
    pub fn update_company(
        &mut self,
        id: CompanyId,
        name: &CompanyName,
        require_second_factor: bool,
    ) -> Result<(), StoreError> {
        diesel::update(companies::table.filter(companies::id.eq(id.to_string())))
            .set((
                companies::name.eq(name.as_str()),
                companies::name_folded.eq(name.folded()),
                companies::require_second_factor.eq(require_second_factor),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
