//! Tokens that let somebody in: in a cookie or a link, and as a digest everywhere else.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// SHA-256 of a token: what is stored of it. A token is random, so that a plain hash cannot be reversed by guessing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of what somebody presents as a token; any text has one.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        Self(Sha256::digest(presented).into())
    }

    /// The 32 bytes, for storage.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

/// A new token, in clear: it goes to whoever it is for, and nowhere else.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// The token that 32 random bytes make: 43 characters of base64url.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(random)))
    }

    /// The token, for the one cookie or link that carries it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(self.reveal())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_again_by_its_digest_and_shows_itself_nowhere() {
        let token = Token::new([7; 32]);
        assert_eq!(token.reveal().len(), 43);
        assert!(TokenDigest::of(token.reveal()) == token.digest());
        assert!(TokenDigest::of(token.reveal()) != Token::new([8; 32]).digest());
        assert!(!format!("{token:?}{:?}", token.digest()).contains("Bwc"));
    }
}
