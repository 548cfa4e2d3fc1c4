//! Checks a trail event by event against its head: the tree, its frontier, its signed checkpoint.

use super::checkpoint::{Checkpoint, CheckpointError, CheckpointKey};
use super::event::Event;
use super::merkle::{Frontier, Hash, leaf_hash};

/// A trail's head as it is stored.
#[derive(Clone, Debug)]
pub struct TrailHead {
    /// How many events the trail has.
    pub size: i64,
    /// The tree's frontier, see [`Frontier::to_bytes`].
    pub frontier: Vec<u8>,
    /// The latest checkpoint, a signed note.
    pub checkpoint: String,
}

/// The first thing in a trail that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A number in the sequence has no event.
    #[error("event {missing} is missing")]
    Missing {
        /// The first number without an event.
        missing: i64,
    },
    /// An event is not what was recorded.
    #[error("event {sequence} ({id}) is not what was recorded")]
    Changed {
        /// Its place in the trail.
        sequence: i64,
        /// Its id.
        id: String,
    },
    /// There are more events than were recorded.
    #[error("event {sequence} ({id}) was never recorded")]
    Added {
        /// Its place in the trail.
        sequence: i64,
        /// Its id.
        id: String,
    },
    /// An event and its stored hash were both changed.
    #[error("one of the events {first} to {last} is not what was recorded")]
    Replaced {
        /// The first event that may be meant.
        first: u64,
        /// The last event that may be meant.
        last: u64,
    },
    /// The head row's frontier does not belong to its size.
    #[error("the head of the trail is damaged")]
    Head,
    /// The checkpoint is not this installation's.
    #[error("the checkpoint is not to be believed: {0}")]
    Checkpoint(CheckpointError),
    /// The checkpoint is genuine and speaks of another tree.
    #[error("the signed checkpoint says {signed} events, and they are not these {found}")]
    OtherTree {
        /// How many events the checkpoint signs.
        signed: u64,
        /// How many events were found.
        found: u64,
    },
    /// The trail does not begin as the checkpoint that was kept says.
    #[error("it does not begin with the {0} events that the checkpoint you kept signs: its history was changed")]
    OtherBeginning(u64),
    /// The trail has fewer events than the checkpoint that was kept says.
    #[error("its tail was cut: the checkpoint you kept signs {kept} events, and there are {found}")]
    Cut {
        /// How many events the kept checkpoint signs.
        kept: u64,
        /// How many events were found.
        found: u64,
    },
}

/// The leaf of an event that is expected at that place of a trail of `size` events, once it is what its stored hash says.
///
/// # Errors
/// [`Misfit`], where this event does not fit.
pub fn leaf(expected: i64, size: i64, event: &Event, stored_leaf: &[u8]) -> Result<Hash, Misfit> {
    let sequence = event.sequence;
    if sequence > expected {
        return Err(Misfit::Missing { missing: expected });
    }
    if sequence < expected || sequence > size {
        return Err(Misfit::Added { sequence, id: event.id.clone() });
    }
    let leaf = leaf_hash(&event.canonical_bytes());
    if leaf[..] == *stored_leaf { Ok(leaf) } else { Err(Misfit::Changed { sequence, id: event.id.clone() }) }
}

/// A check under way: give it every event in order of sequence, then the head.
#[derive(Debug, Default)]
pub struct TrailCheck {
    tree: Frontier,
    kept: Option<Checkpoint>,
}

impl TrailCheck {
    /// A check of a trail, also against a checkpoint that was kept elsewhere and whose signature is good.
    #[must_use]
    pub fn new(kept: Option<Checkpoint>) -> Self {
        Self { kept, ..Self::default() }
    }

