//! Finds the manifest at the end of a backup.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::error::BackupError;
use crate::domain::backup_manifest::{BackupManifest, TITLE};

/// No manifest is longer: this is enough for a million audit trails.
const MAX_BYTES: u64 = 1 << 29;
const FIRST_GUESS_BYTES: u64 = 1 << 16;

/// A backup with its manifest, whose signature is not checked yet.
#[derive(Debug)]
pub(super) struct OpenBackup {
    pub file: File,
    pub manifest: BackupManifest,
    /// The manifest as it was signed.
    pub text: String,
}

impl OpenBackup {
    pub(super) fn open(path: &Path) -> Result<Self, BackupError> {
        let mut file = File::open(path).map_err(|error| BackupError::unreadable(path, &error))?;
        let found = read_manifest(&mut file).map_err(|error| BackupError::unreadable(path, &error))?;
        let (text, manifest) = found.ok_or_else(|| {
            BackupError(format!(
                "{} is not a whole backup by keydesk backup: it does not end with a manifest. Take another backup.",
                path.display()
            ))
        })?;
        Ok(Self { file, manifest, text })
    }
}

/// Returns the manifest that ends a file and describes all that is before it.
fn read_manifest(file: &mut (impl Read + Seek)) -> io::Result<Option<(String, BackupManifest)>> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut guess = FIRST_GUESS_BYTES;
    loop {
        let read = guess.min(length);
        file.seek(SeekFrom::Start(length - read))?;
        let mut end = vec![0; usize::try_from(read).map_err(io::Error::other)?];
        file.read_exact(&mut end)?;
        if let Some(text) = after_last_separator(&end) {
            let manifest = BackupManifest::read(text);
            let is_whole = |manifest: &BackupManifest| manifest.database.bytes + 1 + text.len() as u64 == length;
            return Ok(manifest.filter(is_whole).map(|manifest| (text.to_owned(), manifest)));
        }
        if read == length || guess >= MAX_BYTES {
            return Ok(None);
        }
        guess *= 4;
    }
}

/// The manifest begins with its title on a line of its own. No line of it has the title again, as JSON escapes line feeds.
fn after_last_separator(end: &[u8]) -> Option<&str> {
    let separator = format!("\n{TITLE}\n");
    let at = end.windows(separator.len()).rposition(|window| window == separator.as_bytes())?;
    std::str::from_utf8(end.get(at + 1..)?).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::domain::backup_manifest::BackupDatabase;
    use crate::domain::ids::InstallationId;
    use crate::domain::timestamp::Timestamp;
    use crate::domain::trail::checkpoint::CheckpointSigner;

    fn backup(database: &[u8], schema: &str) -> Vec<u8> {
        let manifest = BackupManifest {
            keydesk: "1.2.3".to_owned(),
            schema: schema.to_owned(),
            began_at: "2026-11-23T09:00:00.000000Z".to_owned(),
            installation: InstallationId::new(Timestamp::from_micros(0), &[1; 10]),
            database: BackupDatabase { bytes: database.len() as u64, sha256: String::new() },
            trails: Vec::new(),
            secrets: Vec::new(),
            differences: 0,
        };
        let text = manifest.sign(&CheckpointSigner::from_seed(&[9; 32])).unwrap();
        [database, b"\n", text.as_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Option<BackupManifest> {
        read_manifest(&mut Cursor::new(bytes)).unwrap().map(|(_, manifest)| manifest)
    }

    #[test]
    fn the_manifest_is_found_behind_any_database() {
        let own_title = format!("pages\n{TITLE}\npages");
        for database in [&b""[..], b"\n", &[0xff; 4_096], own_title.as_bytes()] {
            assert_eq!(read(&backup(database, "1")).unwrap().database.bytes, database.len() as u64);
        }
    }

    #[test]
    fn a_long_manifest_is_found() {
        let schema = "x".repeat(300_000);
        assert_eq!(read(&backup(&[0; 9_000], &schema)).unwrap().schema, schema);
    }

    #[test]
    fn a_truncated_or_extended_backup_is_not_whole() {
        let whole = backup(&[7; 100], "1");
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "{end}");
        }
        assert_eq!(read(&whole[1..]), None);
        assert_eq!(read(&[&whole[..], b"x"].concat()), None);
        assert_eq!(read(&[b"x", &whole[..]].concat()), None);
    }
}
