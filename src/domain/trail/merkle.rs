//! The Merkle tree of RFC 6962 section 2.1 (SHA-256). Appending needs only its frontier.

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// Returns the hash of a leaf: SHA-256 of `0x00` and its bytes.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// Returns the hash of a node: SHA-256 of `0x01` and the hashes of its children.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The roots of the perfect subtrees of a tree, the largest (leftmost) first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Reads the stored bytes of a frontier: its roots, 32 bytes each. Returns `None` if their number does not match
    /// the size.
    #[must_use]
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (peaks, []) = bytes.as_chunks::<32>() else { return None };
        (peaks.len() == size.count_ones() as usize).then(|| Self { size, peaks: peaks.to_vec() })
    }

    /// Returns the bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Returns the number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends the hash of a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// Returns the root hash; for an empty tree, the hash of no bytes.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut from_right = self.peaks.iter().rev();
        match from_right.next() {
            None => Sha256::digest([]).into(),
            Some(last) => from_right.fold(*last, |right, left| node_hash(left, &right)),
        }
    }

    /// Returns the leaves, counted from 0, below the first root that differs between two frontiers of the same size.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<std::ops::Range<u64>> {
        let mut start = 0;
        let sizes = (0..u64::BITS).rev().map(|bit| self.size & (1 << bit)).filter(|subtree| *subtree > 0);
        for ((ours, theirs), subtree) in self.peaks.iter().zip(&other.peaks).zip(sizes) {
            if ours != theirs {
                return Some(start..start + subtree);
            }
            start += subtree;
        }
        None
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::text::normalize;

    /// The test vectors of Certificate Transparency's implementations.
    pub(crate) const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    /// MTH of RFC 6962 section 2.1, written as the text defines it.
    pub(crate) fn root_by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&root_by_definition(left), &root_by_definition(right))
            }
        }
    }

    pub(crate) fn hashes(leaves: &[&[u8]]) -> Vec<Hash> {
        leaves.iter().map(|leaf| leaf_hash(leaf)).collect()
    }

    #[test]
    fn the_roots_match_the_rfc_6962_test_vectors() {
        let mut frontier = Frontier::default();
        assert_eq!(normalize::hex(&frontier.root()), ROOTS[0]);
        for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
            frontier.push(leaf_hash(leaf));
            assert_eq!(normalize::hex(&frontier.root()), *root);
        }
    }

    #[test]
    fn the_root_matches_the_definition_at_every_size() {
        let leaves: Vec<Vec<u8>> = (0_u8..70).map(|number| vec![number; usize::from(number)]).collect();
        let leaves: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let mut frontier = Frontier::default();
        for size in 0..leaves.len() {
            assert_eq!(frontier.root(), root_by_definition(&leaves[..size]), "size {size}");
            frontier.push(leaves[size]);
        }
    }

    #[test]
    fn a_frontier_is_read_from_its_bytes_only() {
        let mut frontier = Frontier::default();
        for leaf in LEAVES.iter().take(7) {
            frontier.push(leaf_hash(leaf));
        }
        let bytes = frontier.to_bytes();
        assert_eq!(Frontier::from_bytes(7, &bytes), Some(frontier));
        assert_eq!(Frontier::from_bytes(8, &bytes), None);
        assert_eq!(Frontier::from_bytes(7, &bytes[1..]), None);
    }

    #[test]
    fn a_difference_is_found_below_its_subtree() {
        let frontier = |odd: Option<usize>| {
            let mut frontier = Frontier::default();
            for (number, leaf) in LEAVES.iter().take(7).enumerate() {
                frontier.push(leaf_hash(if odd == Some(number) { b"odd" } else { leaf }));
            }
            frontier
        };
        assert_eq!(frontier(None).first_difference(&frontier(None)), None);
        assert_eq!(frontier(None).first_difference(&frontier(Some(2))), Some(0..4));
        assert_eq!(frontier(None).first_difference(&frontier(Some(5))), Some(4..6));
        assert_eq!(frontier(None).first_difference(&frontier(Some(6))), Some(6..7));
    }
}
