//! Checkpoints that were kept outside, to find what a backup lacks.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::error::BackupError;
use crate::domain::ids::{InstallationId, TrailId};
use crate::domain::text::escape::Quoted;
use crate::domain::trail::checkpoint::{self, CheckpointKey};
use crate::domain::trail::key_chain::KeyChain;
use crate::domain::trail::note_scanner::NoteScanner;
use crate::domain::trail::remembered::RememberedTrail;
use crate::evidence::key_chain;
use crate::store::Store;

/// Files with one or more checkpoints, and the public key that was kept with them.
#[derive(Clone, Debug, Default)]
pub struct KeptCheckpoints {
    pub files: Vec<PathBuf>,
    pub key: Option<CheckpointKey>,
}

impl KeptCheckpoints {
    /// Returns the last checkpoint of each trail. The notes must be of this installation, and signed by its key or by one
    /// before it, as the restored database says.
    pub(super) fn read(
        &self,
        store: &Store,
        installation: InstallationId,
        own_key: CheckpointKey,
    ) -> Result<Vec<(TrailId, RememberedTrail)>, BackupError> {
        self.read_with(installation, |trail, origin| {
            let keys = store.query(|db| key_chain(db, trail, origin, own_key))?;
            Ok(keys.unwrap_or_else(|_| KeyChain::of_key(own_key)))
        })
    }

    /// `keys` returns the keys of a trail.
    fn read_with(
        &self,
        installation: InstallationId,
        keys: impl Fn(TrailId, &str) -> Result<KeyChain, BackupError>,
    ) -> Result<Vec<(TrailId, RememberedTrail)>, BackupError> {
        let mut last = HashMap::new();
        for path in &self.files {
            let notes = notes(path).map_err(|error| BackupError::unreadable(path, &error))?;
            if notes.is_empty() {
                return Err(BackupError(format!("{} holds no checkpoint.", path.display())));
            }
            for (origin, note) in notes {
                let refused = |reason| BackupError(format!("A checkpoint in {} {reason}.", path.display()));
                let trail = trail_of(&origin, installation).map_err(refused)?;
                let keys = keys(trail, &origin)?;
                if self.key.is_some_and(|key| !keys.contains(key)) {
                    return Err(BackupError::new(
                        "The public key is not that of the secrets file, so these are not the secrets with which the checkpoint was signed.",
                    ));
                }
                let kept = RememberedTrail::of_note(&note, &origin, &keys)
                    .map_err(|error| refused(format!("is not valid: {error}")))?;
                let known = last.entry(trail).or_insert_with(|| kept.clone());
                if known.size() < kept.size() {
                    *known = kept;
                }
            }
        }
        Ok(last.into_iter().collect())
    }
}

fn trail_of(origin: &str, installation: InstallationId) -> Result<TrailId, String> {
    let trail = origin.rsplit_once('/').and_then(|(_, trail)| TrailId::parse(trail));
    let trail = trail.filter(|trail| checkpoint::origin(installation, *trail) == origin);
    trail.ok_or_else(|| format!("belongs to another installation: {}", Quoted(origin)))
}

/// Returns the last note of each trail in a file, by its origin line.
fn notes(path: &Path) -> io::Result<HashMap<String, String>> {
    let (mut last, mut scanner) = (HashMap::new(), NoteScanner::default());
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        last.extend(scanner.push(line.trim_end_matches('\r').to_owned()));
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::domain::timestamp::Timestamp;
    use crate::domain::trail::checkpoint::CheckpointSigner;
    use crate::domain::trail::merkle::Frontier;

    fn installation(seed: u8) -> InstallationId {
        InstallationId::new(Timestamp::from_micros(0), &[seed; 10])
    }

    fn signer() -> CheckpointSigner {
        CheckpointSigner::from_seed(&[9; 32])
    }

    fn read(text: &str, key: Option<CheckpointKey>) -> Result<Vec<(TrailId, u64)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        fs::write(&path, text).unwrap();
        let kept = KeptCheckpoints { files: vec![path], key };
        let keys = |_, _: &str| Ok(KeyChain::of_key(signer().public_key()));
        let read = kept.read_with(installation(1), keys).map_err(|error| error.to_string())?;
        let mut sizes: Vec<_> = read.into_iter().map(|(trail, kept)| (trail, kept.size())).collect();
        sizes.sort_unstable();
        Ok(sizes)
    }

    #[test]
    fn the_largest_checkpoint_of_each_trail_is_taken() {
        let trails = [2, 3].map(|seed| TrailId::from(installation(seed)));
        let note = |trail: TrailId, size| {
            signer().sign(&checkpoint::origin(installation(1), trail), size, &Frontier::default().root())
        };
        let text = [note(trails[0], 3), note(trails[1], 8), note(trails[0], 5)].join("\n");
        assert_eq!(read(&text, None), Ok(vec![(trails[0], 5), (trails[1], 8)]));
        assert_eq!(read(&text.replace('\n', "\r\n"), Some(signer().public_key())).unwrap().len(), 2);
    }

    #[test]
    fn foreign_and_forged_checkpoints_are_refused() {
        let origin = |of| checkpoint::origin(installation(of), TrailId::from(installation(2)));
        let signed = |of, seed| CheckpointSigner::from_seed(&[seed; 32]).sign(&origin(of), 3, &[7; 32]);
        for (text, words) in [
            (signed(1, 8), "is not valid: its signature is not valid"),
            (signed(4, 9), "belongs to another installation"),
            ("keydesk/x/y\n3\n".to_owned(), "holds no checkpoint"),
        ] {
            assert!(read(&text, None).unwrap_err().contains(words), "{words}");
        }
        let other = CheckpointSigner::from_seed(&[8; 32]).public_key();
        assert!(read(&signed(1, 9), Some(other)).unwrap_err().contains("is not that of the secrets file"));
    }
}
