//! Companies.

use diesel::prelude::*;

use super::error::StoreError;
use super::schema::companies;
use super::{Snapshot, Transaction, read_back};
use crate::domain::ids::CompanyId;
use crate::domain::instant::Instant;
use crate::domain::key_policy::{Days, KeyPolicy};
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
    /// What it asks of its keys.
    pub key_policy: KeyPolicy,
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
        type Row = (String, bool, Option<i32>, Option<i32>, Option<i32>);
        let (name, require_second_factor, default_expiry, maximum_lifetime, rotation_period): Row = companies::table
            .filter(companies::id.eq(id.to_string()))
            .select((
                companies::name,
                companies::require_second_factor,
                companies::default_expiry_days,
                companies::maximum_lifetime_days,
                companies::rotation_period_days,
            ))
            .first(self.connection)?;
        let days = |days: Option<i32>| days.map(|days| read_back("period", Days::new(days))).transpose();
        let key_policy = KeyPolicy {
            default_expiry: days(default_expiry)?,
            maximum_lifetime: days(maximum_lifetime)?,
            rotation_period: days(rotation_period)?,
        };
        Ok(CompanySettings { name, require_second_factor, key_policy })
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
        key_policy: &KeyPolicy,
    ) -> Result<(), StoreError> {
        let days = |days: Option<Days>| days.map(|days| i32::from(days.count()));
        diesel::update(companies::table.filter(companies::id.eq(id.to_string())))
            .set((
                companies::name.eq(name.as_str()),
                companies::name_folded.eq(name.folded()),
                companies::require_second_factor.eq(require_second_factor),
                companies::default_expiry_days.eq(days(key_policy.default_expiry)),
                companies::maximum_lifetime_days.eq(days(key_policy.maximum_lifetime)),
                companies::rotation_period_days.eq(days(key_policy.rotation_period)),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
