//! Names of service accounts, companies and people: parsed once, then known to be good.

use super::text;

/// The longest name, in Unicode scalar values.
pub const LONGEST_NAME: usize = 64;

/// Why a text is no name. Displays as the sentence to put beside the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or nothing but spaces.
    #[error("{0}")]
    Empty(&'static str),
    /// More than [`LONGEST_NAME`] characters.
    #[error("Name must be 64 characters or fewer")]
    TooLong,
    /// A character that leaves no mark.
    #[error("The name contains a character that cannot be seen (U+{:04X}). Remove it.", u32::from(*.0))]
    Unseen(char),
}

fn parse(typed: &str, when_empty: &'static str) -> Result<String, NameError> {
    let name = typed.trim();
    if name.is_empty() {
        return Err(NameError::Empty(when_empty));
    }
    if let Some(character) = text::first_unseen(name, |_| false) {
        return Err(NameError::Unseen(character));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(NameError::TooLong);
    }
    match name.chars().find(|character| !character.is_whitespace()) {
        Some(first) if !text::has_visible_character(name) => Err(NameError::Unseen(first)),
        _ => Ok(name.to_owned()),
    }
}

macro_rules! name {
    ($($(#[$doc:meta])* $name:ident, $when_empty:literal);+ $(;)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Reads what was typed, trimmed; the spelling is kept.
            ///
            /// # Errors
            /// [`NameError`], the sentence for whoever typed it.
            pub fn parse(typed: &str) -> Result<Self, NameError> {
                parse(typed, $when_empty).map(Self)
            }

            /// The name as typed, trimmed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The form in which it is compared, searched and sorted.
            #[must_use]
            pub fn folded(&self) -> String {
                text::folded(&self.0)
            }
        }
    )+};
}

name! {
    /// The name of a service account.
    ServiceAccountName, "Enter a name for the service account";
    /// The name of a company.
    CompanyName, "Enter a name for the company";
    /// The name of a gateway.
    GatewayName, "Give a name for the gateway";
    /// The name of a person who signs in.
    PersonName, "Enter a name";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_typed_without_the_spaces_around_it() {
        assert_eq!(ServiceAccountName::parse("  ERP  Sync \t").unwrap().as_str(), "ERP  Sync");
    }

    #[test]
    fn a_name_has_1_to_64_characters_of_any_script() {
        assert_eq!(ServiceAccountName::parse(" "), Err(NameError::Empty("Enter a name for the service account")));
        assert!(ServiceAccountName::parse(&"é".repeat(64)).is_ok());
        assert_eq!(ServiceAccountName::parse(&"é".repeat(65)), Err(NameError::TooLong));
    }

    #[test]
    fn the_sentence_names_the_character_that_cannot_be_seen() {
        let refused = ServiceAccountName::parse("ERP\u{202E}Sync").unwrap_err();
        assert_eq!(refused.to_string(), "The name contains a character that cannot be seen (U+202E). Remove it.");
        assert_eq!(ServiceAccountName::parse("\u{3164}"), Err(NameError::Unseen('\u{3164}')));
    }
}
