//! The hidden field `version` of a form that edits something. It prevents lost updates.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The bytes of a digest that are kept: enough that a changed value is not taken for an unchanged one.
const DIGEST_BYTES: usize = 9;

type ValueDigest = [u8; DIGEST_BYTES];

/// What a form showed when it was opened: a thing, how often the thing had been changed, and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormVersion {
    thing: String,
    changes: i64,
    shown: Vec<ValueDigest>,
}

impl FormVersion {
    /// The version of a form about `thing`, which was changed `changes` times and has these values.
    #[must_use]
    pub fn new(thing: impl Into<String>, changes: i64, values: &[&str]) -> Self {
        Self { thing: thing.into(), changes, shown: values.iter().map(|value| digest(value)).collect() }
    }

    /// Parses the submitted field. `None` if it is missing or unreadable, or belongs to another thing.
    #[must_use]
    pub fn parse(text: &str, thing: &str) -> Option<Self> {
        let (changes, shown) = text.strip_prefix(thing)?.strip_prefix('.')?.split_once('.')?;
        let shown = URL_SAFE_NO_PAD.decode(shown).ok()?;
        let (shown, rest) = shown.as_chunks::<DIGEST_BYTES>();
        let changes = changes.parse().ok()?;
        rest.is_empty().then(|| Self { thing: thing.to_owned(), changes, shown: shown.to_vec() })
    }

    /// How often the thing had been changed when the form was opened.
    #[must_use]
    pub const fn changes(&self) -> i64 {
        self.changes
    }

    /// Returns the values of the fields after another change, in the order of [`FormVersion::new`]: what the user typed,
    /// or the current value of a field that they did not touch.
    #[must_use]
    pub fn merge<'v, const N: usize>(&self, typed: [&'v str; N], current: [&'v str; N]) -> [&'v str; N] {
        std::array::from_fn(|index| {
            let is_untouched = self.shown.get(index) == Some(&digest(typed[index]));
            if is_untouched { current[index] } else { typed[index] }
        })
    }
}

/// The value of the hidden field.
impl fmt::Display for FormVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.thing, self.changes, URL_SAFE_NO_PAD.encode(self.shown.as_flattened()))
    }
}

fn digest(value: &str) -> ValueDigest {
    let mut kept = [0; DIGEST_BYTES];
    kept.copy_from_slice(&Sha256::digest(value)[..DIGEST_BYTES]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_parsed_for_its_own_thing_only() {
        let version = FormVersion::new("key-1", 4, &["ERP Sync", "u1"]);
        let text = version.to_string();
        assert_eq!(FormVersion::parse(&text, "key-1"), Some(version));
        for other in ["key-12", "key-", "role-1", ""] {
            assert_eq!(FormVersion::parse(&text, other), None, "{other}");
        }
        for unreadable in ["", "key-1", "key-1.", "key-1.4", "key-1.x.", "key-1.4.AA", "key-1.4.*"] {
            assert_eq!(FormVersion::parse(unreadable, "key-1"), None, "{unreadable}");
        }
    }

    #[test]
    fn only_fields_that_the_user_changed_keep_their_typed_value() {
        let version = FormVersion::new("key-1", 4, &["ERP Sync", "u1", ""]);
        let merged = version.merge(["ERP Sync", "u2", "yes", "typed"], ["ERP Sync (EU)", "u1", "", "current"]);
        assert_eq!(merged, ["ERP Sync (EU)", "u2", "yes", "typed"]);
    }
}
