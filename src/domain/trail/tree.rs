//! Builds inclusion and consistency proofs (RFC 6962 section 2.1) from the upper levels of a tree and one block of
//! leaves.
//! `inclusion` and `consistency` verify them.

use std::ops::Range;

use crate::domain::trail::merkle::{Hash, node_hash};

/// The levels of a tree, from the leaves to the root. A node without a right sibling moves up to the next level
/// unchanged, which gives the tree of RFC 6962.
#[derive(Clone, Debug)]
struct Levels(Vec<Vec<Hash>>);

impl Levels {
    fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let pairs = below.chunks(2).map(|pair| match pair {
                [left, right] => node_hash(left, right),
                alone => alone[0],
            });
            let level = pairs.collect();
            levels.push(level);
        }
        Self(levels)
    }

    fn root(&self) -> Option<Hash> {
        self.0.last()?.first().copied()
    }

    fn node(&self, level: usize, index: usize) -> Option<Hash> {
        self.0.get(level)?.get(index).copied()
    }

    /// Returns the siblings of all nodes on the path from a node to the root, the lowest first.
    fn siblings(&self, level: usize, index: usize) -> impl Iterator<Item = Hash> {
        let above = self.0.iter().skip(level).enumerate();
        above.filter_map(move |(up, nodes)| nodes.get((index >> up) ^ 1).copied())
    }
}

/// The number of leaves in a block.
pub const BLOCK_SIZE: usize = 256;

/// A block of a tree's leaves. Only the last one may be shorter than [`BLOCK_SIZE`].
#[derive(Clone, Debug)]
pub struct Block {
    number: usize,
    levels: Levels,
}

impl Block {
    /// Returns the block with this number, from 0.
    #[must_use]
    pub fn new(number: usize, leaves: Vec<Hash>) -> Self {
        Self { number, levels: Levels::new(leaves) }
    }

    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }
}

/// The upper levels of a tree: the roots of its blocks and the nodes above them. Together with a block it is enough for
/// every proof about the block's leaves.
#[derive(Clone, Debug)]
pub struct UpperTree {
    size: usize,
    levels: Levels,
}

impl UpperTree {
    /// Returns `None` if the tree has no leaves.
    #[must_use]
    pub fn root(&self) -> Option<Hash> {
        self.levels.root()
    }

    /// Returns the number of the block that contains a leaf. Both are counted from 0.
    #[must_use]
    pub const fn block_of(leaf: usize) -> usize {
        leaf / BLOCK_SIZE
    }

    /// Returns the leaves of a block, counted from 0.
    #[must_use]
    pub fn leaves_of(&self, block: usize) -> Range<usize> {
        let first = block.saturating_mul(BLOCK_SIZE).min(self.size);
        first..first.saturating_add(BLOCK_SIZE).min(self.size)
    }

    /// Returns the inclusion proof of a leaf, counted from 0: the siblings on its path to the root, the lowest first.
    #[must_use]
    pub fn inclusion(&self, leaf: usize, block: &Block) -> Vec<Hash> {
        self.siblings(0, leaf % BLOCK_SIZE, block)
    }

    /// Returns the proof that the tree of the first `first` leaves is a prefix of this tree. `block` contains the last
    /// of those leaves. The proof is empty for no leaves and for all leaves.
    #[must_use]
    pub fn consistency(&self, first: usize, block: &Block) -> Vec<Hash> {
        if first == 0 || first >= self.size {
            return Vec::new();
        }
        // The smaller tree ends in a perfect subtree, whose root is a node of this tree, too.
        let level = first.trailing_zeros() as usize;
        let index = (first >> level) - 1;
        let (end, mut proof) = if level < BLOCK_SIZE.trailing_zeros() as usize {
            let index = index % (BLOCK_SIZE >> level);
            (block.levels.node(level, index), self.siblings(level, index, block))
        } else {
            let level = level - BLOCK_SIZE.trailing_zeros() as usize;
            (self.levels.node(level, index), self.levels.siblings(level, index).collect())
        };
        // If the smaller tree is that subtree, the verifier already has its root.
        if !first.is_power_of_two() {
            proof.splice(0..0, end);
        }
        proof
    }

    fn siblings(&self, level: usize, index: usize, block: &Block) -> Vec<Hash> {
        block.levels.siblings(level, index).chain(self.levels.siblings(0, block.number)).collect()
    }
}

/// Builds an [`UpperTree`] from leaves in order.
#[derive(Debug, Default)]
pub struct UpperTreeBuilder {
    roots: Vec<Hash>,
    block: Vec<Hash>,
}

