//! Cursors: opaque words in links that say where a page of a list begins.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::address::{Column, Sort};
use crate::domain::ids::KeyId;
use crate::domain::instant::Instant;
use crate::store::{Paging, Place, SortKey};

/// The cursor of the page that follows this place.
pub(super) fn after(place: &Place) -> String {
    encode('a', place)
}

/// The cursor of the page that comes before this place.
pub(super) fn before(place: &Place) -> String {
    encode('b', place)
}

/// The page that a cursor of this order names; `None` for every other text.
pub(super) fn read(cursor: &str, sort: Sort) -> Option<Paging> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (direction, rest) = text.split_at_checked(1)?;
    let (id, value) = rest.split_once(' ')?;
    let (column, value) = value.split_at_checked(1)?;
    let sort_key = match (column, sort.column) {
        ("c", Column::Created) => SortKey::Created(Instant::from_micros(value.parse().ok()?)),
        ("e", Column::Expires | Column::Revoked) => SortKey::Ended(Instant::from_micros(value.parse().ok()?)),
        // PostgreSQL takes no NUL in a text.
        ("u", Column::LastUsed) => SortKey::LastUsed(Instant::from_micros(value.parse().ok()?)),
        ("n", Column::Name) if !value.contains('\0') => SortKey::Name(value.to_owned()),
        _ => return None,
    };
    let place = Place { sort_key, id: KeyId::parse(id)? };
    match direction {
        "a" => Some(Paging::After(place)),
        "b" => Some(Paging::Before(place)),
        _ => None,
    }
}

/// The cursor of the events before this place in the trail.
pub(super) fn older_than(sequence: i64) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("s{sequence}"))
}

/// The place in the trail that such a cursor names.
pub(super) fn read_sequence(cursor: &str) -> Option<i64> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix('s')?.parse().ok()
}

fn encode(direction: char, place: &Place) -> String {
    let value = match &place.sort_key {
        SortKey::Created(at) => format!("c{}", at.as_micros()),
        SortKey::Ended(at) => format!("e{}", at.as_micros()),
        SortKey::Name(name) => format!("n{name}"),
        SortKey::LastUsed(at) => format!("u{}", at.as_micros()),
    };
    BASE64_URL_SAFE_NO_PAD.encode(format!("{direction}{} {value}", place.id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_reads_back_in_its_own_order_and_in_no_other() {
        let id = KeyId::new(Instant::from_micros(0), &[1; 10]);
        let by_name = Sort { column: Column::Name, descending: false };
        let by_creation = Sort { column: Column::Created, descending: true };
        let place = Place { sort_key: SortKey::Name("erp sync é".to_owned()), id };
        assert_eq!(read(&after(&place), by_name), Some(Paging::After(place.clone())));
        assert_eq!(read(&before(&place), by_name), Some(Paging::Before(place.clone())));
        assert_eq!(read(&after(&place), by_creation), None);
        let place = Place { sort_key: SortKey::Created(Instant::from_micros(-5)), id };
        assert_eq!(read(&after(&place), by_creation), Some(Paging::After(place)));
        assert_eq!(read_sequence(&older_than(51)), Some(51));
    }

    proptest! {
        #[test]
        fn no_text_makes_a_cursor_panic(text: String, bytes: Vec<u8>) {
            for column in [Column::Name, Column::Created, Column::Revoked, Column::LastUsed] {
                let sort = Sort { column, descending: true };
                prop_assert!(read(&text, sort).is_none());
                let _ = read(&BASE64_URL_SAFE_NO_PAD.encode(&bytes), sort);
            }
            let _ = read_sequence(&text);
        }
    }
}
