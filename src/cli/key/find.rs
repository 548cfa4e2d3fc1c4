//! Finds the key that a command names.

use crate::cli::error::CliError;
use crate::domain::ids::KeyId;
use crate::domain::text::escape::Quoted;
use crate::store::{KeyRecord, Store};

/// Returns the key of any company with this id.
pub(super) fn find(store: &Store, id: &str) -> Result<KeyRecord, CliError> {
    let known = KeyId::parse(id).map(|id| store.query(|db| db.keys().find(id))).transpose()?.flatten();
    known.ok_or_else(|| CliError(format!("No API key has the id {}. List them with: keydesk key list", Quoted(id))))
}
