//! The digest of an API key, and the pepper it is made with.

use std::fmt;

use secrecy::zeroize::Zeroizing;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::domain::ids::{CompanyId, KeyId};
use crate::domain::mac::KeyedHmac;
use crate::domain::text::normalize::{hex, parse_hex};

/// The server-side secret for key digests. Its id is stored with each digest.
#[derive(Clone)]
pub struct Pepper {
    id: String,
    hmac: KeyedHmac,
}

impl Pepper {
    #[must_use]
    pub fn new(id: String, secret: [u8; 32]) -> Self {
        Self { id, hmac: KeyedHmac::new(&Zeroizing::new(secret)) }
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the keyed value of a text that is not a key.
    #[must_use]
    pub fn keyed_value(&self, text: &[u8]) -> [u8; 32] {
        self.hmac.sign(text)
    }

    pub(super) fn digest(&self, key: &str) -> KeyDigest {
        KeyDigest(self.hmac.sign(key.as_bytes()))
    }

    /// Returns the digest of a key of which only the SHA-256 is known. It differs from the digest of every key: a key is
    /// longer than a SHA-256.
    #[must_use]
    pub fn digest_of_sha256(&self, sha256: &[u8; 32]) -> KeyDigest {
        KeyDigest(self.hmac.sign(sha256))
    }

    fn pair(&self, key: &str, sha256: &[u8; 32]) -> DigestPair {
        DigestPair { of_key: self.digest(key), of_sha256: self.digest_of_sha256(sha256) }
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The peppers under which keys may be stored.
#[derive(Clone, Debug)]
pub struct Peppers {
    active: Pepper,
    others: Vec<Pepper>,
}

impl Peppers {
    /// Returns the peppers of a list, of which the first one is that of new digests. `None` if there is none.
    #[must_use]
    pub fn new(mut peppers: Vec<Pepper>) -> Option<Self> {
        let others = peppers.split_off(1.min(peppers.len()));
        Some(Self { active: peppers.pop()?, others })
    }

    /// The pepper of new digests.
    #[must_use]
    pub const fn active(&self) -> &Pepper {
        &self.active
    }

    /// Returns all peppers, the active one first.
    pub fn iter(&self) -> impl Iterator<Item = &Pepper> {
        std::iter::once(&self.active).chain(&self.others)
    }

    /// Returns the digests of a key of which only the SHA-256 is known.
    #[must_use]
    pub fn presented_sha256(&self, sha256: &[u8; 32]) -> PresentedDigests {
        let pair = |pepper: &Pepper| {
            let digest = pepper.digest_of_sha256(sha256);
            DigestPair { of_key: digest, of_sha256: digest }
        };
        PresentedDigests { current: pair(&self.active), others: self.others.iter().map(pair).collect() }
    }

    pub(super) fn presented(&self, key: &str) -> PresentedDigests {
        let sha256 = Sha256::digest(key).into();
        let current = self.active.pair(key, &sha256);
        PresentedDigests { current, others: self.others.iter().map(|pepper| pepper.pair(key, &sha256)).collect() }
    }
}

/// The stored digest of a key: HMAC-SHA-256 of the whole key under a pepper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub(super) [u8; 32]);

impl KeyDigest {
    /// Reads a stored digest. Returns `None` if it does not have 32 bytes.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What a stored digest was computed from, under the pepper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DigestKind {
    #[default]
    Key,
    /// The SHA-256 of a key, which is all that was imported of it.
    Sha256,
}

impl DigestKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Sha256 => "sha256",
        }
    }
}

/// The two digests under which a presented key may be stored with one pepper, see [`DigestKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DigestPair {
    pub of_key: KeyDigest,
    pub of_sha256: KeyDigest,
}

impl DigestPair {
    /// Whether this is one of the two.
    #[must_use]
    pub fn contains(&self, digest: &KeyDigest) -> bool {
        self.of_key == *digest || self.of_sha256 == *digest
    }
}

/// All digests under which a presented key may be stored. One read looks for all of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PresentedDigests {
    /// Under the active pepper.
    pub current: DigestPair,
    /// Under the other peppers. Empty, and then without an allocation, unless the pepper is being rotated.
    pub others: Box<[DigestPair]>,
}

impl From<DigestPair> for PresentedDigests {
    fn from(current: DigestPair) -> Self {
        Self { current, others: Box::default() }
    }
}

impl PresentedDigests {
    /// Returns the digest of the same kind under the active pepper. `None` for a digest that is not one of these.
    #[must_use]
    pub fn renewed(&self, stored: &KeyDigest) -> Option<KeyDigest> {
        let pair = self.pairs().find(|pair| pair.contains(stored))?;
        Some(if pair.of_key == *stored { self.current.of_key } else { self.current.of_sha256 })
    }

    /// Returns the pairs, that of the active pepper first.
    pub fn pairs(&self) -> impl Iterator<Item = &DigestPair> {
        std::iter::once(&self.current).chain(&self.others)
    }
}

/// The digest of an accepted key that is to be replaced by the one under the active pepper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestRenewal {
    pub company_id: CompanyId,
    pub key_id: KeyId,
    pub old: KeyDigest,
    pub new: KeyDigest,
    /// The pepper of the new digest.
    pub pepper_id: String,
}

/// The SHA-256 of a stored digest. The audit trail holds it, so that an exchanged digest is found. It does not
/// help to guess a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestFingerprint([u8; 32]);

impl DigestFingerprint {
    /// Returns the fingerprint of a digest as it is stored.
    #[must_use]
    pub fn of(stored: &[u8]) -> Self {
        Self(Sha256::digest(stored).into())
    }
}

/// 64 lower-case hexadecimal digits.
impl Serialize for DigestFingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for DigestFingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_hex(&text).map(Self).ok_or_else(|| D::Error::custom("not a fingerprint"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mac::hmac_sha256;

    #[test]
    fn the_digest_of_a_sha_256_is_its_hmac() {
        let pepper = Pepper::new("p1".to_owned(), [1; 32]);
        let peppers = Peppers::new(vec![pepper.clone()]).unwrap();
        let presented = peppers.presented("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").current;
        let sha256 = Sha256::digest("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").into();
        assert_eq!(presented.of_sha256, pepper.digest_of_sha256(&sha256));
        assert_eq!(presented.of_sha256.as_bytes(), &hmac_sha256(&[1; 32], &[&sha256]));
        assert_ne!(presented.of_sha256, presented.of_key);
    }

    #[test]
    fn a_key_is_looked_for_under_every_pepper() {
        let [active, former] = [1, 2].map(|seed| Pepper::new(format!("p{seed}"), [seed; 32]));
        let presented = Peppers::new(vec![active.clone(), former.clone()]).unwrap().presented("goa_1");
        assert_eq!(presented.current.of_key, active.digest("goa_1"));
        assert_eq!(presented.others[0].of_key, former.digest("goa_1"));
        assert_eq!(presented.pairs().count(), 2);
        assert!(Peppers::new(Vec::new()).is_none());
    }

    #[test]
    fn a_fingerprint_is_the_sha_256_in_hexadecimal() {
        let fingerprint = DigestFingerprint::of(b"abc");
        let json = r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#;
        assert_eq!(serde_json::to_string(&fingerprint).unwrap(), json);
        assert_eq!(serde_json::from_str::<DigestFingerprint>(json).unwrap(), fingerprint);
        for wrong in [&json.to_uppercase(), "\"ba78\"", "\"\"", &json.replace('b', "g")] {
            assert!(serde_json::from_str::<DigestFingerprint>(wrong).is_err(), "{wrong}");
        }
    }
}
