//! Verifies a trail event by event, then its head: the frontier and the signed checkpoint.

use std::collections::VecDeque;

use crate::domain::trail::checkpoint::{Checkpoint, CheckpointError, CheckpointKey};
use crate::domain::trail::event::Event;
use crate::domain::trail::key_chain::KeyChainError;
use crate::domain::trail::merkle::{Frontier, Hash, leaf_hash};

/// The stored head of a trail.
#[derive(Clone, Debug)]
pub struct TrailHead {
    /// The number of events.
    pub size: i64,
    /// See [`Frontier::to_bytes`].
    pub frontier: Vec<u8>,
    /// The latest checkpoint, as a signed note.
    pub checkpoint: String,
}

/// The first error in a trail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrailError {
    #[error("event {missing} is missing")]
    Missing { missing: i64 },
    /// An event does not match its stored hash.
    #[error("event {sequence} ({id}) was changed after it was recorded")]
    Changed { sequence: i64, id: String },
    /// There is an event that was not recorded.
    #[error("event {sequence} ({id}) was never recorded")]
    Added { sequence: i64, id: String },
    /// An event and its stored hash were both changed. The frontier only tells a range.
    #[error("one of the events {first} to {last} was changed after it was recorded")]
    Replaced { first: u64, last: u64 },
    /// The stored frontier does not match the size.
    #[error("the head of the trail is damaged")]
    DamagedHead,
    #[error("the checkpoint is not valid: {0}")]
    Checkpoint(CheckpointError),
    /// The checkpoint is genuine but signs another tree.
    #[error("the checkpoint signs {signed} events, which are not the {found} stored ones")]
    TreeMismatch { signed: u64, found: u64 },
    /// The trail is not an extension of the trusted checkpoint.
    #[error("it does not start with the {0} events that your checkpoint signs: its history was changed")]
    HistoryChanged(u64),
    #[error("{0}")]
    Keys(KeyChainError),
    /// The trail is not an extension of the tree that a change of its signing key signs.
    #[error("it does not start with the {0} events that a change of its signing key signs: its history was changed")]
    KeyChangeMismatch(u64),
    /// The trail has fewer events than a change of its signing key signs.
    #[error("its end was cut off: a change of its signing key signs {signed} events, and there are {found}")]
    CutBeforeKeyChange { signed: u64, found: u64 },
    /// The trail has fewer events than the trusted checkpoint.
    #[error("its end was cut off: your checkpoint signs {trusted} events, and there are {found}")]
    Truncated { trusted: u64, found: u64 },
}

/// Returns the leaf of an event if it has the expected sequence number in a trail of `size` events, and matches its
/// stored hash.
pub fn verify_leaf(expected: i64, size: i64, event: &Event, stored_leaf: &[u8]) -> Result<Hash, TrailError> {
    let sequence = event.sequence;
    if sequence > expected {
        return Err(TrailError::Missing { missing: expected });
    }
    if sequence < expected || sequence > size {
        return Err(TrailError::Added { sequence, id: event.id.clone() });
    }
    let leaf = leaf_hash(&event.canonical_bytes());
    if leaf[..] == *stored_leaf { Ok(leaf) } else { Err(TrailError::Changed { sequence, id: event.id.clone() }) }
}

/// A running check. It takes the leaves in order, then the head.
#[derive(Debug, Default)]
pub struct TrailCheck {
    tree: Frontier,
    /// A checkpoint from outside the database, with a verified signature.
    trusted: Option<Checkpoint>,
    /// Trees that changes of the key sign, which the check has yet to reach.
    key_changes: VecDeque<Checkpoint>,
}

impl TrailCheck {
    /// Starts a check. `trusted` is a checkpoint from outside the database, with a verified signature.
    #[must_use]
    pub fn new(trusted: Option<Checkpoint>) -> Self {
        Self { trusted, ..Self::default() }
    }

