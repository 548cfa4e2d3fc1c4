//! The question before a key is revoked, and the words for the reasons.

use crate::web::keys::address::LIST;
use crate::web::page::{Field, ShownTime, Who};

/// Reasons as a form sends them and as people read them, the usual one first.
pub const REASONS: [(&str, &str); 5] = [
    ("unspecified", "Not given"),
    ("compromised", "Compromised"),
    ("superseded", "Replaced by another key"),
    ("no-longer-used", "No longer used"),
    ("owner-left", "Owner left"),
];

/// A reason in words; “Not given” for one that has none.
#[must_use]
pub fn reason_words(value: &str) -> &'static str {
    REASONS.iter().find(|(known, _)| *known == value).map_or(REASONS[0].1, |(_, words)| words)
}

/// The dialog over the list.
#[derive(Clone, Debug)]
pub struct Revoke {
    pub key_id: String,
    pub name: String,
    pub preview: String,
    pub created_by: Who,
    pub created: ShownTime,
    /// A value of `REASONS`.
    pub reason: Field,
    pub comment: Field,
}

impl Revoke {
    /// Where the form is sent, and where its page is.
    #[must_use]
    pub fn path(key_id: &str) -> String {
        format!("{LIST}/{key_id}/revoke")
    }

    pub(super) fn has_reason(&self, value: &str) -> bool {
        self.reason.value == value
    }

    pub(super) fn failed(&self) -> bool {
        self.reason.error.is_some() || self.comment.error.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_words_and_an_unknown_one_is_not_given() {
        assert_eq!(reason_words("superseded"), "Replaced by another key");
        assert_eq!(reason_words("unspecified"), "Not given");
        assert_eq!(reason_words("elsewhere"), "Not given");
    }
}
