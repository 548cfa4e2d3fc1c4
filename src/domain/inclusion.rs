//! Checks that a leaf is in a Merkle tree (RFC 9162 section 2.1.3.2).

use super::merkle::{Hash, node_hash};

/// The root to which a proof leads from a leaf, counted from 0, in a tree of `size` leaves: whoever knows the tree's root
/// compares. `None` where no tree of that size has a proof of that length at that place.
#[must_use]
pub fn root_of(leaf: Hash, index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    let mut last = size.checked_sub(1).filter(|last| index <= *last)?;
    let mut index = index;
    let mut node = leaf;
    for neighbour in proof {
        if last == 0 {
            return None;
        }
        if index & 1 == 1 || index == last {
            node = node_hash(neighbour, &node);
            // A node without a neighbour to its right stands on the next level as it is.
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, neighbour);
        }
        index >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(node)
}

/// The root of the tree of all leaves before this one, which a proof that has led to the root of its tree holds along the
/// way: the neighbours to the left are what that smaller tree is made of. `None` for the first leaf.
#[must_use]
pub fn root_before(index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    let mut last = size.checked_sub(1)?;
    let mut index = index;
    let mut root = None;
    for neighbour in proof {
        // Only an existing right neighbour is on the right: levels without a neighbour are passed over.
        while index & 1 == 0 && index == last && index != 0 {
            index >>= 1;
            last >>= 1;
        }
        if index & 1 == 1 {
            root = Some(root.map_or(*neighbour, |right| node_hash(neighbour, &right)));
        }
        index >>= 1;
        last >>= 1;
    }
    root
}

#[cfg(test)]
mod tests {
    use super::super::merkle::leaf_hash;
    use super::super::merkle::tests::root_by_definition;
    use super::super::tree::tests::inclusion;
    use super::*;

    fn leaves(count: u32) -> Vec<Hash> {
        (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    #[test]
    fn every_leaf_of_every_size_is_proven_and_at_no_other_place() {
        for size in 1..=70 {
            let leaves = leaves(size);
            let root = Some(root_by_definition(&leaves));
            for (index, leaf) in (0_u64..).zip(&leaves) {
                let proof = inclusion(usize::try_from(index).unwrap(), &leaves);
                for place in 0..u64::from(size) + 2 {
                    let leads_there = root_of(*leaf, place, u64::from(size), &proof) == root;
                    assert_eq!(leads_there, place == index, "leaf {index} of {size} at {place}");
                }
            }
        }
    }

    #[test]
    fn a_proof_that_is_changed_longer_or_shorter_leads_elsewhere() {
        let leaves = leaves(21);
        let (root, leaf) = (Some(root_by_definition(&leaves)), leaves[13]);
        let proof = inclusion(13, &leaves);
        assert_eq!(root_of(leaf, 13, 21, &proof), root);
        for place in 0..proof.len() {
            let mut changed = proof.clone();
            changed[place][7] ^= 1;
            assert_ne!(root_of(leaf, 13, 21, &changed), root);
            let mut shorter = proof.clone();
            shorter.remove(place);
            assert_ne!(root_of(leaf, 13, 21, &shorter), root);
        }
        assert_eq!(root_of(leaf, 13, 21, &[proof.as_slice(), &[leaf]].concat()), None);
        assert_eq!(root_of(leaf, 21, 21, &proof), None);
        assert_eq!(root_of(leaf, 0, 0, &[]), None);
    }

    #[test]
    fn a_proof_holds_the_root_of_all_that_was_before_its_leaf() {
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
