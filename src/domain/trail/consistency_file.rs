//! A consistency proof as a file, for exports that contain none. `docs/audit-format.md` specifies it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use crate::domain::trail::checkpoint::Checkpoint;
use crate::domain::trail::consistency::is_consistent;
use crate::domain::trail::export::{hashes, to_line};
use crate::domain::trail::merkle::Hash;

const FORMAT: &str = "keydesk-audit-consistency";
const VERSION: u32 = 1;

/// A proof that the trail of one checkpoint is a prefix of the trail of another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyFile {
    format: String,
    version: u32,
    origin: String,
    from: Tree,
    to: Tree,
    /// The signed note of `to`, if it is the latest checkpoint.
    checkpoint: Option<String>,
    #[serde(with = "hashes")]
    proof: Vec<Hash>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    size: u64,
    root: String,
}

impl Tree {
    fn of(checkpoint: Checkpoint) -> Self {
        Self { size: checkpoint.size, root: BASE64_STANDARD.encode(checkpoint.root) }
    }
}

impl ConsistencyFile {
    #[must_use]
    pub fn new(origin: &str, from: Checkpoint, to: Checkpoint, checkpoint: Option<String>, proof: Vec<Hash>) -> Self {
        let (from, to) = (Tree::of(from), Tree::of(to));
        Self { format: FORMAT.to_owned(), version: VERSION, origin: origin.to_owned(), from, to, checkpoint, proof }
    }

    /// Returns `None` if the text is not such a file.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let file: Self = serde_json::from_str(text).ok()?;
        (file.format == FORMAT && file.version == VERSION).then_some(file)
    }

    /// Returns the content of the file, which is one line.
    #[must_use]
    pub fn text(&self) -> String {
        to_line(self)
    }

    /// Returns whether it proves that `from` is a prefix of `to` in the trail `origin`.
    #[must_use]
    pub fn proves(&self, origin: &str, from: Checkpoint, to: Checkpoint) -> bool {
        self.origin == origin
            && self.from == Tree::of(from)
            && self.to == Tree::of(to)
            && is_consistent(from, to, &self.proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trail::merkle::leaf_hash;
    use crate::domain::trail::merkle::tests::root_by_definition;
    use crate::domain::trail::tree::tests::consistency;

    #[test]
    fn a_file_proves_its_own_trees_only() {
        let leaves: Vec<Hash> = (0_u8..9).map(|number| leaf_hash(&[number])).collect();
        let tree = |size: usize| Checkpoint { size: size as u64, root: root_by_definition(&leaves[..size]) };
        let file = ConsistencyFile::new("o", tree(6), tree(9), None, consistency(6, &leaves));
        let read = ConsistencyFile::parse(&file.text()).unwrap();
        assert_eq!(read, file);
        assert!(read.proves("o", tree(6), tree(9)));
        assert!(!read.proves("p", tree(6), tree(9)));
        assert!(!read.proves("o", tree(5), tree(9)));
        assert!(!read.proves("o", tree(6), tree(8)));
        assert!(!read.proves("o", tree(6), Checkpoint { root: [0; 32], ..tree(9) }));
        assert_eq!(ConsistencyFile::parse(&file.text().replace("consistency", "export")), None);
        assert_eq!(ConsistencyFile::parse(""), None);
    }
}
