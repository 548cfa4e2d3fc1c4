//! What a service account is for, and which department and contact to ask about it.

use crate::domain::text::normalize;

/// Why a text is not one of the details, as a sentence for the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DetailError {
    #[error("{0} must be {1} characters or fewer")]
    TooLong(&'static str, usize),
    #[error("The text contains a character that cannot be seen (U+{:04X}). Remove it.", u32::from(*.0))]
    InvisibleChar(char),
}

macro_rules! details {
    ($($(#[$doc:meta])* $name:ident, $max_chars:literal);+ $(;)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The longest text, in Unicode scalar values.
            pub const MAX_CHARS: usize = $max_chars;

            /// Parses a typed text, trimmed. An empty one means that it is not given.
            pub fn parse(typed: &str) -> Result<Self, DetailError> {
                let text = typed.trim();
                if let Some(character) = normalize::first_disallowed_char(text, |_| false) {
                    return Err(DetailError::InvisibleChar(character));
                }
                if text.chars().count() > Self::MAX_CHARS {
                    return Err(DetailError::TooLong(stringify!($name), Self::MAX_CHARS));
                }
                Ok(Self(text.to_owned()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )+};
}

details! {
    /// What a service account does, in a sentence.
    Purpose, 200;
    /// The department that runs a service account.
    Department, 64;
    /// Where to ask about a service account: a team's channel or mailbox.
    Contact, 120;
}

/// A change of the details. `None` keeps a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetailsEdit {
    pub purpose: Option<Purpose>,
    pub department: Option<Department>,
    pub contact: Option<Contact>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_kept_as_typed_but_trimmed() {
        assert_eq!(Purpose::parse("  Syncs orders  every hour \n").unwrap().as_str(), "Syncs orders  every hour");
        assert_eq!(Contact::parse(" \t").unwrap(), Contact::default());
    }

    #[test]
    fn a_detail_has_a_limit() {
        assert!(Purpose::parse(&"é".repeat(200)).is_ok());
        let refused = Purpose::parse(&"é".repeat(201)).unwrap_err();
        assert_eq!(refused.to_string(), "Purpose must be 200 characters or fewer");
        assert_eq!(Department::parse(&"x".repeat(65)), Err(DetailError::TooLong("Department", 64)));
        assert_eq!(Contact::parse(&"x".repeat(121)), Err(DetailError::TooLong("Contact", 120)));
    }

    #[test]
    fn a_detail_has_no_invisible_characters_and_one_line() {
        assert_eq!(Contact::parse("a\u{202E}b"), Err(DetailError::InvisibleChar('\u{202E}')));
        assert_eq!(Purpose::parse("one\ntwo"), Err(DetailError::InvisibleChar('\n')));
    }
}
