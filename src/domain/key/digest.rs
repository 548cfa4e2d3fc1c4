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

/// The SHA-256 of a stored digest. The audit trail holds it, so that an exchanged digest is found; it helps nobody to
/// guess a key.
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
