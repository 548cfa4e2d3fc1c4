//! Passwords: which new ones are accepted (NIST SP 800-63B-4 section 3.1.1.2), and the bytes that are hashed.

use std::cmp::Reverse;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::domain::text::normalize;

const MIN_CHARS: usize = 15;
const MAX_CHARS: usize = 1_024;
/// A password has at least this many characters that are not part of a name around the user.
const MIN_OWN_CHARS: usize = 6;
/// Shorter parts of names occur in too many words.
const MIN_PART_CHARS: usize = 3;

/// A password as typed, in NFC. `Debug` does not show it.
#[derive(Clone)]
pub struct Password(SecretString);

/// Why a new password is refused, as a sentence for the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("Use at least 15 characters.")]
    TooShort,
    #[error("Use at most 1,024 characters.")]
    TooLong,
    /// Common, patterned, or made of words that an attacker tries first.
    #[error("This password is too easy to guess. Try a few unrelated words.")]
    EasyToGuess,
}

impl Password {
    /// Returns a password to verify against a stored hash.
    #[must_use]
    pub fn presented(typed: &str) -> Self {
        Self(SecretString::from(normalize::nfc(typed)))
    }

    /// Returns a new password if it is hard to guess. `words` are what an attacker tries first: the names of the user,
    /// the company and the platform.
    pub fn validate_new(typed: &str, words: &[&str]) -> Result<Self, PasswordError> {
        let password = Self::presented(typed);
        let text = password.0.expose_secret();
        match text.chars().count() {
            0..MIN_CHARS => Err(PasswordError::TooShort),
            length if length > MAX_CHARS => Err(PasswordError::TooLong),
            _ if zxcvbn::zxcvbn(text, words).score() < zxcvbn::Score::Three => Err(PasswordError::EasyToGuess),
            _ if is_made_of(text, words) => Err(PasswordError::EasyToGuess),
            _ => Ok(password),
        }
    }

    /// Returns the bytes to hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Returns whether a text is little more than these words and their parts. zxcvbn rates any sequence of several words
/// as hard to guess.
fn is_made_of(text: &str, words: &[&str]) -> bool {
    let words = words.iter().map(|word| normalize::case_folded(word));
    let mut parts: Vec<String> = words.flat_map(|word| parts_of(&word)).collect();
    parts.sort_unstable_by_key(|part| Reverse(part.len()));
    let text = normalize::case_folded(text);
    let rest = parts.iter().fold(text.clone(), |rest, part| rest.replace(part, " "));
    let own_chars = rest.chars().filter(|character| !character.is_whitespace() && !character.is_ascii_punctuation());
    rest != text && own_chars.count() < MIN_OWN_CHARS
}

/// Returns “maria” and “lindqvist” for “maria lindqvist”.
fn parts_of(word: &str) -> Vec<String> {
    let parts = word.split(|character: char| !character.is_alphanumeric());
    parts.filter(|part| part.chars().count() >= MIN_PART_CHARS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_password_has_at_least_15_characters() {
        assert_eq!(Password::validate_new("short", &[]).unwrap_err(), PasswordError::TooShort);
        assert!(Password::validate_new("violet tram hums loudly", &[]).is_ok());
        assert_eq!(Password::validate_new(&"ab1".repeat(400), &[]).unwrap_err(), PasswordError::TooLong);
    }

    #[test]
    fn common_passwords_are_refused() {
        for guessable in ["passwordpassword", "111111111111111111", "qwertyuiopasdfgh", "abcdefghijklmnop"] {
            assert_eq!(Password::validate_new(guessable, &[]).unwrap_err(), PasswordError::EasyToGuess, "{guessable}");
        }
    }

    #[test]
    fn names_around_the_user_are_refused() {
        let words = ["Maria Lindqvist", "maria.lindqvist@brightwater.example", "Brightwater"];
        for made_of_them in
            ["maria.lindqvist@brightwater.example", "lindqvist maria lindqvist", "Brightwater Lindqvist"]
        {
            assert_eq!(
                Password::validate_new(made_of_them, &words).unwrap_err(),
                PasswordError::EasyToGuess,
                "{made_of_them}"
            );
        }
    }

    #[test]
    fn a_password_may_contain_a_name_and_more() {
        assert!(Password::validate_new("Maria hums in a violet tram", &["Maria Lindqvist"]).is_ok());
    }

    #[test]
    fn two_spellings_of_a_password_are_the_same_bytes() {
        assert_eq!(Password::presented("cafe\u{301}").as_bytes(), Password::presented("caf\u{e9}").as_bytes());
    }

    #[test]
    fn debug_output_hides_the_password() {
        assert!(!format!("{:?}", Password::presented("violet tram")).contains("violet"));
    }
}
