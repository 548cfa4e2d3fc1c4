//! Verifies inclusion proofs (RFC 9162 section 2.1.3.2).

use crate::domain::trail::merkle::{Hash, node_hash};

/// Returns the root that a proof yields for the leaf at `index`, counted from 0, in a tree of `size` leaves. The caller
/// compares it with the known root. Returns `None` if the proof has the wrong length.
#[must_use]
pub fn root_from_proof(leaf: Hash, index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    let mut last = size.checked_sub(1).filter(|last| index <= *last)?;
    let mut index = index;
    let mut node = leaf;
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if index & 1 == 1 || index == last {
            node = node_hash(sibling, &node);
            // A node without a right sibling moves up to the next level unchanged.
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        index >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(node)
}

/// Returns the root of the tree of all leaves before this one. A verified inclusion proof contains its subtrees as left
/// siblings. Returns `None` for the first leaf.
#[must_use]
pub fn root_before(index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    let mut last = size.checked_sub(1)?;
    let mut index = index;
    let mut root = None;
    for sibling in proof {
        // Skip the levels on which the node has no sibling.
        while index & 1 == 0 && index == last && index != 0 {
            index >>= 1;
            last >>= 1;
        }
        if index & 1 == 1 {
            root = Some(root.map_or(*sibling, |right| node_hash(sibling, &right)));
        }
        index >>= 1;
        last >>= 1;
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trail::merkle::leaf_hash;
    use crate::domain::trail::merkle::tests::root_by_definition;
    use crate::domain::trail::tree::tests::inclusion;

    fn leaves(count: u32) -> Vec<Hash> {
        (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    #[test]
    fn a_proof_holds_for_its_leaf_and_index_only() {
        for size in 1..=70 {
            let leaves = leaves(size);
            let root = Some(root_by_definition(&leaves));
            for (index, leaf) in (0_u64..).zip(&leaves) {
                let proof = inclusion(usize::try_from(index).unwrap(), &leaves);
                for other in 0..u64::from(size) + 2 {
                    let holds = root_from_proof(*leaf, other, u64::from(size), &proof) == root;
                    assert_eq!(holds, other == index, "leaf {index} of {size} at {other}");
                }
            }
        }
    }

    #[test]
    fn a_changed_proof_yields_another_root() {
        let leaves = leaves(21);
        let (root, leaf) = (Some(root_by_definition(&leaves)), leaves[13]);
        let proof = inclusion(13, &leaves);
        assert_eq!(root_from_proof(leaf, 13, 21, &proof), root);
        for place in 0..proof.len() {
            let mut changed = proof.clone();
            changed[place][7] ^= 1;
            assert_ne!(root_from_proof(leaf, 13, 21, &changed), root);
            let mut shorter = proof.clone();
            shorter.remove(place);
            assert_ne!(root_from_proof(leaf, 13, 21, &shorter), root);
        }
        assert_eq!(root_from_proof(leaf, 13, 21, &[proof.as_slice(), &[leaf]].concat()), None);
        assert_eq!(root_from_proof(leaf, 21, 21, &proof), None);
        assert_eq!(root_from_proof(leaf, 0, 0, &[]), None);
    }

    #[test]
    fn a_proof_contains_the_root_before_its_leaf() {
        for size in 1..=70 {
            let leaves = leaves(size);
            for index in 0..leaves.len() {
                let proof = inclusion(index, &leaves);
                let before = (index > 0).then(|| root_by_definition(&leaves[..index]));
                let found = root_before(u64::try_from(index).unwrap(), u64::from(size), &proof);
                assert_eq!(found, before, "before leaf {index} of {size}");
            }
        }
    }
}
