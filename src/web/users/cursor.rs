//! Cursors of the list of users: opaque words in links that say where a page of it begins.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::domain::ids::UserId;
use crate::store::{User, UserPaging, UserPlace};

/// The cursor of the page that follows this user.
pub(super) fn after(user: &User) -> String {
    encode('a', user)
}

/// The cursor of the page that comes before this user.
pub(super) fn before(user: &User) -> String {
    encode('b', user)
}

/// The page that a cursor names; `None` for every other text.
pub(super) fn read(cursor: &str) -> Option<UserPaging> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (direction, rest) = text.split_at_checked(1)?;
    // PostgreSQL takes no NUL in a text.
    let (id, name) = rest.split_once(' ').filter(|(_, name)| !name.contains('\0'))?;
    let place = UserPlace { name: name.to_owned(), id: UserId::parse(id)? };
    match direction {
        "a" => Some(UserPaging::After(place)),
        "b" => Some(UserPaging::Before(place)),
        _ => None,
    }
}

fn encode(direction: char, user: &User) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{direction}{} {}", user.id, user.name))
}
