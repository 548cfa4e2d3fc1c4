//! Random tokens in cookies, links and credentials. Only their digests are stored.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The SHA-256 of a token. Tokens are random, so a plain hash cannot be reversed by guessing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Returns the digest of a presented token. Any text has one.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        Self(Sha256::digest(presented).into())
    }

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

/// A plaintext token.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// Returns the token of 32 random bytes: 43 characters of base64url.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(random)))
    }

    /// Returns the plaintext token, for its cookie or link.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    #[must_use]
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(self.expose_secret())
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
    fn a_token_matches_its_digest_and_is_hidden_from_debug() {
        let token = Token::new([7; 32]);
        assert_eq!(token.expose_secret().len(), 43);
        assert!(TokenDigest::of(token.expose_secret()) == token.digest());
        assert!(TokenDigest::of(token.expose_secret()) != Token::new([8; 32]).digest());
        assert!(!format!("{token:?}{:?}", token.digest()).contains("Bwc"));
    }
}
