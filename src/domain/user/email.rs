//! Email addresses: `user@host`, kept as typed, compared in NFC and case-folded.

use crate::domain::text::normalize;

const MAX_ADDRESS_CHARS: usize = 254;
const MAX_LOCAL_PART_BYTES: usize = 64;

/// Why a text is not an email address, as a sentence for the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    #[error("Enter an email address")]
    Empty,
    #[error("The email address must be 254 characters or fewer")]
    TooLong,
    #[error("Enter an email address such as name@example.com")]
    Malformed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Parses a typed address, trimmed and in NFC.
    pub fn parse(typed: &str) -> Result<Self, EmailError> {
        let address = normalize::nfc(typed.trim());
        if address.is_empty() {
            return Err(EmailError::Empty);
        }
        if address.chars().count() > MAX_ADDRESS_CHARS {
            return Err(EmailError::TooLong);
        }
        let (local, host) = address.rsplit_once('@').ok_or(EmailError::Malformed)?;
        let is_valid = local.len() <= MAX_LOCAL_PART_BYTES
            && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char))
            && host.split('.').all(is_host_label)
            && normalize::first_disallowed_char(&address, |_| false).is_none();
        if is_valid { Ok(Self(address)) } else { Err(EmailError::Malformed) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the form in which addresses are compared.
    #[must_use]
    pub fn case_folded(&self) -> String {
        normalize::case_folded(&self.0)
    }
}

/// `atext` of RFC 5322 section 3.2.3, extended by RFC 6531.
fn is_atom_char(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character)
    } else {
        !character.is_whitespace()
    }
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|character| character == '-' || character.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_addresses_are_kept_as_typed() {
        for good in ["maria@brightwater.example", "o'neil+keys@example.co", "root@localhost", "jörg@bücher.example"] {
            assert_eq!(EmailAddress::parse(&format!(" {good} ")).unwrap().as_str(), good);
        }
    }

    #[test]
    fn invalid_addresses_are_refused() {
        assert_eq!(EmailAddress::parse("  "), Err(EmailError::Empty));
        assert_eq!(EmailAddress::parse(&format!("{}@example.com", "a".repeat(250))), Err(EmailError::TooLong));
        for bad in [
            "maria",
            "@example.com",
            "maria@",
            "ma ria@example.com",
            "maria@exa mple.com",
            "a@b@c",
            "a..b@c.d",
            "a@-b.c",
            "a@b\0",
            "a@b..c",
            "a\u{202E}@b.c",
        ] {
            assert_eq!(EmailAddress::parse(bad), Err(EmailError::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn addresses_compare_without_case() {
        let (upper, lower) =
            (EmailAddress::parse("Maria@Example.COM").unwrap(), EmailAddress::parse("maria@example.com").unwrap());
        assert_eq!(upper.case_folded(), lower.case_folded());
    }
}
