//! Proofs about a Merkle tree: that a leaf is in it, and that a smaller tree is its beginning (RFC 6962 section 2.1), made
//! of few hashes and of one block of leaves at a time. How they are checked is in `inclusion` and `consistency`.

use std::ops::Range;

use super::merkle::{Hash, node_hash};

/// A tree of few leaves with all its nodes: the leaves first, then level by level up to the root. A node without a
/// neighbour to its right stands on the next level as it is, which gives the tree of RFC 6962.
#[derive(Clone, Debug)]
struct Nodes(Vec<Vec<Hash>>);

impl Nodes {
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

    /// The neighbours of all nodes on the way from that one up to the root, the lowest first.
    fn neighbours(&self, level: usize, index: usize) -> impl Iterator<Item = Hash> {
        let above = self.0.iter().skip(level).enumerate();
        above.filter_map(move |(up, nodes)| nodes.get((index >> up) ^ 1).copied())
    }
}

/// The leaves of a tree are read in blocks of so many.
pub const BLOCK: usize = 256;

/// One block of a tree's leaves: all of them are full but the last, which may be shorter.
#[derive(Clone, Debug)]
pub struct Block {
    number: usize,
    nodes: Nodes,
}

impl Block {
    /// The block of that number, from 0, of which these are the leaves' hashes.
    #[must_use]
    pub fn new(number: usize, leaves: Vec<Hash>) -> Self {
        Self { number, nodes: Nodes::new(leaves) }
    }

    /// Its number, from 0.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }
}

/// A tree's roots of blocks and what is above them: with one block of leaves, enough for every proof about those.
#[derive(Clone, Debug)]
pub struct Outline {
    size: usize,
    above: Nodes,
}

impl Outline {
    /// The tree's root; `None` where it has no leaves.
    #[must_use]
    pub fn root(&self) -> Option<Hash> {
        self.above.root()
    }

    /// The number of the block that holds a leaf, counted from 0.
    #[must_use]
    pub const fn block_of(leaf: usize) -> usize {
        leaf / BLOCK
    }

    /// The leaves of a block, counted from 0.
    #[must_use]
    pub fn leaves_of(&self, block: usize) -> Range<usize> {
        let first = block.saturating_mul(BLOCK).min(self.size);
        first..first.saturating_add(BLOCK).min(self.size)
    }

    /// The proof that a leaf, counted from 0, is in the tree: the hashes that lead from it to the root, the lowest first.
    #[must_use]
    pub fn inclusion(&self, leaf: usize, block: &Block) -> Vec<Hash> {
        self.neighbours(0, leaf % BLOCK, block)
    }

    /// The proof that the tree of the first `first` leaves is this tree's beginning, from the block that holds the last of
    /// those leaves. There is nothing to prove of no leaves, and of all of them.
    #[must_use]
    pub fn consistency(&self, first: usize, block: &Block) -> Vec<Hash> {
        if first == 0 || first >= self.size {
            return Vec::new();
        }
        // The smaller tree ends in a perfect subtree, of which this tree has the root, too.
        let level = first.trailing_zeros() as usize;
        let index = (first >> level) - 1;
        let (end, mut proof) = if level < BLOCK.trailing_zeros() as usize {
            let index = index % (BLOCK >> level);
            (block.nodes.node(level, index), self.neighbours(level, index, block))
        } else {
            let level = level - BLOCK.trailing_zeros() as usize;
            (self.above.node(level, index), self.above.neighbours(level, index).collect())
        };
        // Where the smaller tree is that subtree, whoever checks has its root already.
        if !first.is_power_of_two() {
            proof.splice(0..0, end);
        }
        proof
    }

    fn neighbours(&self, level: usize, index: usize, block: &Block) -> Vec<Hash> {
        block.nodes.neighbours(level, index).chain(self.above.neighbours(0, block.number)).collect()
    }
}

/// Makes an outline of leaves that come one after the other.
#[derive(Debug, Default)]
pub struct Outliner {
    roots: Vec<Hash>,
    block: Vec<Hash>,
}

impl Outliner {
    /// Takes the next leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        self.block.push(leaf);
        if self.block.len() == BLOCK {
            self.close();
        }
    }

    /// The outline of all that was taken.
    #[must_use]
    pub fn finish(mut self) -> Outline {
        let size = self.roots.len() * BLOCK + self.block.len();
        self.close();
        Outline { size, above: Nodes::new(self.roots) }
    }

    fn close(&mut self) {
        self.roots.extend(Nodes::new(std::mem::take(&mut self.block)).root());
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::merkle::tests::{LEAVES, hashes, root_by_definition};
    use super::super::merkle::{Frontier, leaf_hash};
    use super::super::text::hex;
    use super::*;

    // Nodes of the tree over the eight leaves of the test vectors.
    const SECOND: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
    const THIRD_AND_FOURTH: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
    const FIFTH: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
    const LAST_TWO: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
    const LEFT_FOUR: &str = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
    const RIGHT_FOUR: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";

    fn outline(leaves: &[Hash]) -> Outline {
        let mut outliner = Outliner::default();
        for leaf in leaves {
            outliner.push(*leaf);
        }
        outliner.finish()
    }

    fn block_of(leaf: usize, outline: &Outline, leaves: &[Hash]) -> Block {
        let number = Outline::block_of(leaf);
        Block::new(number, leaves[outline.leaves_of(number)].to_vec())
    }

    pub(crate) fn inclusion(leaf: usize, leaves: &[Hash]) -> Vec<Hash> {
        let outline = outline(leaves);
        outline.inclusion(leaf, &block_of(leaf, &outline, leaves))
    }

    pub(crate) fn consistency(first: usize, leaves: &[Hash]) -> Vec<Hash> {
        let outline = outline(leaves);
        outline.consistency(first, &block_of(first.saturating_sub(1), &outline, leaves))
    }

    /// PATH of RFC 6962 section 2.1.1, as the text defines it.
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

    /// SUBPROOF of RFC 6962 section 2.1.2, as the text defines it.
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
    fn proofs_of_inclusion_are_those_of_the_rfc_6962_test_vectors() {
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
    fn proofs_of_consistency_are_those_of_the_rfc_6962_test_vectors() {
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
    fn proofs_are_those_of_the_definition_within_and_across_blocks() {
        let leaves: Vec<Hash> = (0_u32..2_100).map(|number| leaf_hash(&number.to_be_bytes())).collect();
        for size in [1, 2, 7, 255, 256, 257, 511, 512, 513, 768, 1_000, 1_025, 2_049, 2_100] {
            let leaves = &leaves[..size];
            assert_eq!(outline(leaves).root(), Some(root_by_definition(leaves)), "of {size}");
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
    fn an_outline_is_a_few_hundred_hashes_of_a_hundred_thousand_leaves() {
        let mut outliner = Outliner::default();
        let mut frontier = Frontier::default();
        for number in 0_u32..100_000 {
            let mut leaf = [0; 32];
            leaf[..4].copy_from_slice(&number.to_be_bytes());
            outliner.push(leaf);
            frontier.push(leaf);
        }
        let outline = outliner.finish();
        assert_eq!(outline.root(), Some(frontier.root()));
        assert!(outline.above.0.iter().map(Vec::len).sum::<usize>() < 800);
    }
}
