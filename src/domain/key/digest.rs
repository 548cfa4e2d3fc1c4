//! The digest of an API key, and the pepper it is made with.

use std::fmt;

use secrecy::zeroize::Zeroizing;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::domain::mac::KeyedHmac;
use crate::domain::text::normalize::{hex, parse_hex};

/// The server-side secret for key digests. Its id is stored with each digest.
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

    pub(super) fn presented(&self, key: &str) -> PresentedDigests {
        let of_sha256 = self.digest_of_sha256(&Sha256::digest(key).into());
        PresentedDigests { of_key: self.digest(key), of_sha256 }
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper").field("id", &self.id).finish_non_exhaustive()
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

/// The two digests under which a presented key may be stored, see [`DigestKind`]. One read looks for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PresentedDigests {
    pub of_key: KeyDigest,
    pub of_sha256: KeyDigest,
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
        let presented = pepper.presented("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g");
        let sha256 = Sha256::digest("goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g").into();
        assert_eq!(presented.of_sha256, pepper.digest_of_sha256(&sha256));
        assert_eq!(presented.of_sha256.as_bytes(), &hmac_sha256(&[1; 32], &[&sha256]));
        assert_ne!(presented.of_sha256, presented.of_key);
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
