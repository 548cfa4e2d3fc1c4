//! Creates proofs from the stored leaf hashes of a trail. One pass keeps an outline of the tree; each proof then reads
//! the block of leaves that it needs.

use crate::domain::ids::TrailId;
use crate::domain::trail::merkle::Hash;
use crate::domain::trail::tree::{BLOCK_SIZE, Block, UpperTree, UpperTreeBuilder};
use crate::store::{Db, Store, StoreError};

const BATCH_SIZE: usize = 64 * BLOCK_SIZE;

/// Creates proofs for the first events of a trail.
#[derive(Debug)]
pub struct Prover {
    trail: TrailId,
    outline: UpperTree,
    block: Option<Block>,
}

impl Prover {
    /// Reads the leaves of the first `size` events. A missing event or hash counts as a hash of zeros, so that the
    /// proofs do not verify.
    pub fn new(store: &Store, trail: TrailId, size: u64) -> Result<Self, StoreError> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let mut outliner = UpperTreeBuilder::default();
        for first in (0..size).step_by(BATCH_SIZE) {
            let count = BATCH_SIZE.min(size - first);
            let leaves = store.query(|db| leaves(db, trail, first, count))?;
            for leaf in leaves {
                outliner.push(leaf);
            }
        }
        Ok(Self { trail, outline: outliner.finish(), block: None })
    }

    /// Returns the root of the tree, unless it has no leaves.
    #[must_use]
    pub fn root(&self) -> Option<Hash> {
        self.outline.root()
    }

    /// Returns the proof that an event is in the tree. Consecutive proofs within one block read it once.
    pub fn inclusion(&mut self, db: &mut Db<'_>, sequence: i64) -> Result<Vec<Hash>, StoreError> {
        let leaf = usize::try_from(sequence - 1).unwrap_or(usize::MAX);
        self.load_block(db, leaf)?;
        Ok(self.block.as_ref().map_or_else(Vec::new, |block| self.outline.inclusion(leaf, block)))
    }

    /// Returns the proof that the tree starts with the tree of the first `size` events.
    pub fn consistency(&mut self, db: &mut Db<'_>, size: u64) -> Result<Vec<Hash>, StoreError> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.load_block(db, size.saturating_sub(1))?;
        Ok(self.block.as_ref().map_or_else(Vec::new, |block| self.outline.consistency(size, block)))
    }

    /// Reads the block that contains a leaf, unless it was read last.
    fn load_block(&mut self, db: &mut Db<'_>, leaf: usize) -> Result<(), StoreError> {
        let number = UpperTree::block_of(leaf);
        if self.block.as_ref().is_none_or(|block| block.number() != number) {
            let range = self.outline.leaves_of(number);
            let leaves = leaves(db, self.trail, range.start, range.len())?;
            self.block = Some(Block::new(number, leaves));
        }
        Ok(())
    }
}

/// Reads the hashes of `count` leaves from index `first`.
fn leaves(db: &mut Db<'_>, trail: TrailId, first: usize, count: usize) -> Result<Vec<Hash>, StoreError> {
    let sequence = |leaf: usize| i64::try_from(leaf).unwrap_or(i64::MAX);
    let mut leaves = vec![[0; 32]; count];
    for (sequence, stored) in db.trails().leaf_hashes(trail, sequence(first + 1)..=sequence(first + count))? {
        let index = usize::try_from(sequence).ok().and_then(|sequence| sequence.checked_sub(first + 1));
        if let (Some(leaf), Ok(hash)) = (index.and_then(|index| leaves.get_mut(index)), Hash::try_from(stored)) {
            *leaf = hash;
        }
    }
    Ok(leaves)
}
