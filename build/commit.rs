//! Finds the commit of the sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Characters of a hash that are shown.
const SHOWN: usize = 12;

/// `git archive` writes the hash into this file.
const ARCHIVED: &str = "build/commit.txt";

/// The commit, and the files that change with it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sources {
    pub commit: Option<String>,
    pub files: Vec<PathBuf>,
}

impl Sources {
    /// Looks at a folder: a git repository, an archive of one, or neither.
    pub fn of(root: &Path) -> Self {
        Self::of_repository(root).unwrap_or_else(|| Self { commit: archived(root), files: Vec::new() })
    }

    /// `None` if the folder is not the root of a repository, such as an archive that was unpacked inside another one.
    fn of_repository(root: &Path) -> Option<Self> {
        let top = PathBuf::from(git(root, &["rev-parse", "--show-toplevel"])?);
        if top.canonicalize().ok()? != root.canonicalize().ok()? {
            return None;
        }
        let commit = git(root, &["rev-parse", "HEAD"])?.chars().take(SHOWN).collect();
        let branch = git(root, &["rev-parse", "--symbolic-full-name", "HEAD"]);
        let names = [Some("HEAD".to_owned()), branch, Some("packed-refs".to_owned())];
        let files = names.into_iter().flatten().filter_map(|name| git(root, &["rev-parse", "--git-path", &name]));
        let files = files.map(|file| root.join(file)).filter(|file| file.exists()).collect();
        Some(Self { commit: Some(commit), files })
    }
}

fn archived(root: &Path) -> Option<String> {
    let text = fs::read_to_string(root.join(ARCHIVED)).ok()?;
    let hash = text.trim();
    let is_hash = hash.len() >= SHOWN && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| hash.chars().take(SHOWN).collect())
}

/// Returns what git prints; `None` without git, or outside a repository.
fn git(folder: &Path, words: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(words).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