    /// Returns the sequence number of the next event.
    #[must_use]
    pub fn next_sequence(&self) -> i64 {
        i64::try_from(self.tree.size()).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// Adds the trees that changes of the key sign, in the order of their sizes.
    pub fn expect(&mut self, key_changes: impl IntoIterator<Item = Checkpoint>) -> Result<(), TrailError> {
        self.key_changes.extend(key_changes);
        self.compare_key_changes()
    }

    fn compare_key_changes(&mut self) -> Result<(), TrailError> {
        while let Some(signed) = self.key_changes.front().filter(|signed| signed.size <= self.tree.size()) {
            if signed.size != self.tree.size() || signed.root != self.tree.root() {
                return Err(TrailError::KeyChangeMismatch(signed.size));
            }
            self.key_changes.pop_front();
        }
        Ok(())
    }

    /// Takes the leaf of the next event, see [`verify_leaf`].
    pub fn push(&mut self, leaf: Hash) -> Result<(), TrailError> {
        self.tree.push(leaf);
        self.compare_key_changes()?;
        match self.trusted {
            Some(trusted) if trusted.size == self.tree.size() && trusted.root != self.tree.root() => {
                Err(TrailError::HistoryChanged(trusted.size))
            }
            _ => Ok(()),
        }
    }

    /// Verifies the head against the leaves. Returns the number of verified events.
    pub fn finish(self, head: &TrailHead, origin: &str, key: CheckpointKey) -> Result<u64, TrailError> {
        let found = self.tree.size();
        let size = u64::try_from(head.size).map_err(|_| TrailError::DamagedHead)?;
        if found < size {
            return Err(TrailError::Missing { missing: self.next_sequence() });
        }
        if let Some(trusted) = self.trusted.filter(|trusted| trusted.size > found) {
            return Err(TrailError::Truncated { trusted: trusted.size, found });
        }
        if let Some(signed) = self.key_changes.front() {
            return Err(TrailError::CutBeforeKeyChange { signed: signed.size, found });
        }
        let frontier = Frontier::from_bytes(size, &head.frontier).ok_or(TrailError::DamagedHead)?;
        if let Some(leaves) = self.tree.first_difference(&frontier) {
            return Err(TrailError::Replaced { first: leaves.start + 1, last: leaves.end });
        }
        let signed = key.verify(&head.checkpoint, origin).map_err(TrailError::Checkpoint)?;
        if signed.size != found || signed.root != self.tree.root() {
            return Err(TrailError::TreeMismatch { signed: signed.size, found });
        }
        match self.trusted {
            // An empty checkpoint matches no leaf, so its root is compared here.
            Some(trusted) if trusted.size == 0 && trusted.root != Frontier::default().root() => {
                Err(TrailError::HistoryChanged(0))
            }
            _ => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trail::checkpoint::CheckpointSigner;
    use crate::domain::trail::event::tests::event;

    const ORIGIN: &str = "keydesk/installation/trail";

    fn trail(size: i64) -> (Vec<(Event, Vec<u8>)>, TrailHead) {
        let mut tree = Frontier::default();
        let events = (1..=size).map(event).map(|event| {
            let leaf = leaf_hash(&event.canonical_bytes());
            tree.push(leaf);
            (event, leaf.to_vec())
        });
        let events = events.collect();
        let checkpoint = CheckpointSigner::from_seed(&[9; 32]).sign(ORIGIN, tree.size(), &tree.root());
        (events, TrailHead { size, frontier: tree.to_bytes(), checkpoint })
    }

    fn check(events: &[(Event, Vec<u8>)], head: &TrailHead) -> Result<u64, TrailError> {
        check_against(None, events, head)
    }

    fn check_against(
        trusted: Option<Checkpoint>,
        events: &[(Event, Vec<u8>)],
        head: &TrailHead,
    ) -> Result<u64, TrailError> {
        let mut check = TrailCheck::new(trusted);
        for (event, stored) in events {
            check.push(verify_leaf(check.next_sequence(), head.size, event, stored)?)?;
        }
        check.finish(head, ORIGIN, CheckpointSigner::from_seed(&[9; 32]).public_key())
    }

    fn trusted(size: i64) -> Checkpoint {
        let (_, head) = trail(size);
        CheckpointSigner::from_seed(&[9; 32]).public_key().verify(&head.checkpoint, ORIGIN).unwrap()
    }

    #[test]
    fn a_trail_extends_each_of_its_older_checkpoints() {
        let (events, head) = trail(9);
        for size in 0..=9 {
            assert_eq!(check_against(Some(trusted(size)), &events, &head), Ok(9), "{size}");
        }
    }

    #[test]
    fn a_rewritten_history_contradicts_a_trusted_checkpoint() {
        let mut events = trail(9).0;
        events[3].0.comment = None;
        let mut tree = Frontier::default();
        for (event, stored) in &mut events {
            *stored = leaf_hash(&event.canonical_bytes()).to_vec();
            tree.push(leaf_hash(&event.canonical_bytes()));
        }
        let checkpoint = CheckpointSigner::from_seed(&[9; 32]).sign(ORIGIN, 9, &tree.root());
        let head = TrailHead { size: 9, frontier: tree.to_bytes(), checkpoint };
        assert_eq!(check(&events, &head), Ok(9));
        assert_eq!(check_against(Some(trusted(3)), &events, &head), Ok(9));
        assert_eq!(check_against(Some(trusted(4)), &events, &head), Err(TrailError::HistoryChanged(4)));
        assert_eq!(check_against(Some(trusted(9)), &events, &head), Err(TrailError::HistoryChanged(9)));
    }

    #[test]
    fn a_truncated_trail_contradicts_a_trusted_checkpoint() {
        let (events, head) = trail(7);
        assert_eq!(check(&events, &head), Ok(7));
        assert_eq!(
            check_against(Some(trusted(9)), &events, &head),
            Err(TrailError::Truncated { trusted: 9, found: 7 })
        );
        let (none, empty) = trail(0);
        assert_eq!(check_against(Some(trusted(1)), &none, &empty), Err(TrailError::Truncated { trusted: 1, found: 0 }));
        let other_empty = Checkpoint { size: 0, root: [0; 32] };
        assert_eq!(check_against(Some(other_empty), &none, &empty), Err(TrailError::HistoryChanged(0)));
    }

    #[test]
    fn a_trail_extends_the_trees_that_changes_of_its_key_sign() {
        let (events, head) = trail(9);
        let check = |changes: &[Checkpoint]| {
            let mut check = TrailCheck::default();
            check.expect(changes.iter().copied())?;
            for (event, stored) in &events {
                check.push(verify_leaf(check.next_sequence(), head.size, event, stored)?)?;
            }
            check.finish(&head, ORIGIN, CheckpointSigner::from_seed(&[9; 32]).public_key())
        };
        assert_eq!(check(&[trusted(0), trusted(3), trusted(3), trusted(9)]), Ok(9));
        for size in [0, 3, 9] {
            let other = Checkpoint { root: [1; 32], ..trusted(size) };
            assert_eq!(check(&[other]), Err(TrailError::KeyChangeMismatch(other.size)));
        }
        let cut = TrailError::CutBeforeKeyChange { signed: 11, found: 9 };
        assert_eq!(check(&[trusted(3), trusted(11)]), Err(cut));
    }

    #[test]
    fn an_unchanged_trail_of_any_size_verifies() {
        for size in 0..20 {
            let (events, head) = trail(size);
            assert_eq!(check(&events, &head), Ok(u64::try_from(size).unwrap()));
        }
    }

    #[test]
    fn a_changed_event_is_named() {
        let (mut events, head) = trail(9);
        events[3].0.comment = Some("nothing to see".to_owned());
        assert_eq!(check(&events, &head), Err(TrailError::Changed { sequence: 4, id: "event-4".to_owned() }));
    }

    #[test]
    fn an_event_changed_with_its_hash_is_found_in_a_range() {
        let (mut events, head) = trail(9);
        events[8].0.comment = None;
        events[8].1 = leaf_hash(&events[8].0.canonical_bytes()).to_vec();
        assert_eq!(check(&events, &head), Err(TrailError::Replaced { first: 9, last: 9 }));
    }

    #[test]
    fn removed_and_swapped_events_are_found() {
        let (events, head) = trail(9);
        let mut removed = events.clone();
        removed.remove(4);
        assert_eq!(check(&removed, &head), Err(TrailError::Missing { missing: 5 }));
        assert_eq!(check(&events[..7], &head), Err(TrailError::Missing { missing: 8 }));
        let mut swapped = events.clone();
        swapped.swap(2, 3);
        assert!(check(&swapped, &head).is_err());
    }

    #[test]
    fn an_added_event_is_named() {
        let (mut events, head) = trail(3);
        events.insert(2, (Event { id: "twice".to_owned(), ..event(2) }, Vec::new()));
        assert_eq!(check(&events, &head), Err(TrailError::Added { sequence: 2, id: "twice".to_owned() }));
        let added = TrailError::Added { sequence: 4, id: "event-4".to_owned() };
        assert_eq!(check(&trail(4).0, &head), Err(added));
    }

    #[test]
    fn a_shorter_head_needs_a_genuine_checkpoint() {
        let (events, longer) = trail(9);
        let (_, shorter) = trail(7);
        let head = TrailHead { checkpoint: longer.checkpoint, ..shorter };
        assert_eq!(check(&events[..7], &head), Err(TrailError::TreeMismatch { signed: 9, found: 7 }));
        let forged = CheckpointSigner::from_seed(&[1; 32]).sign(ORIGIN, 7, &[0; 32]);
        let head = TrailHead { checkpoint: forged, ..head };
        assert_eq!(check(&events[..7], &head), Err(TrailError::Checkpoint(CheckpointError::BadSignature)));
    }
}
