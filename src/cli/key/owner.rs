//! The owner of a key that a command creates.

use crate::cli::error::CliError;
use crate::cli::open::find_user;
use crate::domain::ids::UserId;
use crate::domain::text::escape::Quoted;
use crate::store::{Company, Store};

/// Returns the user of a company with this email address; without one, the admin of the company who was added first.
pub(super) fn find(store: &Store, company: &Company, email: Option<&str>) -> Result<UserId, CliError> {
    if let Some(email) = email {
        return Ok(find_user(store, email, Some(company))?.id);
    }
    let no_admin = || {
        CliError(format!(
            "{} has no administrator who could own the key. Name a user with --owner, or add one with: keydesk user add",
            Quoted(&company.name)
        ))
    };
    store.query(|db| db.users().first_admin(company.id))?.ok_or_else(no_admin)
}
