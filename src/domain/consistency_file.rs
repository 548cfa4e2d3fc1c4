//! A proof of consistency as a file of its own, for exports that hold none. `docs/audit-format.md` specifies it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::consistency::is_beginning;
use super::export::{hashes, written};
use super::merkle::Hash;

const FORMAT: &str = "keydesk-audit-consistency";
const VERSION: u32 = 1;

/// Says that a trail as one checkpoint signs it is the beginning of the same trail as another signs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyFile {
    format: String,
    version: u32,
    origin: String,
    from: Tree,
    to: Tree,
    /// The signed note of the larger one, where it is the latest.
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
    /// The file about the trail `origin`; `checkpoint` is the signed note of `to`, where there is one.
    #[must_use]
    pub fn new(origin: &str, from: Checkpoint, to: Checkpoint, checkpoint: Option<String>, proof: Vec<Hash>) -> Self {
        let (from, to) = (Tree::of(from), Tree::of(to));
        Self { format: FORMAT.to_owned(), version: VERSION, origin: origin.to_owned(), from, to, checkpoint, proof }
    }

    /// Reads such a file; `None` where it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let file: Self = serde_json::from_str(text).ok()?;
        (file.format == FORMAT && file.version == VERSION).then_some(file)
    }

    /// The file's text, which is one line.
    #[must_use]
    pub fn text(&self) -> String {
        written(self)
    }

    /// Whether it shows that `from` is the beginning of `to` in the trail `origin`.
    #[must_use]
    pub fn shows(&self, origin: &str, from: Checkpoint, to: Checkpoint) -> bool {
        self.origin == origin
            && self.from == Tree::of(from)
            && self.to == Tree::of(to)
            && is_beginning(from, to, &self.proof)
    }
}

#[cfg(test)]
mod tests {
    use super::super::merkle::leaf_hash;
    use super::super::merkle::tests::root_by_definition;
    use super::super::tree::tests::consistency;
    use super::*;

    #[test]
    fn a_file_reads_back_and_shows_what_it_was_made_for_and_nothing_else() {
        let leaves: Vec<Hash> = (0_u8..9).map(|number| leaf_hash(&[number])).collect();
        let tree = |size: usize| Checkpoint { size: size as u64, root: root_by_definition(&leaves[..size]) };
        let file = ConsistencyFile::new("o", tree(6), tree(9), None, consistency(6, &leaves));
        let read = ConsistencyFile::parse(&file.text()).unwrap();
        assert_eq!(read, file);
        assert!(read.shows("o", tree(6), tree(9)));
        assert!(!read.shows("p", tree(6), tree(9)));
        assert!(!read.shows("o", tree(5), tree(9)));
        assert!(!read.shows("o", tree(6), tree(8)));
        assert!(!read.shows("o", tree(6), Checkpoint { root: [0; 32], ..tree(9) }));
        assert_eq!(ConsistencyFile::parse(&file.text().replace("consistency", "export")), None);
        assert_eq!(ConsistencyFile::parse(""), None);
    }
}
