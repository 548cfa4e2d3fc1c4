//! API keys: their format, checksum and preview.
//!
//! THE FORMAT OF KEYS MUST NEVER CHANGE. Customers hold keys that were issued years ago. If the lengths, the alphabet
//! or the checksum change, or a prefix stops being accepted, every issued key is refused at once.

use std::str::FromStr;

use rand::{CryptoRng, RngExt};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::key::digest::{KeyDigest, Pepper, Peppers, PresentedDigests};
use crate::domain::text::normalize::hex;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;
const PREVIEW_CHARS: usize = 4;
/// A text with this many characters after a prefix may contain a key. A preview shows only four.
const MIN_KEY_LIKE_CHARS: usize = 16;

/// The part of a key before its underscore: `[a-z][a-z0-9]{1,9}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix(String);

/// Why a text is not a key prefix.
#[derive(Debug, thiserror::Error)]
#[error("a key prefix is 2 to 10 lower-case letters and digits, and starts with a letter")]
pub struct InvalidKeyPrefix;

impl FromStr for KeyPrefix {
    type Err = InvalidKeyPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidKeyPrefix> {
        let is_lower_or_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_valid = (2..=10).contains(&text.len())
            && text.as_bytes()[0].is_ascii_lowercase()
            && text.bytes().all(is_lower_or_digit);
        is_valid.then(|| Self(text.to_owned())).ok_or(InvalidKeyPrefix)
    }
}

/// The prefixes of an installation. New keys get the first one; all are accepted.
#[derive(Clone, Debug)]
pub struct KeyFormat {
    newest: KeyPrefix,
    accepted: Vec<KeyPrefix>,
}

/// A text that is not a key: its prefix, length, alphabet or checksum is wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an API key")]
pub struct MalformedKey;

impl KeyFormat {
    /// Returns a format whose new keys start with `newest`. It also accepts the prefixes in `also_accepted`.
    #[must_use]
    pub fn new(newest: KeyPrefix, also_accepted: impl IntoIterator<Item = KeyPrefix>) -> Self {
        let accepted = std::iter::once(newest.clone()).chain(also_accepted).collect();
        Self { newest, accepted }
    }

    /// Returns the accepted prefixes. A prefix may be listed twice.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        self.accepted.iter().map(|prefix| &*prefix.0)
    }

    /// Generates a key. Its 32 random characters are drawn without bias.
    pub fn generate(&self, rng: &mut impl CryptoRng) -> ApiKey {
        let mut text = String::with_capacity(self.newest.0.len() + 1 + RANDOM_CHARS + CHECKSUM_CHARS);
        text.push_str(&self.newest.0);
        text.push('_');
        text.extend((0..RANDOM_CHARS).map(|_| char::from(BASE62[rng.random_range(0..BASE62.len())])));
        let checksum = checksum(&text);
        text.extend(checksum.map(char::from));
        ApiKey { prefix_length: self.newest.0.len(), text: SecretString::from(text) }
    }

    /// Parses a presented key.
    pub fn parse(&self, presented: &str) -> Result<ApiKey, MalformedKey> {
        let prefix_length = self.check(presented)?;
        Ok(ApiKey { prefix_length, text: SecretString::from(presented) })
    }

    /// Returns the digests of a presented key without copying the key.
    pub fn digest(&self, presented: &str, peppers: &Peppers) -> Result<PresentedDigests, MalformedKey> {
        self.check(presented)?;
        Ok(peppers.presented(presented))
    }

    /// Checks everything that needs no database. Returns the length of the prefix.
    fn check(&self, presented: &str) -> Result<usize, MalformedKey> {
        let (prefix, rest) = presented.split_once('_').ok_or(MalformedKey)?;
        if !self.accepted.iter().any(|accepted| accepted.0 == prefix) {
            return Err(MalformedKey);
        }
        if rest.len() != RANDOM_CHARS + CHECKSUM_CHARS || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(MalformedKey);
        }
        let (signed, presented_checksum) = presented.split_at(presented.len() - CHECKSUM_CHARS);
        if presented_checksum.as_bytes() != checksum(signed) {
            return Err(MalformedKey);
        }
        Ok(prefix.len())
    }

    /// Returns whether `text` contains a key, or most of one. Such a text must not be stored or shown.
    #[must_use]
    pub fn is_contained_in(&self, text: &str) -> bool {
        self.accepted.iter().any(|prefix| {
            text.match_indices(&format!("{}_", prefix.0)).any(|(start, found)| {
                let rest = &text[start + found.len()..];
                rest.bytes().take_while(u8::is_ascii_alphanumeric).count() >= MIN_KEY_LIKE_CHARS
            })
        })
    }
}

/// Returns the CRC32 (IEEE) of `text` in base62, most significant digit first.
fn checksum(text: &str) -> [u8; CHECKSUM_CHARS] {
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [BASE62[0]; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[rest % BASE62.len()];
        rest /= BASE62.len();
    }
    digits
}

/// A plaintext key with a valid checksum. It is never stored or logged, and wiped from memory when dropped.
#[derive(Debug)]
pub struct ApiKey {
    prefix_length: usize,
    text: SecretString,
}

impl ApiKey {
    /// Returns the plaintext key, for the one response that shows it.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.text.expose_secret()
    }

    /// Returns the part of the key that may be stored and shown, such as `goa_7Hq2…9fKd`.
    #[must_use]
    pub fn preview(&self) -> Preview {
        let text = self.expose_secret();
        let (head, tail) = (self.prefix_length + 1 + PREVIEW_CHARS, text.len() - PREVIEW_CHARS);
        Preview(format!("{}…{}", &text[..head], &text[tail..]))
    }

    /// Returns the digest that is stored in place of the key.
    #[must_use]
    pub fn digest(&self, pepper: &Pepper) -> KeyDigest {
        pepper.digest(self.expose_secret())
    }

    /// Returns the digests under which the key may be stored.
    #[must_use]
    pub fn presented(&self, peppers: &Peppers) -> PresentedDigests {
        peppers.presented(self.expose_secret())
    }
}

