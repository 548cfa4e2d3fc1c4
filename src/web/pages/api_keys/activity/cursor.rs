//! Cursors of key activity: opaque strings in links that mark where a page starts.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// Returns the cursor of the events before this sequence number.
pub fn older_than(sequence: i64) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("s{sequence}"))
}

/// Decodes the sequence number of a cursor. Returns `None` for any other text.
pub fn decode(cursor: &str) -> Option<i64> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix('s')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_round_trips() {
        assert_eq!(decode(&older_than(51)), Some(51));
    }

    proptest! {
        #[test]
        fn decoding_never_panics(text: String) {
            let _ = decode(&text);
        }
    }
}
