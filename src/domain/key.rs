//! The key itself: its format, its checksum, the preview that may be shown.

use std::str::FromStr;

use rand::{CryptoRng, RngExt};
use secrecy::{ExposeSecret, SecretString};

use super::key_digest::{KeyDigest, Pepper};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_CHARACTERS: usize = 32;
const CHECKSUM_CHARACTERS: usize = 6;
const PREVIEW_CHARACTERS: usize = 4;
/// From this many characters behind a prefix on, a text may hold a key's secret: a preview shows only four.
const KEY_SHAPED_CHARACTERS: usize = 16;

/// The word before a key's underscore: `[a-z][a-z0-9]{1,9}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix(String);

/// Why a text is no key prefix.
#[derive(Debug, thiserror::Error)]
#[error("a key prefix is 2 to 10 lower-case letters and digits and begins with a letter")]
pub struct BadKeyPrefix;

impl FromStr for KeyPrefix {
    type Err = BadKeyPrefix;

    fn from_str(text: &str) -> Result<Self, BadKeyPrefix> {
        let lower_or_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = (2..=10).contains(&text.len())
            && text.as_bytes()[0].is_ascii_lowercase()
            && text.bytes().all(lower_or_digit);
        fits.then(|| Self(text.to_owned())).ok_or(BadKeyPrefix)
    }
}

/// The prefixes of this installation: the first is for new keys, all are accepted.
#[derive(Clone, Debug)]
pub struct KeyFormat {
    newest: KeyPrefix,
    accepted: Vec<KeyPrefix>,
}

/// A text that is no key: wrong prefix, length, alphabet or checksum.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an API key")]
pub struct MalformedKey;

impl KeyFormat {
    /// A format whose new keys carry `newest`, and which accepts that prefix and `also_accepted`.
    #[must_use]
    pub fn new(newest: KeyPrefix, also_accepted: impl IntoIterator<Item = KeyPrefix>) -> Self {
        let accepted = std::iter::once(newest.clone()).chain(also_accepted).collect();
        Self { newest, accepted }
    }

    /// A new key, its 32 characters drawn without bias from `rng`.
    pub fn generate(&self, rng: &mut impl CryptoRng) -> ApiKey {
        let mut text = String::with_capacity(self.newest.0.len() + 1 + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS);
        text.push_str(&self.newest.0);
        text.push('_');
        text.extend((0..RANDOM_CHARACTERS).map(|_| char::from(BASE62[rng.random_range(0..BASE62.len())])));
        let checksum = checksum(&text);
        text.extend(checksum.map(char::from));
        ApiKey { prefix_length: self.newest.0.len(), text: SecretString::from(text) }
    }

    /// Reads a presented key; everything that can be refused without a database is refused here.
    ///
    /// # Errors
    /// [`MalformedKey`], whatever was wrong.
    pub fn parse(&self, presented: &str) -> Result<ApiKey, MalformedKey> {
        let prefix_length = self.check(presented)?;
        Ok(ApiKey { prefix_length, text: SecretString::from(presented) })
    }

    /// The fingerprint of a presented key, without a copy of the key.
    ///
    /// # Errors
    /// [`MalformedKey`], whatever was wrong.
    pub fn digest(&self, presented: &str, pepper: &Pepper) -> Result<KeyDigest, MalformedKey> {
        self.check(presented)?;
        Ok(pepper.digest(presented))
    }

    /// The length of the prefix.
    fn check(&self, presented: &str) -> Result<usize, MalformedKey> {
        let (prefix, rest) = presented.split_once('_').ok_or(MalformedKey)?;
        if !self.accepted.iter().any(|accepted| accepted.0 == prefix) {
            return Err(MalformedKey);
        }
        if rest.len() != RANDOM_CHARACTERS + CHECKSUM_CHARACTERS
            || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err(MalformedKey);
        }
        let (signed, presented_checksum) = presented.split_at(presented.len() - CHECKSUM_CHARACTERS);
        if presented_checksum.as_bytes() != checksum(signed) {
            return Err(MalformedKey);
        }
        Ok(prefix.len())
    }

    /// Whether `text` holds something long enough to be a key, or most of one: it must then not be shown again.
    #[must_use]
    pub fn occurs_in(&self, text: &str) -> bool {
        self.accepted.iter().any(|prefix| {
            text.match_indices(&format!("{}_", prefix.0)).any(|(start, found)| {
                let behind = &text[start + found.len()..];
                behind.bytes().take_while(u8::is_ascii_alphanumeric).count() >= KEY_SHAPED_CHARACTERS
            })
        })
    }
}

/// CRC32 (IEEE) of `text` in base62, most significant digit first.
fn checksum(text: &str) -> [u8; CHECKSUM_CHARACTERS] {
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [BASE62[0]; CHECKSUM_CHARACTERS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[rest % BASE62.len()];
        rest /= BASE62.len();
    }
    digits
}

