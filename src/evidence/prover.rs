//! Makes proofs of a trail from its stored leaf hashes: one pass in short reads, of which few hashes are kept, and later
//! the one block that a proof is about.

use crate::domain::ids::TrailId;
use crate::domain::merkle::Hash;
use crate::domain::tree::{BLOCK, Block, Outline, Outliner};
use crate::store::{Snapshot, Store, StoreError};

const LEAVES_AT_A_TIME: usize = 64 * BLOCK;

/// Proofs about a trail of a certain size.
#[derive(Debug)]
pub struct Prover {
    trail: TrailId,
    outline: Outline,
    block: Option<Block>,
}

impl Prover {
    /// Reads the leaves of the first `size` events. An event that is missing, or has no hash, counts as one whose hash is
    /// zero: its proofs, and others', lead elsewhere, which is for whoever checks them to find.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn new(store: &Store, trail: TrailId, size: u64) -> Result<Self, StoreError> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let mut outliner = Outliner::default();
        for first in (0..size).step_by(LEAVES_AT_A_TIME) {
            let count = LEAVES_AT_A_TIME.min(size - first);
            let leaves = store.ask(|questions| leaves(questions, trail, first, count))?;
            for leaf in leaves {
                outliner.push(leaf);
            }
        }
        Ok(Self { trail, outline: outliner.finish(), block: None })
    }

    /// The root of the tree; `None` where it has no leaves.
    #[must_use]
    pub fn root(&self) -> Option<Hash> {
        self.outline.root()
    }

    /// The proof that the event at that place, from 1, is in the tree. Events of one block are best asked for together.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn inclusion(&mut self, questions: &mut Snapshot<'_>, sequence: i64) -> Result<Vec<Hash>, StoreError> {
        let leaf = usize::try_from(sequence - 1).unwrap_or(usize::MAX);
        self.turn_to(questions, leaf)?;
        Ok(self.block.as_ref().map_or_else(Vec::new, |block| self.outline.inclusion(leaf, block)))
    }

    /// The proof that the tree begins with that of the first `size` events.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn consistency(&mut self, questions: &mut Snapshot<'_>, size: u64) -> Result<Vec<Hash>, StoreError> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.turn_to(questions, size.saturating_sub(1))?;
        Ok(self.block.as_ref().map_or_else(Vec::new, |block| self.outline.consistency(size, block)))
    }

    /// Reads the block that holds a leaf, where it is not the one that was read last.
    fn turn_to(&mut self, questions: &mut Snapshot<'_>, leaf: usize) -> Result<(), StoreError> {
        let number = Outline::block_of(leaf);
        if self.block.as_ref().is_none_or(|block| block.number() != number) {
            let places = self.outline.leaves_of(number);
            let leaves = leaves(questions, self.trail, places.start, places.len())?;
            self.block = Some(Block::new(number, leaves));
        }
        Ok(())
    }
}

/// The hashes of so many leaves from that one on, counted from 0.
fn leaves(questions: &mut Snapshot<'_>, trail: TrailId, first: usize, count: usize) -> Result<Vec<Hash>, StoreError> {
    let place = |leaf: usize| i64::try_from(leaf).unwrap_or(i64::MAX);
    let mut leaves = vec![[0; 32]; count];
    for (sequence, stored) in questions.leaf_hashes(trail, place(first + 1)..=place(first + count))? {
        let at = usize::try_from(sequence).ok().and_then(|sequence| sequence.checked_sub(first + 1));
        if let (Some(leaf), Ok(hash)) = (at.and_then(|at| leaves.get_mut(at)), Hash::try_from(stored)) {
            *leaf = hash;
        }
    }
    Ok(leaves)
}
