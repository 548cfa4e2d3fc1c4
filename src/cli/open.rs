//! Opens what a command works on.

use super::error::CliError;
use crate::actions::Actions;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::ids::CompanyId;
use crate::domain::text::normalize;
use crate::server;
use crate::store::{Company, Store, StoreError};

/// Opens the configured installation.
pub(super) fn open(settings: Settings) -> Result<Actions, CliError> {
    Ok(server::open(&settings.check()?, &Clock::system())?)
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
    found.ok_or_else(|| {
        CliError(format!("There is no company “{name_or_id}”. Add it with: keydesk company add --name NAME"))
    })
}
