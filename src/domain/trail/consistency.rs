//! Verifies consistency proofs (RFC 9162 section 2.1.4.2).

use crate::domain::trail::checkpoint::Checkpoint;
use crate::domain::trail::merkle::{Frontier, Hash, node_hash};

/// Returns whether the proof shows that `first` is a prefix of `second`. The proof is empty if the trees are equal or
/// the first one has no leaves.
#[must_use]
pub fn is_consistent(first: Checkpoint, second: Checkpoint, proof: &[Hash]) -> bool {
    if first.size == 0 || first.size >= second.size {
        let known = if first.size == 0 { Frontier::default().root() } else { second.root };
        return first.root == known && first.size <= second.size && proof.is_empty();
    }
    let mut proof = proof.iter();
    let start = if first.size.is_power_of_two() { Some(&first.root) } else { proof.next() };
    let Some(start) = start else { return false };
    let (mut index, mut last) = (first.size - 1, second.size - 1);
    let skipped = index.trailing_ones();
    index >>= skipped;
    last >>= skipped;
    let (mut smaller, mut larger) = (*start, *start);
    for node in proof {
        if last == 0 {
            return false;
        }
        if index & 1 == 1 || index == last {
            smaller = node_hash(node, &smaller);
            larger = node_hash(node, &larger);
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            larger = node_hash(&larger, node);
        }
        index >>= 1;
        last >>= 1;
    }
    last == 0 && smaller == first.root && larger == second.root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trail::merkle::leaf_hash;
    use crate::domain::trail::merkle::tests::root_by_definition;
    use crate::domain::trail::tree::tests::consistency;

    fn leaves(count: u32) -> Vec<Hash> {
        (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    fn head(leaves: &[Hash]) -> Checkpoint {
        Checkpoint { size: leaves.len() as u64, root: root_by_definition(leaves) }
    }

    #[test]
    fn every_prefix_of_every_size_is_proven() {
        for size in 0..=70 {
            let leaves = leaves(size);
            for first in 0..=leaves.len() {
                let proof = consistency(first, &leaves);
                assert!(is_consistent(head(&leaves[..first]), head(&leaves), &proof), "{first} of {size}");
            }
        }
    }

    #[test]
    fn changed_trees_and_proofs_are_refused() {
        let leaves = leaves(41);
        for first in 0..=leaves.len() {
            let (smaller, larger, proof) = (head(&leaves[..first]), head(&leaves), consistency(first, &leaves));
            let changed = |head: Checkpoint| Checkpoint { root: std::array::from_fn(|at| head.root[at] ^ 1), ..head };
            assert!(!is_consistent(changed(smaller), larger, &proof), "{first}");
            if first > 0 {
                assert!(!is_consistent(smaller, changed(larger), &proof), "{first}");
                assert!(!is_consistent(larger, Checkpoint { size: smaller.size - 1, ..smaller }, &proof), "{first}");
            }
            for place in 0..proof.len() {
                let mut other = proof.clone();
                other[place][0] ^= 1;
                assert!(!is_consistent(smaller, larger, &other), "{first}");
                other.remove(place);
                assert!(!is_consistent(smaller, larger, &other), "{first}");
            }
            assert!(!is_consistent(smaller, larger, &[proof.as_slice(), &[[0; 32]]].concat()), "{first}");
        }
    }
}
