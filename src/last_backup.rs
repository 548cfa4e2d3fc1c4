//! Remembers, in the data folder, when the last completed backup of an installation's database began.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::domain::ids::InstallationId;
use crate::domain::timestamp::Timestamp;
use crate::durable_file;

const FILE_NAME: &str = "last-backup";
const TEMPORARY_PREFIX: &str = ".last-backup-";

#[derive(Serialize, Deserialize)]
struct LastBackup {
    installation: InstallationId,
    began_at: String,
}

/// Returns when the last backup began. `None` if there was none, or if the file is about another installation.
///
/// # Errors
/// The file cannot be read, or is damaged.
pub fn read(data_dir: &Path, installation: InstallationId) -> io::Result<Option<Timestamp>> {
    let text = match fs::read_to_string(data_dir.join(FILE_NAME)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let last: LastBackup = serde_json::from_str(&text)?;
    if last.installation != installation {
        return Ok(None);
    }
    Timestamp::parse_rfc_3339(&last.began_at).map(Some).ok_or_else(|| io::Error::other("it names no time"))
}

/// Remembers a backup that completed.
///
/// # Errors
/// The file cannot be written.
pub fn write(data_dir: &Path, installation: InstallationId, began_at: &str) -> io::Result<()> {
    let last = LastBackup { installation, began_at: began_at.to_owned() };
    let text = serde_json::to_string(&last)? + "\n";
    durable_file::replace(&data_dir.join(FILE_NAME), TEMPORARY_PREFIX, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installation(seed: u8) -> InstallationId {
        InstallationId::new(Timestamp::from_micros(0), &[seed; 10])
    }

    #[test]
    fn the_last_backup_of_this_installation_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let read = |seed| read(folder.path(), installation(seed)).unwrap();
        assert_eq!(read(1), None);
        for time in ["2026-11-23T08:59:59.000000Z", "2026-11-23T09:00:00.000000Z"] {
            write(folder.path(), installation(1), time).unwrap();
            assert_eq!(read(1), Timestamp::parse_rfc_3339(time));
        }
        assert_eq!(read(2), None);
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "yesterday", r#"{"installation":"x","began_at":"y"}"#] {
            fs::write(folder.path().join(FILE_NAME), text).unwrap();
            assert!(read(folder.path(), installation(1)).is_err(), "{text}");
        }
    }
}
