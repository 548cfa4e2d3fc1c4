//! E-mail addresses: what `user@host` mail servers accept, kept as typed, compared NFC and case-folded.

use super::text;

const LONGEST_ADDRESS: usize = 254;
const LONGEST_LOCAL_PART: usize = 64;

/// Why a text is no e-mail address. Displays as the sentence to put beside the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing, or nothing but spaces.
    #[error("Enter an email address")]
    Empty,
    /// More than 254 characters.
    #[error("The email address must be 254 characters or fewer")]
    TooLong,
    /// Not of the form `user@host`.
    #[error("Enter an email address such as name@example.com")]
    Malformed,
}

/// An e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads what was typed, trimmed and NFC.
    ///
    /// # Errors
    /// [`EmailError`], the sentence for whoever typed it.
    pub fn parse(typed: &str) -> Result<Self, EmailError> {
        let address = text::nfc(typed.trim());
        if address.is_empty() {
            return Err(EmailError::Empty);
        }
        if address.chars().count() > LONGEST_ADDRESS {
            return Err(EmailError::TooLong);
        }
        let (local, host) = address.rsplit_once('@').ok_or(EmailError::Malformed)?;
        let fits = local.len() <= LONGEST_LOCAL_PART
            && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
            && host.split('.').all(is_host_label)
            && text::first_unseen(&address, |_| false).is_none();
        if fits { Ok(Self(address)) } else { Err(EmailError::Malformed) }
    }

    /// The address as typed, trimmed and NFC.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared.
    #[must_use]
    pub fn folded(&self) -> String {
        text::folded(&self.0)
    }
}

/// `atext` of RFC 5322 section 3.2.3, with the letters of RFC 6531.
fn is_atom_character(character: char) -> bool {
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
    fn addresses_that_mail_servers_accept_are_kept_as_typed() {
        for good in ["maria@brightwater.example", "o'neil+keys@example.co", "root@localhost", "jörg@bücher.example"] {
            assert_eq!(EmailAddress::parse(&format!(" {good} ")).unwrap().as_str(), good);
        }
    }

    #[test]
    fn what_is_no_address_gets_a_sentence() {
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
    fn addresses_compare_without_regard_to_case() {
        let (upper, lower) =
            (EmailAddress::parse("Maria@Example.COM").unwrap(), EmailAddress::parse("maria@example.com").unwrap());
        assert_eq!(upper.folded(), lower.folded());
    }
}
