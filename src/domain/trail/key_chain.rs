//! The keys that signed a trail, one after the other, linked by notes of their changes.

use std::iter;

use crate::domain::trail::checkpoint::{Checkpoint, CheckpointError, CheckpointKey};
use crate::domain::trail::key_change::KeyChange;

/// More changes of one trail are refused, so that a file or a database cannot demand work without end.
pub const MAX_KEY_CHANGES: usize = 1_000;

/// Why the changes of a key are refused. Displays as a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyChainError {
    #[error("change {number} of its signing key is not valid: {error}")]
    Invalid { number: usize, error: CheckpointError },
    /// Its former key is not the next key of the change before it, or its trail is shorter.
    #[error("change {0} of its signing key does not continue the one before it")]
    NotContinued(usize),
    /// A key returns.
    #[error("change {0} of its signing key names a key that signed before")]
    Repeated(usize),
    #[error("its signing key was changed more than {MAX_KEY_CHANGES} times")]
    TooMany,
    /// The trusted key is none of them.
    #[error("it was not signed under this public key, and no change of its signing key leads there")]
    OtherKey,
}

/// The keys that signed a trail. Each change is signed by both of its keys, so a reader who trusts one of the keys can
/// trust all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChain {
    first: CheckpointKey,
    changes: Vec<KeyChange>,
}

impl KeyChain {
    /// Returns the chain of a key that was never changed.
    #[must_use]
    pub const fn of_key(key: CheckpointKey) -> Self {
        Self { first: key, changes: Vec::new() }
    }

