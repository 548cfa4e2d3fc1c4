//! Passwords: what is accepted as a new one (NIST SP 800-63B-4 section 3.1.1.2), and the form in which one is hashed.

use std::cmp::Reverse;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::text;

const SHORTEST: usize = 15;
const LONGEST: usize = 1_024;
/// A password has at least so many characters that are in no name around the person.
const FEWEST_OF_ONES_OWN: usize = 6;
/// Shorter parts of names are in too many words.
const SHORTEST_PART: usize = 3;

/// A password as somebody typed it, in NFC; it shows itself nowhere.
#[derive(Clone)]
pub struct Password(SecretString);

/// Why a text is not accepted as a new password. Displays as the sentence to put beside the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than 15 characters.
    #[error("Use at least 15 characters.")]
    TooShort,
    /// More than 1,024 characters.
    #[error("Use at most 1,024 characters.")]
    TooLong,
    /// Common, patterned, or made of words that an attacker tries first.
    #[error("This password is easy to guess. Use a longer or less common one.")]
    EasyToGuess,
}

impl Password {
    /// A password to be compared with a stored one: anything is taken.
    #[must_use]
    pub fn presented(typed: &str) -> Self {
        Self(SecretString::from(text::nfc(typed)))
    }

    /// A password to be stored. `words` are what an attacker would try first here, whole and in parts: the person's, the
    /// company's and the platform's names.
    ///
    /// # Errors
    /// [`PasswordError`], the sentence for whoever typed it.
    pub fn chosen(typed: &str, words: &[&str]) -> Result<Self, PasswordError> {
        let password = Self::presented(typed);
        let text = password.0.expose_secret();
        match text.chars().count() {
            0..SHORTEST => Err(PasswordError::TooShort),
            length if length > LONGEST => Err(PasswordError::TooLong),
            _ if zxcvbn::zxcvbn(text, words).score() < zxcvbn::Score::Three => Err(PasswordError::EasyToGuess),
            _ if is_made_of(text, words) => Err(PasswordError::EasyToGuess),
            _ => Ok(password),
        }
    }

    /// The bytes that are hashed.
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

/// Whether a text is little more than these words and their parts, one after the other: zxcvbn takes several words in a row
/// for hard to guess, whichever they are.
fn is_made_of(text: &str, words: &[&str]) -> bool {
    let words = words.iter().map(|word| text::folded(word));
    let mut parts: Vec<String> = words.flat_map(|word| parts_of(&word)).collect();
    parts.sort_unstable_by_key(|part| Reverse(part.len()));
    let text = text::folded(text);
    let rest = parts.iter().fold(text.clone(), |rest, part| rest.replace(part, " "));
    let of_ones_own = rest.chars().filter(|character| !character.is_whitespace() && !character.is_ascii_punctuation());
    rest != text && of_ones_own.count() < FEWEST_OF_ONES_OWN
}

/// “maria” and “lindqvist” of “maria lindqvist”.
fn parts_of(word: &str) -> Vec<String> {
    let parts = word.split(|character: char| !character.is_alphanumeric());
    parts.filter(|part| part.chars().count() >= SHORTEST_PART).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_password_has_at_least_15_characters_of_any_kind() {
        assert_eq!(Password::chosen("short", &[]).unwrap_err(), PasswordError::TooShort);
        assert!(Password::chosen("violet tram hums loudly", &[]).is_ok());
        assert_eq!(Password::chosen(&"ab1".repeat(400), &[]).unwrap_err(), PasswordError::TooLong);
    }

    #[test]
    fn a_password_that_is_guessed_first_is_refused() {
        for guessable in ["passwordpassword", "111111111111111111", "qwertyuiopasdfgh", "abcdefghijklmnop"] {
            assert_eq!(Password::chosen(guessable, &[]).unwrap_err(), PasswordError::EasyToGuess, "{guessable}");
        }
    }

    #[test]
    fn the_names_around_a_person_are_guessed_first() {
        let words = ["Maria Lindqvist", "maria.lindqvist@brightwater.example", "Brightwater"];
        for made_of_them in
            ["maria.lindqvist@brightwater.example", "lindqvist maria lindqvist", "Brightwater Lindqvist"]
        {
            assert_eq!(
                Password::chosen(made_of_them, &words).unwrap_err(),
                PasswordError::EasyToGuess,
                "{made_of_them}"
            );
        }
    }

    #[test]
    fn a_name_may_be_in_a_password_that_has_more_to_it() {
        assert!(Password::chosen("Maria hums in a violet tram", &["Maria Lindqvist"]).is_ok());
    }

    #[test]
    fn two_spellings_of_one_password_are_the_same_bytes() {
        assert_eq!(Password::presented("cafe\u{301}").as_bytes(), Password::presented("caf\u{e9}").as_bytes());
    }

    #[test]
    fn a_password_does_not_show_itself_in_debug_output() {
        assert!(!format!("{:?}", Password::presented("violet tram")).contains("violet"));
    }
}
