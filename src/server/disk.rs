//! The free space of the file systems of an installation.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::config::{Config, Database};

const MEBIBYTE: u64 = 1_024 * 1_024;
/// A change needs far less, a write-ahead log under a long read this much.
const MIN_FREE_BYTES: u64 = 256 * MEBIBYTE;

/// Returns a sentence about a file system with little space left. One whose space is unknown counts as having enough.
pub(super) fn trouble(config: &Config) -> Option<String> {
    let mut folders = vec![config.data_dir.as_path()];
    if let Database::Sqlite(path) = &config.database {
        folders.extend(path.parent());
    }
    let mut seen = BTreeSet::new();
    folders.into_iter().find_map(|folder| {
        let device = fs::metadata(folder).ok()?.dev();
        if seen.insert(device) { trouble_of(folder, free_bytes(folder)?) } else { None }
    })
}

fn trouble_of(folder: &Path, free: u64) -> Option<String> {
    (free < MIN_FREE_BYTES).then(|| {
        format!(
            "{} MiB are free on the disk of {}. Free more, or move the folder: without space, nothing can be changed.",
            free / MEBIBYTE,
            folder.display()
        )
    })
}

/// The space that users other than root may fill.
fn free_bytes(folder: &Path) -> Option<u64> {
    let found = statvfs(folder).ok()?;
    Some(found.blocks_available().saturating_mul(found.fragment_size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_space_is_named_with_its_folder() {
        assert!(free_bytes(Path::new("/")).is_some_and(|free| free > 0));
        assert_eq!(trouble_of(Path::new("/data"), MIN_FREE_BYTES), None);
        let sentence = trouble_of(Path::new("/data"), 12 * MEBIBYTE + 5).unwrap();
        assert!(sentence.starts_with("12 MiB are free on the disk of /data."), "{sentence}");
    }
}
