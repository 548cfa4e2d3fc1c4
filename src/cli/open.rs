//! Opens what a command works on.

use super::error::CliError;
use crate::actions::Actions;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::ids::CompanyId;
use crate::domain::text::escape::Quoted;
use crate::domain::text::normalize;
use crate::domain::user::email::EmailAddress;
use crate::server::{self, ReadOnlyInstallation};
use crate::store::{Company, Db, Store, StoreError, User};

/// The most companies that an error names.
const MAX_LISTED_COMPANIES: usize = 20;

/// Opens the configured installation, and creates what is missing.
pub(super) fn open(settings: Settings) -> Result<Actions, CliError> {
    Ok(server::open(&settings.check()?, &Clock::system())?)
}

/// Opens the configured installation for a command that changes nothing.
pub(super) fn open_read_only(settings: Settings) -> Result<ReadOnlyInstallation, CliError> {
    Ok(server::open_read_only(&settings.check()?, &Clock::system())?)
}

/// The company that a command works on.
#[derive(Debug, clap::Args)]
pub(super) struct CompanySelector {
    /// The company, by name or id; not needed if there is only one
    #[arg(long)]
    company: Option<String>,
}

impl CompanySelector {
    pub(super) fn find(&self, store: &Store) -> Result<Company, CliError> {
        if let Some(company) = &self.company {
            return find_company(store, company);
        }
        let mut companies = store.query(|db| db.companies().all())?;
        match companies.len() {
            0 => Err("There is no company yet. Add it with: keydesk company add --name NAME".into()),
            1 => Ok(companies.remove(0)),
            count => {
                let listed =
                    companies.iter().take(MAX_LISTED_COMPANIES).map(|company| Quoted(&company.name).to_string());
                let more = if count > MAX_LISTED_COMPANIES { ", …" } else { "" };
                let listed = listed.collect::<Vec<_>>().join(", ");
                Err(CliError(format!("There are {count} companies: {listed}{more}. Name one with --company.")))
            }
        }
    }
}

/// Finds a company by name or id.
pub(super) fn find_company(store: &Store, name_or_id: &str) -> Result<Company, CliError> {
    let found = store.read(|db| {
        let by_id = CompanyId::parse(name_or_id).map(|id| db.companies().by_id(id)).transpose()?.flatten();
        match by_id {
            None => db.companies().by_name(&normalize::case_folded(name_or_id)),
            found => Ok::<_, StoreError>(found),
        }
    })?;
    let unknown =
        || CliError(format!("There is no company {}. List them with: keydesk company list", Quoted(name_or_id)));
    found.ok_or_else(unknown)
}

/// Finds the user with an email address, in one company or in any.
pub(super) fn find_user(store: &Store, email: &str, company: Option<&Company>) -> Result<User, CliError> {
    let address = EmailAddress::parse(email)?;
    let found = store.read(|db| user_by_email(db, &address))?;
    let is_in_company = |user: &User| company.is_none_or(|company| company.id == user.company_id);
    let unknown = || CliError(format!("No user has the email address {}. Check the spelling.", Quoted(email)));
    found.filter(is_in_company).ok_or_else(unknown)
}

/// Returns the user with an email address.
pub(super) fn user_by_email(db: &mut Db<'_>, email: &EmailAddress) -> Result<Option<User>, StoreError> {
    match db.users().credentials(&email.case_folded())? {
        Some(known) => db.users().by_id(known.company_id, known.user_id),
        None => Ok(None),
    }
}
