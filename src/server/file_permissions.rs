//! Refuses files and folders that other users can change: they could replace the database or the secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::error::StartError;
use crate::config::{Config, Database, sqlite_companions};

const WRITABLE_BY_OTHERS: u32 = 0o022;
/// In such a folder, users cannot replace each other's files.
const STICKY: u32 = 0o1000;

/// Checks the data folder, the files of the database, and the folders that hold the database and the secrets.
///
/// # Errors
/// [`StartError::System`], naming the first one that others can write.
pub fn check(config: &Config) -> Result<(), StartError> {
    refuse_writable("data folder", &config.data_dir, false)?;
    let mut files = vec![config.secrets_file.as_path()];
    if let Database::Sqlite(path) = &config.database {
        for file in [path.clone()].into_iter().chain(sqlite_companions(path)) {
            refuse_writable("database file", &file, false)?;
        }
        files.push(path);
    }
    let mut folders = files.into_iter().filter_map(Path::parent);
    folders.try_for_each(|folder| refuse_writable("folder", folder, true))
}

/// A missing file or folder is created by this program, which then owns it.
fn refuse_writable(what: &str, path: &Path, may_be_sticky: bool) -> Result<(), StartError> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & WRITABLE_BY_OTHERS == 0 || (may_be_sticky && mode & STICKY != 0) {
        return Ok(());
    }
    let shown = path.display();
    Err(StartError::System(format!(
        "The {what} {shown} can be written by others (mode {mode:04o}). Run: chmod go-w {shown}"
    )))
}