/// The preview of a key: its prefix, an underscore, its first four random characters, `…`, its last four characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview(String);

impl Preview {
    /// The preview of a key of which only the SHA-256 is known, such as `sha256_3f2a…9c1e`.
    #[must_use]
    pub fn of_sha256(sha256: &[u8; 32]) -> Self {
        let digits = hex(sha256);
        Self(format!("sha256_{}…{}", &digits[..PREVIEW_CHARS], &digits[digits.len() - PREVIEW_CHARS..]))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use sha2::Sha256;

    use super::*;

    fn format() -> KeyFormat {
        KeyFormat::new("goa".parse().unwrap(), [])
    }

    /// NEVER CHANGE THESE KEYS. If this test fails, issued keys are refused.
    #[test]
    fn the_format_of_issued_keys_never_changes() {
        for vector in [
            format!("goa_{}0BvU0h", "0".repeat(32)),
            "goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g".to_owned(),
            format!("goa_{}1hLwkT", "z".repeat(32)),
        ] {
            let key = format().parse(&vector).unwrap();
            assert_eq!(key.expose_secret(), vector);
            assert_eq!(vector.len(), 42);
        }
        let longest_prefix = KeyFormat::new("abcdefgh12".parse().unwrap(), []);
        assert!(longest_prefix.parse("abcdefgh12_0123456789ABCDEFGHIJKLMNOPQRSTUV2eejgh").is_ok());
    }

    #[test]
    fn the_preview_shows_four_random_characters_and_the_last_four() {
        let key = format().parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").unwrap();
        assert_eq!(key.preview().as_str(), "goa_0123…ax7g");
    }

    #[test]
    fn the_preview_of_a_sha_256_shows_its_first_and_last_digits() {
        let sha256 = std::array::from_fn(|index| u8::try_from(index).unwrap());
        assert_eq!(Preview::of_sha256(&sha256).as_str(), "sha256_0001…1e1f");
    }

    #[test]
    fn the_digest_is_the_hmac_of_the_whole_key() {
        let key = format().parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").unwrap();
        let digest = key.digest(&Pepper::new("p1".to_owned(), [1; 32]));
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&[1; 32]).unwrap();
        mac.update(b"goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g");
        assert_eq!(digest.as_bytes()[..], mac.finalize().into_bytes()[..]);
        assert_ne!(digest, key.digest(&Pepper::new("p2".to_owned(), [2; 32])));
    }

    #[test]
    fn debug_output_hides_keys_and_peppers() {
        let key = format().parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").unwrap();
        assert!(!format!("{key:?}").contains("0123456789AB"));
        assert!(!format!("{:?}", Pepper::new("p1".to_owned(), [171; 32])).contains("171"));
    }

    #[test]
    fn new_keys_get_the_first_prefix_and_all_are_accepted() {
        let both = KeyFormat::new("acme".parse().unwrap(), ["goa".parse().unwrap()]);
        assert!(both.parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").is_ok());
        assert!(both.generate(&mut StdRng::seed_from_u64(1)).expose_secret().starts_with("acme_"));
        assert!(
            KeyFormat::new("acme".parse().unwrap(), []).parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").is_err()
        );
    }

    #[test]
    fn a_prefix_has_lower_case_letters_and_digits() {
        for good in ["go", "goa", "a1", "abcdefghij"] {
            assert!(good.parse::<KeyPrefix>().is_ok(), "{good}");
        }
        for bad in ["", "g", "1a", "Goa", "go_a", "abcdefghijk", "gö"] {
            assert!(bad.parse::<KeyPrefix>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_found_in_a_longer_text_but_a_preview_is_not() {
        assert!(format().is_contained_in("Bearer goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g"));
        assert!(format().is_contained_in("goa_0123456789ABCDEFGHIJ"));
        assert!(!format().is_contained_in("goa_0123…ax7g"));
        assert!(!format().is_contained_in("goa_warehouse"));
    }

    #[test]
    fn every_character_is_drawn_equally_often() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut counts = [0_u32; 256];
        for _ in 0..10_000 {
            for byte in format().generate(&mut rng).expose_secret()[4..36].bytes() {
                counts[usize::from(byte)] += 1;
            }
        }
        let mean = 10_000.0 * 32.0 / 62.0;
        for &character in BASE62 {
            let count = f64::from(counts[usize::from(character)]);
            assert!((count - mean).abs() < mean * 0.08, "{} was drawn {count} times", char::from(character));
        }
    }

    proptest! {
        #[test]
        fn a_generated_key_parses_to_itself(seed: u64) {
            let key = format().generate(&mut StdRng::seed_from_u64(seed));
            let read = format().parse(key.expose_secret()).unwrap();
            prop_assert_eq!(read.expose_secret(), key.expose_secret());
        }

        #[test]
        fn a_key_with_one_changed_character_is_refused(seed: u64, position in 0_usize..42, other in 0_u8..=127) {
            let key = format().generate(&mut StdRng::seed_from_u64(seed));
            let mut bytes = key.expose_secret().as_bytes().to_vec();
            prop_assume!(bytes[position] != other);
            bytes[position] = other;
            prop_assert!(format().parse(std::str::from_utf8(&bytes).unwrap()).is_err());
        }

        #[test]
        fn the_parser_never_panics(text: String) {
            let _ = format().parse(&text);
            let _ = format().is_contained_in(&text);
        }
    }
}
