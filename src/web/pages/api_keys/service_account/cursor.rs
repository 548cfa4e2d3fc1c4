//! Cursors of the keys of a service account.

use crate::domain::ids::KeyId;
use crate::store::AccountKeysRequest;

/// Returns the cursor of the page that starts after this key.
pub fn after(id: KeyId) -> String {
    format!("a{id}")
}

/// Returns the cursor of the page that ends before this key.
pub fn before(id: KeyId) -> String {
    format!("b{id}")
}

/// Decodes a cursor. Returns `None` for any other text.
pub fn decode(cursor: &str) -> Option<AccountKeysRequest> {
    let (direction, id) = cursor.split_at_checked(1)?;
    let id = KeyId::parse(id)?;
    match direction {
        "a" => Some(AccountKeysRequest::OlderThan(id)),
        "b" => Some(AccountKeysRequest::NewerThan(id)),
        _ => None,
    }
}