/// A whole key in clear: never stored, never logged, wiped from memory when dropped. Its checksum fits.
#[derive(Debug)]
pub struct ApiKey {
    prefix_length: usize,
    text: SecretString,
}

impl ApiKey {
    /// The key in clear, for the one answer that shows it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.text.expose_secret()
    }

    /// The part of the key that may be shown for ever: `goa_7Hq2…9fKd`.
    #[must_use]
    pub fn preview(&self) -> Preview {
        let text = self.reveal();
        let (head, tail) = (self.prefix_length + 1 + PREVIEW_CHARACTERS, text.len() - PREVIEW_CHARACTERS);
        Preview(format!("{}…{}", &text[..head], &text[tail..]))
    }

    /// What is stored instead of the key: HMAC-SHA-256 (RFC 2104) of the whole key under the pepper.
    #[must_use]
    pub fn digest(&self, pepper: &Pepper) -> KeyDigest {
        pepper.digest(self.reveal())
    }
}

/// What may be shown of a key: prefix, underscore, first four random characters, `…`, last four characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview(String);

impl Preview {
    /// The preview as text.
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

    #[test]
    fn the_published_vectors_are_keys() {
        for vector in [
            format!("goa_{}0BvU0h", "0".repeat(32)),
            "goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g".to_owned(),
            format!("goa_{}1hLwkT", "z".repeat(32)),
        ] {
            let key = format().parse(&vector).unwrap();
            assert_eq!(key.reveal(), vector);
            assert_eq!(vector.len(), 42);
        }
    }

    #[test]
    fn the_preview_shows_four_random_characters_and_the_last_four() {
        let key = format().parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").unwrap();
        assert_eq!(key.preview().as_str(), "goa_0123…ax7g");
    }

    #[test]
    fn the_digest_is_hmac_sha_256_of_the_whole_key_under_the_pepper() {
        let key = format().parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").unwrap();
        let digest = key.digest(&Pepper::new("p1".to_owned(), [1; 32]));
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&[1; 32]).unwrap();
        mac.update(b"goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g");
        assert_eq!(digest.as_bytes()[..], mac.finalize().into_bytes()[..]);
        assert_ne!(digest, key.digest(&Pepper::new("p2".to_owned(), [2; 32])));
    }

    #[test]
    fn a_key_and_a_pepper_do_not_show_themselves_in_debug_output() {
        let key = format().parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").unwrap();
        assert!(!format!("{key:?}").contains("0123456789AB"));
        assert!(!format!("{:?}", Pepper::new("p1".to_owned(), [171; 32])).contains("171"));
    }

    #[test]
    fn a_second_prefix_is_accepted_and_the_first_is_used_for_new_keys() {
        let both = KeyFormat::new("acme".parse().unwrap(), ["goa".parse().unwrap()]);
        assert!(both.parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").is_ok());
        assert!(both.generate(&mut StdRng::seed_from_u64(1)).reveal().starts_with("acme_"));
        assert!(
            KeyFormat::new("acme".parse().unwrap(), []).parse("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").is_err()
        );
    }

    #[test]
    fn a_prefix_is_lower_case_letters_and_digits() {
        for good in ["go", "goa", "a1", "abcdefghij"] {
            assert!(good.parse::<KeyPrefix>().is_ok(), "{good}");
        }
        for bad in ["", "g", "1a", "Goa", "go_a", "abcdefghijk", "gö"] {
            assert!(bad.parse::<KeyPrefix>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pasted_key_is_recognised_in_a_longer_text_and_a_preview_is_not() {
        assert!(format().occurs_in("Bearer goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g"));
        assert!(format().occurs_in("goa_0123456789ABCDEFGHIJ"));
        assert!(!format().occurs_in("goa_0123…ax7g"));
        assert!(!format().occurs_in("goa_warehouse"));
    }

    #[test]
    fn every_character_of_the_alphabet_is_drawn_about_as_often_as_every_other() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut counts = [0_u32; 256];
        for _ in 0..10_000 {
            for byte in format().generate(&mut rng).reveal()[4..36].bytes() {
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
        fn a_generated_key_reads_back_the_same(seed: u64) {
            let key = format().generate(&mut StdRng::seed_from_u64(seed));
            let read = format().parse(key.reveal()).unwrap();
            prop_assert_eq!(read.reveal(), key.reveal());
        }

        #[test]
        fn a_key_with_any_one_character_changed_is_refused(seed: u64, position in 0_usize..42, other in 0_u8..=127) {
            let key = format().generate(&mut StdRng::seed_from_u64(seed));
            let mut bytes = key.reveal().as_bytes().to_vec();
            prop_assume!(bytes[position] != other);
            bytes[position] = other;
            prop_assert!(format().parse(std::str::from_utf8(&bytes).unwrap()).is_err());
        }

        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            let _ = format().parse(&text);
            let _ = format().occurs_in(&text);
        }
    }
}
