//! Argon2id (RFC 9106): hashing passwords, and checking them at the same cost whether or not there is one to check.

use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::domain::password::Password;
use crate::random;

/// 19 MiB, two passes, one lane: the minimum of OWASP's Password Storage Cheat Sheet.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The hash of a password, in PHC string format.
#[derive(Clone, Debug)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The PHC string, for storage.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(argon2::password_hash::Error);

/// Hashes and checks passwords; each call takes tens of milliseconds and 19 MiB.
pub struct PasswordHasher {
    argon2: Argon2<'static>,
    of_nobody: PasswordHash,
}

impl std::fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHasher(…)")
    }
}

impl PasswordHasher {
    /// A hasher with today's parameters, and the hash of a password that nobody has, made with the same ones.
    ///
    /// # Errors
    /// [`HashError`].
    pub fn new() -> Result<Self, HashError> {
        let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| HashError(error.into()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        let of_nobody = hash(&argon2, &random::bytes::<32>())?;
        Ok(Self { argon2, of_nobody })
    }

    /// Hashes a password under a new salt.
    ///
    /// # Errors
    /// [`HashError`].
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        hash(&self.argon2, password.as_bytes())
    }

    /// Whether the password is the one that was hashed; without a hash, the same work is done for nothing.
    #[must_use]
    pub fn verify(&self, password: &Password, stored: Option<&str>) -> bool {
        let hash = stored.unwrap_or(self.of_nobody.as_str());
        let fits = phc::PasswordHash::new(hash)
            .is_ok_and(|hash| self.argon2.verify_password(password.as_bytes(), &hash).is_ok());
        fits && stored.is_some()
    }
}

fn hash(argon2: &Argon2<'_>, password: &[u8]) -> Result<PasswordHash, HashError> {
    let hash: phc::PasswordHash =
        argon2.hash_password_with_salt(password, &random::bytes::<16>()).map_err(HashError)?;
    Ok(PasswordHash(hash.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_that_was_hashed_fits_and_no_other() {
        let hasher = PasswordHasher::new().unwrap();
        let hash = hasher.hash(&Password::presented("violet tram hums")).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(hasher.verify(&Password::presented("violet tram hums"), Some(hash.as_str())));
        assert!(!hasher.verify(&Password::presented("violet tram hum"), Some(hash.as_str())));
        assert!(!hasher.verify(&Password::presented("violet tram hums"), None));
    }
}
