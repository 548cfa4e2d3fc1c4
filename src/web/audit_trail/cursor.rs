//! Cursors of the Audit Trail page: opaque words in links that say where a page of it begins.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::store::TrailPaging;

/// The cursor of the events before this place in the trail.
pub(super) fn older_than(sequence: i64) -> String {
    encode('b', sequence)
}

/// The cursor of the events after this place in the trail.
pub(super) fn newer_than(sequence: i64) -> String {
    encode('a', sequence)
}

/// The page that a cursor names; `None` for every other text.
pub(super) fn read(cursor: &str) -> Option<TrailPaging> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (direction, sequence) = text.split_at_checked(1)?;
    let sequence = sequence.parse().ok()?;
    match direction {
        "b" => Some(TrailPaging::Before(sequence)),
        "a" => Some(TrailPaging::After(sequence)),
        _ => None,
    }
}

fn encode(direction: char, sequence: i64) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{direction}{sequence}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_reads_back_and_a_text_that_is_none_does_not() {
        assert_eq!(read(&older_than(51)), Some(TrailPaging::Before(51)));
        assert_eq!(read(&newer_than(i64::MAX)), Some(TrailPaging::After(i64::MAX)));
        for wrong in ["", "b51", "YjUx=", "czUx"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_cursor_panic(text: String, bytes: Vec<u8>) {
            let _ = read(&text);
            let _ = read(&BASE64_URL_SAFE_NO_PAD.encode(bytes));
        }
    }
}
