//! Cursors of the key list: opaque strings in links that mark where a page starts.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::domain::ids::KeyId;
use crate::domain::timestamp::Timestamp;
use crate::store::{CursorPosition, PageRequest, SortKey};
use crate::web::pages::api_keys::list_address::{Column, Sort};

/// Returns the cursor of the page that starts after this position.
pub fn after(position: &CursorPosition) -> String {
    encode('a', position)
}

/// Returns the cursor of the page that ends before this position.
pub fn before(position: &CursorPosition) -> String {
    encode('b', position)
}

/// The cursor of the last page, in any order.
pub const LAST: &str = "last";

/// Decodes a cursor of this order. Returns `None` for any other text.
pub fn decode(cursor: &str, sort: Sort) -> Option<PageRequest> {
    if cursor == LAST {
        return Some(PageRequest::Last);
    }
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (direction, rest) = text.split_at_checked(1)?;
    let (id, value) = rest.split_once(' ')?;
    let (column, value) = value.split_at_checked(1)?;
    let sort_key = match (column, sort.column) {
        ("c", Column::Created) => SortKey::Created(Timestamp::from_micros(value.parse().ok()?)),
        ("e", Column::Expires | Column::Revoked) => SortKey::Ended(Timestamp::from_micros(value.parse().ok()?)),
        ("u", Column::LastUsed) => SortKey::LastUsed(Timestamp::from_micros(value.parse().ok()?)),
        // PostgreSQL rejects NUL in text.
        ("n", Column::Name) if !value.contains('\0') => SortKey::Name(value.to_owned()),
        _ => return None,
    };
    let position = CursorPosition { sort_key, id: KeyId::parse(id)? };
    match direction {
        "a" => Some(PageRequest::After(position)),
        "b" => Some(PageRequest::Before(position)),
        _ => None,
    }
}

fn encode(direction: char, position: &CursorPosition) -> String {
    let value = match &position.sort_key {
        SortKey::Created(at) => format!("c{}", at.as_micros()),
        SortKey::Ended(at) => format!("e{}", at.as_micros()),
        SortKey::Name(name) => format!("n{name}"),
        SortKey::LastUsed(at) => format!("u{}", at.as_micros()),
    };
    BASE64_URL_SAFE_NO_PAD.encode(format!("{direction}{} {value}", position.id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_round_trips_in_its_own_order_only() {
        let id = KeyId::new(Timestamp::from_micros(0), &[1; 10]);
        let by_name = Sort { column: Column::Name, descending: false };
        let by_creation = Sort { column: Column::Created, descending: true };
        let position = CursorPosition { sort_key: SortKey::Name("erp sync é".to_owned()), id };
        assert_eq!(decode(&after(&position), by_name), Some(PageRequest::After(position.clone())));
        assert_eq!(decode(&before(&position), by_name), Some(PageRequest::Before(position.clone())));
        assert_eq!(decode(&after(&position), by_creation), None);
        let position = CursorPosition { sort_key: SortKey::Created(Timestamp::from_micros(-5)), id };
        assert_eq!(decode(&after(&position), by_creation), Some(PageRequest::After(position)));
    }

    proptest! {
        #[test]
        fn decoding_never_panics(text: String, bytes: Vec<u8>) {
            prop_assume!(text != LAST);
            for column in [Column::Name, Column::Created, Column::Revoked, Column::LastUsed] {
                let sort = Sort { column, descending: true };
                prop_assert!(decode(&text, sort).is_none());
                let _ = decode(&BASE64_URL_SAFE_NO_PAD.encode(&bytes), sort);
            }
        }
    }
}
