//! Reads the files that an auditor keeps.

use std::fs;
use std::path::Path;

use crate::cli::error::CliError;
use crate::domain::trail::checkpoint::CheckpointKey;

/// Reads a small text file.
pub(super) fn read_text(path: &Path) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(|error| CliError(format!("{} cannot be read: {error}.", path.display())))
}

/// Reads a public key, and the origin of its trail if the file names one.
pub(in crate::cli) fn read_public_key(path: &Path) -> Result<(CheckpointKey, Option<String>), CliError> {
    let text = read_text(path)?;
    let key = CheckpointKey::parse_vkey(&text).map(|(origin, key)| (key, Some(origin)));
    key.or_else(|| CheckpointKey::parse_raw(&text).map(|key| (key, None))).ok_or_else(|| {
        CliError(format!(
            "{} holds no public key. Give the line with origin, key id and key, or the key's 32 bytes in Base64 or hexadecimal.",
            path.display()
        ))
    })
}
