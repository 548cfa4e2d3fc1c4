//! The sets of secrets that are accepted, and the one that is used for what is new.

use std::sync::Arc;

use super::set::SecretSet;
use crate::domain::key::digest::Peppers;
use crate::domain::secret_set::SecretSetRecords;
use crate::domain::timestamp::Timestamp;
use crate::domain::trail::checkpoint::{CheckpointKey, CheckpointSigner};

/// The accepted sets at one time. It does not change.
#[derive(Debug)]
pub struct Keyring {
    /// The active set comes first, then the others, the newest first.
    sets: Vec<Arc<SecretSet>>,
    oldest: Arc<SecretSet>,
    /// A set that is active in the database and not in the file.
    lacking: Option<String>,
    peppers: Peppers,
    /// The set with which the installation was created.
    first: Option<Arc<str>>,
    /// Counts the keyrings of this process.
    pub(super) generation: u64,
}

impl Keyring {
    /// Returns the accepted ones of the file's sets, in the order of the file. Without records, as before the first start,
    /// all are accepted and the first one is active.
    pub(super) fn new(
        file: &[Arc<SecretSet>],
        records: &SecretSetRecords,
        now: Timestamp,
        generation: u64,
    ) -> Option<Self> {
        let is_retired = |id: &str| records.get(id).is_some_and(|record| record.retired_at.is_some());
        let mut sets: Vec<_> = file.iter().filter(|set| !is_retired(set.id())).cloned().collect();
        let is_in_file = |id: &str| file.iter().any(|set| set.id() == id);
        let lacking = [records.activated_last(), records.active(now)].into_iter().flatten();
        let lacking = lacking.map(|record| record.id.clone()).find(|id| !is_in_file(id));
        let active = records.active_among(now, is_in_file);
        let oldest = records.live().find_map(|record| sets.iter().find(|set| set.id() == record.id)).cloned();
        let oldest = oldest.or_else(|| sets.last().cloned())?;
        if let Some(index) = active.and_then(|active| sets.iter().position(|set| set.id() == active.id)) {
            sets[..=index].rotate_right(1);
        }
        let peppers = Peppers::new(sets.iter().map(|set| set.pepper.clone()).collect())?;
        let first = records.iter().next().map(|record| record.id.as_str().into());
        Some(Self { sets, oldest, lacking, peppers, first, generation })
    }

    /// Whether the two differ in nothing but their number.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_same_set = |(one, other): (&Arc<SecretSet>, &Arc<SecretSet>)| Arc::ptr_eq(one, other);
        self.lacking == other.lacking
            && self.first == other.first
            && self.sets.len() == other.sets.len()
            && self.sets.iter().zip(&other.sets).all(is_same_set)
    }

    /// The set for what is new.
    #[must_use]
    pub fn active(&self) -> &Arc<SecretSet> {
        &self.sets[0]
    }

    /// Returns all accepted sets, the active one first.
    pub fn sets(&self) -> impl Iterator<Item = &SecretSet> {
        self.sets.iter().map(|set| &**set)
    }

    /// Returns the accepted set that was added first. A set that is pending is newer than the active one.
    #[must_use]
    pub fn oldest(&self) -> &SecretSet {
        &self.oldest
    }

    /// Returns the accepted set with this id.
    #[must_use]
    pub fn set(&self, id: &str) -> Option<&SecretSet> {
        self.sets().find(|set| set.id() == id)
    }

    /// The peppers of all accepted sets.
    #[must_use]
    pub const fn peppers(&self) -> &Peppers {
        &self.peppers
    }

    /// Returns the public keys of the signers, that of the active set first.
    #[must_use]
    pub fn public_keys(&self) -> Vec<CheckpointKey> {
        self.sets().map(|set| set.signer.public_key()).collect()
    }

    /// Returns the key with these bytes, which a database names as its own; that of the active set if it is none of these.
    #[must_use]
    pub fn key_of_database(&self, bytes: &[u8]) -> CheckpointKey {
        let key = self.public_keys().into_iter().find(|key| key.to_bytes()[..] == *bytes);
        key.unwrap_or_else(|| self.active().signer.public_key())
    }

    /// Returns the signer that a stored checkpoint of the trail `origin` names. Another server may have activated its set
    /// a moment ago. Does not verify the signature.
    #[must_use]
    pub fn signer_named_in(&self, checkpoint: &str, origin: &str) -> Option<&Arc<CheckpointSigner>> {
        self.sets.iter().map(|set| &set.signer).find(|signer| signer.public_key().is_named_in(checkpoint, origin))
    }

    /// Returns the id of the set that is active in the database and missing in the file. What other servers made with it
    /// cannot be recognized.
    #[must_use]
    pub fn lacking(&self) -> Option<&str> {
        self.lacking.as_deref()
    }

    /// Returns the id of the set with which the installation was created, which may be retired.
    #[must_use]
    pub const fn first(&self) -> Option<&Arc<str>> {
        self.first.as_ref()
    }

    /// A number that is another one after each change.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}
