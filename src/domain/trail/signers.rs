//! The keys that sign checkpoints: one that signs now, and those that signed before it.

use crate::domain::trail::checkpoint::{CheckpointKey, CheckpointSigner};

/// The signing keys of an installation.
#[derive(Debug)]
pub struct CheckpointSigners {
    /// Signs all new checkpoints.
    pub active: CheckpointSigner,
    /// Signed earlier checkpoints, and are kept until nothing needs them.
    pub former: Vec<CheckpointSigner>,
}

impl CheckpointSigners {
    #[must_use]
    pub const fn new(active: CheckpointSigner) -> Self {
        Self { active, former: Vec::new() }
    }

    /// Returns the public keys, that of the active signer first.
    #[must_use]
    pub fn public_keys(&self) -> Vec<CheckpointKey> {
        std::iter::once(&self.active).chain(&self.former).map(CheckpointSigner::public_key).collect()
    }

    /// Returns the key with these bytes, which a database names as its own; that of the active signer if it is none of these.
    #[must_use]
    pub fn key_of_database(&self, bytes: &[u8]) -> CheckpointKey {
        let key = self.public_keys().into_iter().find(|key| key.to_bytes()[..] == *bytes);
        key.unwrap_or_else(|| self.active.public_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_database_may_be_a_former_one() {
        let signer = |seed| CheckpointSigner::from_seed(&[seed; 32]);
        let signers = CheckpointSigners { active: signer(9), former: vec![signer(8)] };
        let key = |seed| signer(seed).public_key();
        assert_eq!(signers.public_keys(), [key(9), key(8)]);
        for (stored, expected) in [(9, 9), (8, 8), (7, 9)] {
            assert_eq!(signers.key_of_database(&key(stored).to_bytes()), key(expected));
        }
    }
}