    /// The place of the next event in the trail.
    #[must_use]
    pub fn next(&self) -> i64 {
        i64::try_from(self.tree.size()).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// Takes the leaf of the next event, see [`leaf`].
    ///
    /// # Errors
    /// [`Misfit`], where the trail up to this event is not what was signed.
    pub fn take(&mut self, leaf: Hash) -> Result<(), Misfit> {
        self.tree.push(leaf);
        match self.kept {
            Some(kept) if kept.size == self.tree.size() && kept.root != self.tree.root() => {
                Err(Misfit::OtherBeginning(kept.size))
            }
            _ => Ok(()),
        }
    }

    /// Holds what was taken against the head and its checkpoint; answers how many events were checked.
    ///
    /// # Errors
    /// [`Misfit`], what does not fit.
    pub fn finish(self, head: &TrailHead, origin: &str, key: CheckpointKey) -> Result<u64, Misfit> {
        let found = self.tree.size();
        let size = u64::try_from(head.size).map_err(|_| Misfit::Head)?;
        if found < size {
            return Err(Misfit::Missing { missing: self.next() });
        }
        if let Some(kept) = self.kept.filter(|kept| kept.size > found) {
            return Err(Misfit::Cut { kept: kept.size, found });
        }
        let frontier = Frontier::from_bytes(size, &head.frontier).ok_or(Misfit::Head)?;
        if let Some(leaves) = self.tree.first_difference(&frontier) {
            return Err(Misfit::Replaced { first: leaves.start + 1, last: leaves.end });
        }
        let signed = key.verify(&head.checkpoint, origin).map_err(Misfit::Checkpoint)?;
        if signed.size != found || signed.root != self.tree.root() {
            return Err(Misfit::OtherTree { signed: signed.size, found });
        }
        match self.kept {
            // Of no events there is one tree only, and no event to compare it at.
            Some(kept) if kept.size == 0 && kept.root != Frontier::default().root() => Err(Misfit::OtherBeginning(0)),
            _ => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::CheckpointSigner;
    use super::super::event::tests::event;
    use super::*;

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

    fn check(events: &[(Event, Vec<u8>)], head: &TrailHead) -> Result<u64, Misfit> {
        check_against(None, events, head)
    }

    fn check_against(kept: Option<Checkpoint>, events: &[(Event, Vec<u8>)], head: &TrailHead) -> Result<u64, Misfit> {
        let mut check = TrailCheck::new(kept);
        for (event, stored) in events {
            check.take(leaf(check.next(), head.size, event, stored)?)?;
        }
        check.finish(head, ORIGIN, CheckpointSigner::from_seed(&[9; 32]).public_key())
    }

    fn kept(size: i64) -> Checkpoint {
        let (_, head) = trail(size);
        CheckpointSigner::from_seed(&[9; 32]).public_key().verify(&head.checkpoint, ORIGIN).unwrap()
    }

    #[test]
    fn a_trail_that_grew_fits_every_checkpoint_that_was_kept() {
        let (events, head) = trail(9);
        for size in 0..=9 {
            assert_eq!(check_against(Some(kept(size)), &events, &head), Ok(9), "{size}");
        }
    }

    #[test]
    fn a_history_that_was_written_anew_and_signed_does_not_fit_a_kept_checkpoint() {
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
        assert_eq!(check_against(Some(kept(3)), &events, &head), Ok(9));
        assert_eq!(check_against(Some(kept(4)), &events, &head), Err(Misfit::OtherBeginning(4)));
        assert_eq!(check_against(Some(kept(9)), &events, &head), Err(Misfit::OtherBeginning(9)));
    }

    #[test]
    fn a_tail_that_was_cut_and_signed_does_not_fit_a_kept_checkpoint() {
        let (events, head) = trail(7);
        assert_eq!(check(&events, &head), Ok(7));
        assert_eq!(check_against(Some(kept(9)), &events, &head), Err(Misfit::Cut { kept: 9, found: 7 }));
        let (none, empty) = trail(0);
        assert_eq!(check_against(Some(kept(1)), &none, &empty), Err(Misfit::Cut { kept: 1, found: 0 }));
        let other_empty = Checkpoint { size: 0, root: [0; 32] };
        assert_eq!(check_against(Some(other_empty), &none, &empty), Err(Misfit::OtherBeginning(0)));
    }

    #[test]
    fn an_untouched_trail_of_any_size_fits() {
        for size in 0..20 {
            let (events, head) = trail(size);
            assert_eq!(check(&events, &head), Ok(u64::try_from(size).unwrap()));
        }
    }

    #[test]
    fn a_changed_event_is_named() {
        let (mut events, head) = trail(9);
        events[3].0.comment = Some("nothing to see".to_owned());
        assert_eq!(check(&events, &head), Err(Misfit::Changed { sequence: 4, id: "event-4".to_owned() }));
    }

    #[test]
    fn an_event_changed_together_with_its_hash_is_found_between_its_neighbours() {
        let (mut events, head) = trail(9);
        events[8].0.comment = None;
        events[8].1 = leaf_hash(&events[8].0.canonical_bytes()).to_vec();
        assert_eq!(check(&events, &head), Err(Misfit::Replaced { first: 9, last: 9 }));
    }

    #[test]
    fn a_removed_event_a_cut_tail_and_swapped_events_are_found() {
        let (events, head) = trail(9);
        let mut removed = events.clone();
        removed.remove(4);
        assert_eq!(check(&removed, &head), Err(Misfit::Missing { missing: 5 }));
        assert_eq!(check(&events[..7], &head), Err(Misfit::Missing { missing: 8 }));
        let mut swapped = events.clone();
        swapped.swap(2, 3);
        assert!(check(&swapped, &head).is_err());
    }

    #[test]
    fn an_added_event_is_named() {
        let (mut events, head) = trail(3);
        events.insert(2, (Event { id: "twice".to_owned(), ..event(2) }, Vec::new()));
        assert_eq!(check(&events, &head), Err(Misfit::Added { sequence: 2, id: "twice".to_owned() }));
        let added = Misfit::Added { sequence: 4, id: "event-4".to_owned() };
        assert_eq!(check(&trail(4).0, &head), Err(added));
    }

    #[test]
    fn a_head_rewritten_to_a_shorter_trail_needs_a_checkpoint_that_nobody_can_sign() {
        let (events, longer) = trail(9);
        let (_, shorter) = trail(7);
        let head = TrailHead { checkpoint: longer.checkpoint, ..shorter };
        assert_eq!(check(&events[..7], &head), Err(Misfit::OtherTree { signed: 9, found: 7 }));
        let forged = CheckpointSigner::from_seed(&[1; 32]).sign(ORIGIN, 7, &[0; 32]);
        let head = TrailHead { checkpoint: forged, ..head };
        assert_eq!(check(&events[..7], &head), Err(Misfit::Checkpoint(CheckpointError::BadSignature)));
    }
}
