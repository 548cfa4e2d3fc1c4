//! What is stored instead of a key, and the secret that it takes to make it.

use std::fmt;

use secrecy::zeroize::Zeroizing;

use super::mac;

/// The server-side secret under which keys are digested, and the name it goes by in stored rows.
pub struct Pepper {
    id: String,
    taken_in: mac::TakenIn,
}

impl Pepper {
    /// A pepper with its id.
    #[must_use]
    pub fn new(id: String, secret: [u8; 32]) -> Self {
        Self { id, taken_in: mac::TakenIn::new(&Zeroizing::new(secret)) }
    }

    /// The id that is stored beside each digest made under this pepper.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn digest(&self, key: &str) -> KeyDigest {
        KeyDigest(self.taken_in.over(key.as_bytes()))
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The stored fingerprint of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub(super) [u8; 32]);

impl KeyDigest {
    /// A digest as it was stored.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes, for storage.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
