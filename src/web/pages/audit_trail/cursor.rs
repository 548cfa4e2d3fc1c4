//! Cursors of the Audit Trail page: opaque strings in links that mark where a page starts.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::store::TrailPageRequest;

/// Returns the cursor of the events before this sequence number.
pub fn older_than(sequence: i64) -> String {
    encode('b', sequence)
}

/// Returns the cursor of the events after this sequence number.
pub fn newer_than(sequence: i64) -> String {
    encode('a', sequence)
}

/// Decodes a cursor. Returns `None` for any other text.
pub fn decode(cursor: &str) -> Option<TrailPageRequest> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (direction, sequence) = text.split_at_checked(1)?;
    let sequence = sequence.parse().ok()?;
    match direction {
        "b" => Some(TrailPageRequest::Before(sequence)),
        "a" => Some(TrailPageRequest::After(sequence)),
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
    fn a_cursor_round_trips_and_other_text_is_rejected() {
        assert_eq!(decode(&older_than(51)), Some(TrailPageRequest::Before(51)));
        assert_eq!(decode(&newer_than(i64::MAX)), Some(TrailPageRequest::After(i64::MAX)));
        for wrong in ["", "b51", "YjUx=", "czUx"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn decoding_never_panics(text: String, bytes: Vec<u8>) {
            let _ = decode(&text);
            let _ = decode(&BASE64_URL_SAFE_NO_PAD.encode(bytes));
        }
    }
}
