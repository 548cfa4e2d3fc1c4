//! Names of service accounts, companies, gateways and users.

use crate::domain::text::normalize;

/// The longest name, in Unicode scalar values.
pub const MAX_NAME_CHARS: usize = 64;

/// Why a text is not a name, as a sentence for the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("{0}")]
    Empty(&'static str),
    #[error("Name must be 64 characters or fewer")]
    TooLong,
    #[error("The name contains a character that cannot be seen (U+{:04X}). Remove it.", u32::from(*.0))]
    InvisibleChar(char),
}

fn parse(typed: &str, when_empty: &'static str) -> Result<String, NameError> {
    let name = typed.trim();
    if name.is_empty() {
        return Err(NameError::Empty(when_empty));
    }
    if let Some(character) = normalize::first_disallowed_char(name, |_| false) {
        return Err(NameError::InvisibleChar(character));
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(NameError::TooLong);
    }
    match name.chars().find(|character| !character.is_whitespace()) {
        Some(first) if !normalize::has_visible_char(name) => Err(NameError::InvisibleChar(first)),
        _ => Ok(name.to_owned()),
    }
}

macro_rules! name {
    ($($(#[$doc:meta])* $name:ident, $when_empty:literal);+ $(;)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Parses a typed name, trimmed. The spelling is kept.
            pub fn parse(typed: &str) -> Result<Self, NameError> {
                parse(typed, $when_empty).map(Self)
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the form in which names are compared.
            #[must_use]
            pub fn case_folded(&self) -> String {
                normalize::case_folded(&self.0)
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
    /// The name of a user.
    PersonName, "Enter a name";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_typed_but_trimmed() {
        assert_eq!(ServiceAccountName::parse("  ERP  Sync \t").unwrap().as_str(), "ERP  Sync");
    }

    #[test]
    fn a_name_has_1_to_64_characters_of_any_script() {
        assert_eq!(ServiceAccountName::parse(" "), Err(NameError::Empty("Enter a name for the service account")));
        assert!(ServiceAccountName::parse(&"é".repeat(64)).is_ok());
        assert_eq!(ServiceAccountName::parse(&"é".repeat(65)), Err(NameError::TooLong));
    }

    #[test]
    fn the_error_names_the_invisible_character() {
        let refused = ServiceAccountName::parse("ERP\u{202E}Sync").unwrap_err();
        assert_eq!(refused.to_string(), "The name contains a character that cannot be seen (U+202E). Remove it.");
        assert_eq!(ServiceAccountName::parse("\u{3164}"), Err(NameError::InvisibleChar('\u{3164}')));
    }
}
