//! The search and sort keys of stored names and purposes. A new version of their rules computes all of them again.

use diesel::prelude::*;

use crate::domain::text::collation::{self, NAME_KEYS_VERSION};
use crate::domain::text::normalize;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::schema::{name_keys, service_accounts, users};

/// The number of names that one query reads.
const BATCH_SIZE: i64 = 1_000;

/// Whether the stored keys are those of this version.
pub(super) fn are_current(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    let stored: String = name_keys::table.select(name_keys::version).first(connection)?;
    Ok(stored == NAME_KEYS_VERSION)
}

/// Computes the keys of all names, in one transaction, unless the database has those of this version.
pub(super) fn refresh(connection: &mut AnyConnection) -> Result<(), StoreError> {
    if are_current(connection)? {
        return Ok(());
    }
    connection.begin(ConnectionPurpose::Write)?;
    let result = compute_all(connection).and_then(|()| connection.commit());
    if result.is_err() {
        connection.roll_back();
    }
    result
}

fn compute_all(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let mut last = String::new();
    loop {
        let accounts: Vec<(String, String, String)> = service_accounts::table
            .filter(service_accounts::id.gt(&last))
            .order(service_accounts::id)
            .limit(BATCH_SIZE)
            .select((service_accounts::id, service_accounts::name, service_accounts::purpose))
            .load(connection)?;
        for (id, name, purpose) in &accounts {
            diesel::update(service_accounts::table.filter(service_accounts::id.eq(id)))
                .set((
                    service_accounts::name_search.eq(normalize::search_folded(name)),
                    service_accounts::name_sort_key.eq(collation::sort_key(name)),
                    service_accounts::purpose_search.eq(normalize::search_folded(purpose)),
                ))
                .execute(connection)?;
        }
        match accounts.into_iter().next_back() {
            Some((id, ..)) => last = id,
            None => break,
        }
    }
    let users: Vec<(String, Option<String>)> =
        users::table.filter(users::name.is_not_null()).select((users::id, users::name)).load(connection)?;
    for (id, name) in users {
        diesel::update(users::table.filter(users::id.eq(id)))
            .set((
                users::name_sort_key.eq(name.as_deref().map(collation::sort_key)),
                users::name_search.eq(name.as_deref().map(normalize::search_folded)),
            ))
            .execute(connection)?;
    }
    diesel::update(name_keys::table).set(name_keys::version.eq(NAME_KEYS_VERSION)).execute(connection)?;
    Ok(())
}
