//! The last checkpoint that a server saw of a trail, and how a trail may go on from it.

use crate::domain::trail::check::TrailHead;
use crate::domain::trail::checkpoint::{Checkpoint, CheckpointError, CheckpointKey, text_of};
use crate::domain::trail::event::Event;
use crate::domain::trail::event_detail::EventDetail;
use crate::domain::trail::key_chain::KeyChain;
use crate::domain::trail::merkle::{Frontier, Hash};
use crate::domain::trail::shortfall::Shortfall;

/// A checkpoint with the tree that it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedTrail {
    /// The signed note.
    pub note: String,
    pub tree: RememberedTree,
    /// The losses that were accepted in these events.
    pub accepted_losses: Vec<LossAcceptance>,
}

/// What is known of the tree that a remembered checkpoint signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RememberedTree {
    /// It can be grown by later events.
    Frontier(Frontier),
    /// The checkpoint was kept without its frontier.
    Root(Checkpoint),
}

impl RememberedTree {
    /// Returns the number of events and the root.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        match self {
            Self::Frontier(tree) => Checkpoint { size: tree.size(), root: tree.root() },
            Self::Root(checkpoint) => *checkpoint,
        }
    }
}

/// An event with which an operator accepted that events are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossAcceptance {
    pub event_id: String,
    /// The number of events that were left.
    pub events_left: u64,
    /// The lost checkpoint.
    pub lost: Checkpoint,
}

impl RememberedTrail {
    /// Reads a stored head. Returns `None` if its checkpoint is not signed by the key, or signs another tree.
    #[must_use]
    pub fn of_head(
        head: &TrailHead,
        origin: &str,
        key: CheckpointKey,
        accepted_losses: Vec<LossAcceptance>,
    ) -> Option<Self> {
        let signed = key.verify(&head.checkpoint, origin).ok()?;
        let tree = Frontier::from_bytes(signed.size, &head.frontier)?;
        let is_whole = tree.root() == signed.root && u64::try_from(head.size) == Ok(signed.size);
        is_whole.then(|| Self { note: head.checkpoint.clone(), tree: RememberedTree::Frontier(tree), accepted_losses })
    }

    /// Reads a checkpoint that was kept elsewhere.
    ///
    /// # Errors
    /// [`CheckpointError`]: none of the keys has signed it for this trail.
    pub fn of_note(note: &str, origin: &str, keys: &KeyChain) -> Result<Self, CheckpointError> {
        let tree = RememberedTree::Root(keys.verify(note, origin)?);
        Ok(Self { note: note.to_owned(), tree, accepted_losses: Vec::new() })
    }

    #[must_use]
    pub fn size(&self) -> u64 {
        self.tree.checkpoint().size
    }

    /// Returns what a trail with this head lacks, as far as the head shows it: a longer trail must be compared by its
    /// events. A checkpoint with another signature lacks nothing, as after a change of the key.
    #[must_use]
    pub fn shortfall(&self, size: i64, checkpoint: &str) -> Option<Shortfall> {
        let (found, last) = (u64::try_from(size).unwrap_or(0), self.size());
        if found < last {
            Some(Shortfall::EventsMissing { first: found + 1, last })
        } else if found == last && text_of(checkpoint) != text_of(&self.note) {
            Some(Shortfall::EventsReplaced { last })
        } else {
            None
        }
    }

    /// Returns whether the acceptance covers this trail: it is not part of the remembered events, and the remembered
    /// checkpoint is the lost one or, by its size, one of those that were lost with it.
    #[must_use]
    pub fn is_covered_by(&self, acceptance: &LossAcceptance) -> bool {
        let is_known = self.accepted_losses.iter().any(|known| known.event_id == acceptance.event_id);
        !is_known && acceptance.covers(self.tree.checkpoint())
    }
}

impl LossAcceptance {
    /// Parses an event about the trail `origin`. Returns `None` for another event, and for a checkpoint that none of the
    /// keys has signed.
    #[must_use]
    pub fn of_event(event: &Event, origin: &str, keys: &KeyChain) -> Option<Self> {
        let EventDetail::AuditTrailLossAccepted { after } = event.detail() else { return None };
        let lost = keys.verify(&after.checkpoint, origin).ok()?;
        Some(Self { event_id: event.id.clone(), events_left: after.events_left, lost })
    }

    /// Returns whether a checkpoint of the lost events is accepted as lost.
    #[must_use]
    pub fn covers(&self, checkpoint: Checkpoint) -> bool {
        let Checkpoint { size, root } = self.lost;
        checkpoint.root == root && checkpoint.size == size
            || (self.events_left < checkpoint.size && checkpoint.size < size)
    }
}