impl UpperTreeBuilder {
    /// Appends the hash of the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.block.push(leaf);
        if self.block.len() == BLOCK_SIZE {
            self.close_block();
        }
    }

    #[must_use]
    pub fn finish(mut self) -> UpperTree {
        let size = self.roots.len() * BLOCK_SIZE + self.block.len();
        self.close_block();
        UpperTree { size, levels: Levels::new(self.roots) }
    }

    fn close_block(&mut self) {
        self.roots.extend(Levels::new(std::mem::take(&mut self.block)).root());
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::text::normalize::hex;
    use crate::domain::trail::merkle::tests::{LEAVES, hashes, root_by_definition};
    use crate::domain::trail::merkle::{Frontier, leaf_hash};

    // Nodes of the tree over the eight leaves of the test vectors.
    const SECOND: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
    const THIRD_AND_FOURTH: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
    const FIFTH: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
    const LAST_TWO: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
    const LEFT_FOUR: &str = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
    const RIGHT_FOUR: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";

    fn upper_tree(leaves: &[Hash]) -> UpperTree {
        let mut builder = UpperTreeBuilder::default();
        for leaf in leaves {
            builder.push(*leaf);
        }
        builder.finish()
    }

    fn block_of(leaf: usize, upper_tree: &UpperTree, leaves: &[Hash]) -> Block {
        let number = UpperTree::block_of(leaf);
        Block::new(number, leaves[upper_tree.leaves_of(number)].to_vec())
    }

    pub(crate) fn inclusion(leaf: usize, leaves: &[Hash]) -> Vec<Hash> {
        let upper_tree = upper_tree(leaves);
        upper_tree.inclusion(leaf, &block_of(leaf, &upper_tree, leaves))
    }

    pub(crate) fn consistency(first: usize, leaves: &[Hash]) -> Vec<Hash> {
        let upper_tree = upper_tree(leaves);
        upper_tree.consistency(first, &block_of(first.saturating_sub(1), &upper_tree, leaves))
    }

    /// PATH of RFC 6962 section 2.1.1, written as the text defines it.
    fn path_by_definition(leaf: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let (mut path, other) = if leaf < left.len() {
            (path_by_definition(leaf, left), right)
        } else {
            (path_by_definition(leaf - left.len(), right), left)
        };
        path.push(root_by_definition(other));
        path
    }

    /// SUBPROOF of RFC 6962 section 2.1.2, written as the text defines it.
    fn subproof_by_definition(first: usize, leaves: &[Hash], is_known: bool) -> Vec<Hash> {
        if first == leaves.len() {
            return if is_known { Vec::new() } else { vec![root_by_definition(leaves)] };
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let (mut proof, other) = if first <= left.len() {
            (subproof_by_definition(first, left, is_known), right)
        } else {
            (subproof_by_definition(first - left.len(), right, false), left)
        };
        proof.push(root_by_definition(other));
        proof
    }

    #[test]
    fn inclusion_proofs_match_the_rfc_6962_test_vectors() {
        const FIRST: &str = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        const FIRST_TWO: &str = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125";
        let cases: [(usize, usize, &[&str]); 5] = [
            (0, 1, &[]),
            (0, 8, &[SECOND, THIRD_AND_FOURTH, RIGHT_FOUR]),
            (5, 8, &[FIFTH, LAST_TWO, LEFT_FOUR]),
            (2, 3, &[FIRST_TWO]),
            (1, 5, &[FIRST, THIRD_AND_FOURTH, FIFTH]),
        ];
        for (leaf, size, expected) in cases {
            let found: Vec<String> = inclusion(leaf, &hashes(&LEAVES[..size])).iter().map(|hash| hex(hash)).collect();
            assert_eq!(found, expected, "leaf {leaf} of {size}");
        }
    }

    #[test]
    fn consistency_proofs_match_the_rfc_6962_test_vectors() {
        const FIFTH_AND_SIXTH: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
        let cases: [(usize, usize, &[&str]); 4] = [
            (1, 1, &[]),
            (1, 8, &[SECOND, THIRD_AND_FOURTH, RIGHT_FOUR]),
            (6, 8, &[FIFTH_AND_SIXTH, LAST_TWO, LEFT_FOUR]),
            (2, 5, &[THIRD_AND_FOURTH, FIFTH]),
        ];
        for (first, second, expected) in cases {
            let found: Vec<String> =
                consistency(first, &hashes(&LEAVES[..second])).iter().map(|hash| hex(hash)).collect();
            assert_eq!(found, expected, "from {first} to {second}");
        }
    }

    #[test]
    fn proofs_match_the_definition_within_and_across_blocks() {
        let leaves: Vec<Hash> = (0_u32..2_100).map(|number| leaf_hash(&number.to_be_bytes())).collect();
        for size in [1, 2, 7, 255, 256, 257, 511, 512, 513, 768, 1_000, 1_025, 2_049, 2_100] {
            let leaves = &leaves[..size];
            assert_eq!(upper_tree(leaves).root(), Some(root_by_definition(leaves)), "of {size}");
            for leaf in (0..size).step_by(size / 40 + 1).chain([size - 1]) {
                assert_eq!(inclusion(leaf, leaves), path_by_definition(leaf, leaves), "leaf {leaf} of {size}");
                let first = leaf + 1;
                let expected = subproof_by_definition(first, leaves, true);
                assert_eq!(consistency(first, leaves), expected, "from {first} to {size}");
            }
            for first in [64, 128, 256, 512, 640, 1_024, 1_280, 2_048].into_iter().filter(|first| *first < size) {
                let expected = subproof_by_definition(first, leaves, true);
                assert_eq!(consistency(first, leaves), expected, "from {first} to {size}");
            }
        }
    }

    #[test]
    fn an_upper_tree_of_100_000_leaves_has_a_few_hundred_hashes() {
        let mut builder = UpperTreeBuilder::default();
        let mut frontier = Frontier::default();
        for number in 0_u32..100_000 {
            let mut leaf = [0; 32];
            leaf[..4].copy_from_slice(&number.to_be_bytes());
            builder.push(leaf);
            frontier.push(leaf);
        }
        let upper_tree = builder.finish();
        assert_eq!(upper_tree.root(), Some(frontier.root()));
        assert!(upper_tree.levels.0.iter().map(Vec::len).sum::<usize>() < 800);
    }
}
