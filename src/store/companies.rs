//! Companies and their settings.

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::CompanyId;
use crate::domain::policy::key_policy::{Days, KeyPolicy};
use crate::domain::policy::reasons::{PolicyReason, PolicyReasons};
use crate::domain::text::collation;
use crate::domain::text::name::CompanyName;
use crate::domain::timestamp::Timestamp;
use crate::store::db::{Companies, ReadWrite};
use crate::store::error::StoreError;
use crate::store::prepared::on_driver;
use crate::store::schema::companies;

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = companies)]
pub struct Company {
    pub id: CompanyId,
    pub name: String,
}

/// The settings that a company's admins decide on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanySettings {
    pub name: String,
    /// Admins of the company must have a second factor.
    pub require_second_factor: bool,
    pub key_policy: KeyPolicy,
    pub reasons: PolicyReasons,
}

impl<A> Companies<'_, A> {
    /// Returns the company with this case-folded name.
    #[instrument(name = "db.companies.by_name", level = "debug", skip_all)]
    pub fn by_name(&mut self, case_folded: &str) -> Result<Option<Company>, StoreError> {
        Ok(companies::table
            .filter(companies::name_folded.eq(case_folded))
            .select(Company::as_select())
            .first(self.connection)
            .optional()?)
    }

    #[instrument(name = "db.companies.by_id", level = "debug", skip_all)]
    pub fn by_id(&mut self, id: CompanyId) -> Result<Option<Company>, StoreError> {
        Ok(companies::table
            .filter(companies::id.eq(id))
            .select(Company::as_select())
            .first(self.connection)
            .optional()?)
    }

    #[instrument(name = "db.companies.settings", level = "debug", skip_all)]
    pub fn settings(&mut self, id: CompanyId) -> Result<CompanySettings, StoreError> {
        type Periods = (Option<Days>, Option<Days>, Option<Days>, Option<Days>);
        type Reasons = (Option<String>, Option<String>, Option<String>, Option<String>);
        type Row = (String, bool, Periods, Reasons);
        let settings = companies::table.filter(companies::id.eq(id)).select((
            companies::name,
            companies::require_second_factor,
            (
                companies::default_expiry_days,
                companies::maximum_lifetime_days,
                companies::rotation_period_days,
                companies::idle_end_days,
            ),
            (
                companies::default_expiry_reason,
                companies::maximum_lifetime_reason,
                companies::rotation_period_reason,
                companies::idle_end_reason,
            ),
        ));
        let (name, require_second_factor, periods, reasons): Row =
            on_driver!(self.connection, |driver| settings.first(driver))?;
        let (default_expiry, maximum_lifetime, rotation_period, idle_end) = periods;
        let key_policy = KeyPolicy { default_expiry, maximum_lifetime, rotation_period, idle_end };
        let reason = |text: Option<String>| text.map(PolicyReason::stored);
        let reasons = PolicyReasons {
            default_expiry: reason(reasons.0),
            maximum_lifetime: reason(reasons.1),
            rotation_period: reason(reasons.2),
            idle_end: reason(reasons.3),
        };
        Ok(CompanySettings { name, require_second_factor, key_policy, reasons })
    }

    /// Returns how often the settings were changed.
    #[instrument(name = "db.companies.version", level = "debug", skip_all)]
    pub fn version(&mut self, id: CompanyId) -> Result<i64, StoreError> {
        Ok(companies::table.filter(companies::id.eq(id)).select(companies::version).first(self.connection)?)
    }

    /// Returns the companies whose idle keys end, and after how many days.
    #[instrument(name = "db.companies.with_idle_end", level = "debug", skip_all)]
    pub fn with_idle_end(&mut self) -> Result<Vec<(CompanyId, Days)>, StoreError> {
        Ok(companies::table
            .filter(companies::idle_end_days.is_not_null())
            .select((companies::id, companies::idle_end_days.assume_not_null()))
            .load(self.connection)?)
    }

    /// Returns all companies, by name.
    #[instrument(name = "db.companies.all", level = "debug", skip_all)]
    pub fn all(&mut self) -> Result<Vec<Company>, StoreError> {
        let mut all: Vec<Company> = companies::table.select(Company::as_select()).load(self.connection)?;
        all.sort_by_cached_key(|company| (collation::sort_key(&company.name), company.id));
        Ok(all)
    }
}

impl Companies<'_, ReadWrite> {
    /// Inserts a company, whose trail exists already.
    #[instrument(name = "db.companies.insert", level = "debug", skip_all)]
    pub fn insert(&mut self, id: CompanyId, name: &CompanyName, now: Timestamp) -> Result<(), StoreError> {
        diesel::insert_into(companies::table)
            .values((
                companies::id.eq(id),
                companies::name.eq(name.as_str()),
                companies::name_folded.eq(name.case_folded()),
                companies::created_at.eq(now),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    /// Changes the settings of a company, and its name if there is a new one.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if another company has the name.
    #[instrument(name = "db.companies.update", level = "debug", skip_all)]
    pub fn update(
        &mut self,
        id: CompanyId,
        name: Option<&CompanyName>,
        settings: &CompanySettings,
    ) -> Result<(), StoreError> {
        let CompanySettings { key_policy, reasons, .. } = settings;
        let text = |reason: &Option<PolicyReason>| reason.as_ref().map(|reason| reason.as_str().to_owned());
        diesel::update(companies::table.filter(companies::id.eq(id)))
            .set((
                name.map(|name| (companies::name.eq(name.as_str()), companies::name_folded.eq(name.case_folded()))),
                companies::require_second_factor.eq(settings.require_second_factor),
                companies::default_expiry_days.eq(key_policy.default_expiry),
                companies::maximum_lifetime_days.eq(key_policy.maximum_lifetime),
                companies::rotation_period_days.eq(key_policy.rotation_period),
                companies::default_expiry_reason.eq(text(&reasons.default_expiry)),
                companies::maximum_lifetime_reason.eq(text(&reasons.maximum_lifetime)),
                companies::rotation_period_reason.eq(text(&reasons.rotation_period)),
                companies::idle_end_days.eq(key_policy.idle_end),
                companies::idle_end_reason.eq(text(&reasons.idle_end)),
                companies::version.eq(companies::version + 1),
            ))
            .execute(self.connection)?;
        Ok(())
    }
}