    /// Reads the notes of the trail `origin`, in their order. Without notes, all is signed by the trusted key.
    ///
    /// # Errors
    /// [`KeyChainError`]: a note is not valid, they do not continue each other, or the trusted key is none of theirs.
    pub fn read<'a>(
        trusted: CheckpointKey,
        notes: impl IntoIterator<Item = &'a str>,
        origin: &str,
    ) -> Result<Self, KeyChainError> {
        let mut chain: Option<Self> = None;
        for (number, note) in (1..).zip(notes) {
            if number > MAX_KEY_CHANGES {
                return Err(KeyChainError::TooMany);
            }
            let change = KeyChange::read(note, origin).map_err(|error| KeyChainError::Invalid { number, error })?;
            let chain = chain.get_or_insert_with(|| Self::of_key(change.former));
            chain.push(number, &change)?;
        }
        let chain = chain.unwrap_or_else(|| Self::of_key(trusted));
        if chain.contains(trusted) { Ok(chain) } else { Err(KeyChainError::OtherKey) }
    }

    /// Reads the notes of a database for its own server. Notes that are not valid are ignored here: a check of the trail
    /// reports them, and they must not stop the server.
    #[must_use]
    pub fn read_or_key(key: CheckpointKey, notes: &[String], origin: &str) -> Self {
        Self::read(key, notes.iter().map(String::as_str), origin).unwrap_or_else(|_| Self::of_key(key))
    }

    fn push(&mut self, number: usize, change: &KeyChange) -> Result<(), KeyChainError> {
        let size = self.changes.last().map_or(0, |last| last.checkpoint.size);
        if change.former != self.active() || change.checkpoint.size < size {
            return Err(KeyChainError::NotContinued(number));
        }
        if self.contains(change.next) {
            return Err(KeyChainError::Repeated(number));
        }
        self.changes.push(*change);
        Ok(())
    }

    /// Returns the keys in their order, each with the number of events from which on it signs.
    fn keys(&self) -> impl DoubleEndedIterator<Item = (CheckpointKey, u64)> {
        let later = self.changes.iter().map(|change| (change.next, change.checkpoint.size));
        iter::once((self.first, 0)).chain(later)
    }

    #[must_use]
    pub fn contains(&self, key: CheckpointKey) -> bool {
        self.keys().any(|(known, _)| known == key)
    }

    /// Returns the key that signs now.
    #[must_use]
    pub fn active(&self) -> CheckpointKey {
        self.changes.last().map_or(self.first, |last| last.next)
    }

    #[must_use]
    pub fn changes(&self) -> &[KeyChange] {
        &self.changes
    }

    /// Returns the changes that come after a key of the chain.
    #[must_use]
    pub fn changes_after(&self, key: CheckpointKey) -> &[KeyChange] {
        let known = self.changes.iter().position(|change| change.next == key).map_or(0, |at| at + 1);
        self.changes.get(known..).unwrap_or_default()
    }

    /// Verifies a checkpoint that was kept: any key of the chain may have signed it, from its change on.
    ///
    /// # Errors
    /// [`CheckpointError`]: why it is refused.
    pub fn verify(&self, note: &str, origin: &str) -> Result<Checkpoint, CheckpointError> {
        let mut refusal = None;
        for (key, from) in self.keys().rev() {
            match key.verify(note, origin) {
                Ok(checkpoint) if checkpoint.size >= from => return Ok(checkpoint),
                Ok(_) => refusal = Some(CheckpointError::KeyTooNew(from)),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or(CheckpointError::BadSignature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trail::checkpoint::CheckpointSigner;

    const ORIGIN: &str = "keydesk/installation/trail";

    fn signer(seed: u8) -> CheckpointSigner {
        CheckpointSigner::from_seed(&[seed; 32])
    }

    fn key(seed: u8) -> CheckpointKey {
        signer(seed).public_key()
    }

    fn note(former: u8, next: u8, size: u64) -> String {
        KeyChange::sign(ORIGIN, Checkpoint { size, root: [0; 32] }, &signer(former), &signer(next))
    }

    fn read(trusted: u8, notes: &[String]) -> Result<KeyChain, KeyChainError> {
        KeyChain::read(key(trusted), notes.iter().map(String::as_str), ORIGIN)
    }

    #[test]
    fn a_chain_is_trusted_from_any_of_its_keys() {
        let notes = [note(1, 2, 5), note(2, 3, 5), note(3, 4, 9)];
        for trusted in 1..=4 {
            let chain = read(trusted, &notes).unwrap();
            assert_eq!((chain.active(), chain.changes().len()), (key(4), 3));
            let after: Vec<u64> =
                chain.changes_after(key(trusted)).iter().map(|change| change.checkpoint.size).collect();
            assert_eq!(after, [5, 5, 9][usize::from(trusted) - 1..]);
        }
        assert_eq!(read(5, &notes), Err(KeyChainError::OtherKey));
        assert_eq!(read(5, &[]).map(|chain| chain.active()), Ok(key(5)));
    }

    #[test]
    fn broken_chains_are_refused() {
        let repeated = [note(1, 2, 5), note(2, 1, 6)];
        for (notes, error) in [
            (&[note(1, 2, 5), note(3, 4, 9)][..], KeyChainError::NotContinued(2)),
            (&[note(2, 3, 7), note(1, 2, 5)], KeyChainError::NotContinued(2)),
            (&[note(1, 2, 5), note(2, 3, 4)], KeyChainError::NotContinued(2)),
            (&repeated, KeyChainError::Repeated(2)),
            (&[note(1, 1, 5)], KeyChainError::Repeated(1)),
            (
                &[signer(1).sign(ORIGIN, 5, &[0; 32])],
                KeyChainError::Invalid { number: 1, error: CheckpointError::Malformed },
            ),
        ] {
            assert_eq!(read(1, notes), Err(error), "{notes:?}");
        }
        let seed = |number: usize| <[u8; 32]>::try_from([&number.to_be_bytes()[..], &[1; 24]].concat()).unwrap();
        let signers: Vec<_> =
            (0..=MAX_KEY_CHANGES + 1).map(|number| CheckpointSigner::from_seed(&seed(number))).collect();
        let tree = Checkpoint { size: 0, root: [0; 32] };
        let notes: Vec<_> = signers.windows(2).map(|pair| KeyChange::sign(ORIGIN, tree, &pair[0], &pair[1])).collect();
        let read = |notes: &[String]| {
            KeyChain::read(signers[0].public_key(), notes.iter().map(String::as_str), ORIGIN).map(|_| ())
        };
        assert_eq!(read(&notes), Err(KeyChainError::TooMany));
        assert_eq!(read(&notes[..MAX_KEY_CHANGES]), Ok(()));
    }

    #[test]
    fn a_kept_checkpoint_may_be_signed_by_a_former_key() {
        let chain = read(3, &[note(1, 2, 5), note(2, 3, 9)]).unwrap();
        let signed = |seed, size| signer(seed).sign(ORIGIN, size, &[7; 32]);
        for (seed, size) in [(1, 0), (1, 5), (1, 12), (2, 5), (2, 9), (3, 9), (3, 12)] {
            assert_eq!(chain.verify(&signed(seed, size), ORIGIN).map(|kept| kept.size), Ok(size), "{seed} {size}");
        }
        for (seed, size, error) in [
            (2, 4, CheckpointError::KeyTooNew(5)),
            (3, 8, CheckpointError::KeyTooNew(9)),
            (4, 12, CheckpointError::BadSignature),
        ] {
            assert_eq!(chain.verify(&signed(seed, size), ORIGIN), Err(error), "{seed} {size}");
        }
        let elsewhere = "keydesk/installation/other";
        assert_eq!(chain.verify(&signed(1, 3), elsewhere), Err(CheckpointError::WrongOrigin));
    }

    #[test]
    fn invalid_notes_in_a_database_do_not_stop_its_server() {
        let foreign = [note(7, 8, 5)];
        assert_eq!(KeyChain::read_or_key(key(3), &foreign, ORIGIN), KeyChain::of_key(key(3)));
        assert_eq!(KeyChain::read_or_key(key(3), &[note(2, 3, 5)], ORIGIN).changes().len(), 1);
    }
}
