//! Hashes and verifies passwords with Argon2id (RFC 9106). Verifying costs the same with and without a stored hash.

use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use super::attempt::Reservation;
use crate::domain::user::password::Password;
use crate::random;

// The minimum of OWASP's Password Storage Cheat Sheet.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A password hash in PHC string format.
#[derive(Clone, Debug)]
pub struct PasswordHash(String);

impl PasswordHash {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(argon2::password_hash::Error);

/// Hashes and verifies passwords. Each call takes tens of milliseconds and 19 MiB.
pub struct PasswordHasher {
    argon2: Argon2<'static>,
    /// Verified against if there is no stored hash, so that timing does not reveal which addresses exist.
    dummy_hash: PasswordHash,
}

impl std::fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHasher(…)")
    }
}

impl PasswordHasher {
    pub fn new() -> Result<Self, HashError> {
        let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| HashError(error.into()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        let dummy_hash = hash(&argon2, &random::bytes::<32>())?;
        Ok(Self { argon2, dummy_hash })
    }

    /// Hashes a password with a new salt.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        hash(&self.argon2, password.as_bytes())
    }

    /// Returns whether the password matches the stored hash. Without a stored hash it does the same work. The attempt is
    /// counted already.
    #[must_use]
    pub(super) fn verify(&self, _: &Reservation, password: &Password, stored: Option<&str>) -> bool {
        let hash = stored.unwrap_or(self.dummy_hash.as_str());
        let matches = phc::PasswordHash::new(hash)
            .is_ok_and(|hash| self.argon2.verify_password(password.as_bytes(), &hash).is_ok());
        matches && stored.is_some()
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
    fn only_the_hashed_password_verifies() {
        let hasher = PasswordHasher::new().unwrap();
        let hash = hasher.hash(&Password::presented("violet tram hums")).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let verify = |typed, stored| hasher.verify(&Reservation::uncounted(), &Password::presented(typed), stored);
        assert!(verify("violet tram hums", Some(hash.as_str())));
        assert!(!verify("violet tram hum", Some(hash.as_str())));
        assert!(!verify("violet tram hums", None));
    }
}