/// Grows the remembered tree by the leaves of later events, to compare it with the tree that a longer trail signs.
#[must_use]
pub fn grown(tree: &Frontier, leaves: impl IntoIterator<Item = Hash>) -> Frontier {
    let mut tree = tree.clone();
    leaves.into_iter().for_each(|leaf| tree.push(leaf));
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trail::checkpoint::CheckpointSigner;
    use crate::domain::trail::event::tests::event;
    use crate::domain::trail::merkle::leaf_hash;

    const ORIGIN: &str = "keydesk/installation/trail";

    fn signer() -> CheckpointSigner {
        CheckpointSigner::from_seed(&[9; 32])
    }

    fn head(size: u64, salt: u8) -> TrailHead {
        let mut tree = Frontier::default();
        (0..size).for_each(|number| tree.push(leaf_hash(&[salt, u8::try_from(number).unwrap()])));
        let checkpoint = signer().sign(ORIGIN, size, &tree.root());
        TrailHead { size: i64::try_from(size).unwrap(), frontier: tree.to_bytes(), checkpoint }
    }

    fn remembered(size: u64, salt: u8) -> RememberedTrail {
        RememberedTrail::of_head(&head(size, salt), ORIGIN, signer().public_key(), Vec::new()).unwrap()
    }

    #[test]
    fn a_head_is_remembered_only_if_its_checkpoint_signs_its_tree() {
        let key = signer().public_key();
        let read = |head: &TrailHead| RememberedTrail::of_head(head, ORIGIN, key, Vec::new());
        assert_eq!(read(&head(5, 0)).map(|trail| trail.size()), Some(5));
        assert_eq!(read(&TrailHead { size: 4, ..head(5, 0) }), None);
        assert_eq!(read(&TrailHead { frontier: head(5, 1).frontier, ..head(5, 0) }), None);
        let foreign = CheckpointSigner::from_seed(&[8; 32]).public_key();
        assert_eq!(RememberedTrail::of_head(&head(5, 0), ORIGIN, foreign, Vec::new()), None);
    }

    #[test]
    fn a_shorter_and_a_replaced_trail_are_told_from_their_heads() {
        let trail = remembered(9, 0);
        let shortfall = |head: &TrailHead| trail.shortfall(head.size, &head.checkpoint);
        assert_eq!(shortfall(&head(9, 0)), None);
        assert_eq!(shortfall(&head(12, 0)), None);
        let root = trail.tree.checkpoint().root;
        let signed_again = CheckpointSigner::from_seed(&[8; 32]).sign(ORIGIN, 9, &root);
        assert_eq!(trail.shortfall(9, &signed_again), None);
        assert_eq!(shortfall(&head(6, 0)), Some(Shortfall::EventsMissing { first: 7, last: 9 }));
        assert_eq!(shortfall(&head(9, 1)), Some(Shortfall::EventsReplaced { last: 9 }));
    }

    #[test]
    fn an_acceptance_covers_the_lost_checkpoint_and_those_before_it() {
        let lost = signer().public_key().verify(&head(9, 0).checkpoint, ORIGIN).unwrap();
        let acceptance = LossAcceptance { event_id: "e".to_owned(), events_left: 5, lost };
        for (trail, covered) in [
            (remembered(9, 0), true),
            (remembered(7, 0), true),
            (remembered(9, 1), false),
            (remembered(5, 0), false),
            (remembered(10, 0), false),
        ] {
            assert_eq!(trail.is_covered_by(&acceptance), covered, "{}", trail.size());
        }
        let later = RememberedTrail { accepted_losses: vec![acceptance.clone()], ..remembered(7, 1) };
        assert!(!later.is_covered_by(&acceptance), "it was accepted before these events");
    }

    #[test]
    fn an_acceptance_is_read_from_its_event_if_the_lost_checkpoint_is_genuine() {
        let json = |note: &str| {
            let note = serde_json::to_string(note).unwrap();
            Some(format!(r#"{{"checkpoint":{note},"events_left":5,"first_lost":6,"last_lost":9}}"#))
        };
        let action = "audit_trail.loss_accepted".to_owned();
        let accepted = Event { action, before: None, after: json(&head(9, 0).checkpoint), ..event(6) };
        let keys = KeyChain::of_key(signer().public_key());
        let read = LossAcceptance::of_event(&accepted, ORIGIN, &keys).unwrap();
        assert_eq!((read.event_id.as_str(), read.events_left, read.lost.size), ("event-6", 5, 9));
        assert_eq!(LossAcceptance::of_event(&accepted, "keydesk/installation/other", &keys), None);
        assert_eq!(LossAcceptance::of_event(&event(6), ORIGIN, &keys), None);
    }

    #[test]
    fn a_tree_grown_by_the_later_leaves_has_the_later_root() {
        let leaves = (4..9).map(|number| leaf_hash(&[0, number]));
        let RememberedTree::Frontier(tree) = remembered(4, 0).tree else { panic!("a head has a frontier") };
        assert_eq!(grown(&tree, leaves).root(), remembered(9, 0).tree.checkpoint().root);
    }

    #[test]
    fn a_kept_checkpoint_is_remembered_without_its_frontier() {
        let (note, keys) = (head(9, 0).checkpoint, KeyChain::of_key(signer().public_key()));
        let kept = RememberedTrail::of_note(&note, ORIGIN, &keys).unwrap();
        assert_eq!(kept.tree.checkpoint(), remembered(9, 0).tree.checkpoint());
        assert_eq!(kept.shortfall(6, &head(6, 0).checkpoint), Some(Shortfall::EventsMissing { first: 7, last: 9 }));
        assert!(RememberedTrail::of_note(&note, "keydesk/installation/other", &keys).is_err());
    }
}
