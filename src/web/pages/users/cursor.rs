//! Cursors of the users list: opaque strings in links that mark where a page starts.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::domain::ids::UserId;
use crate::store::{User, UserCursorPosition, UserPageRequest};

/// Returns the cursor of the page that starts after this user.
pub fn after(user: &User) -> String {
    encode('a', user)
}

/// Returns the cursor of the page that ends before this user.
pub fn before(user: &User) -> String {
    encode('b', user)
}

/// Decodes a cursor. Returns `None` for any other text.
pub fn decode(cursor: &str) -> Option<UserPageRequest> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (direction, rest) = text.split_at_checked(1)?;
    // PostgreSQL rejects NUL in text.
    let (id, name) = rest.split_once(' ').filter(|(_, name)| !name.contains('\0'))?;
    let position = UserCursorPosition { name: name.to_owned(), id: UserId::parse(id)? };
    match direction {
        "a" => Some(UserPageRequest::After(position)),
        "b" => Some(UserPageRequest::Before(position)),
        _ => None,
    }
}

fn encode(direction: char, user: &User) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{direction}{} {}", user.id, user.name))
}
