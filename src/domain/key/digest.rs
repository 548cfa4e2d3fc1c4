//! The digest of an API key, and the pepper it is made with.

use std::fmt;

use secrecy::zeroize::Zeroizing;

use crate::domain::mac::KeyedHmac;

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
