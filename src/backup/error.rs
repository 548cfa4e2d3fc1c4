//! Why a backup was not made, or not restored.

use std::fmt::Display;
use std::io;
use std::path::Path;

use crate::store::StoreError;

/// Why a backup was not made, or not restored: one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BackupError(pub(super) String);

impl BackupError {
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// A file that cannot be written.
    pub(super) fn unwritable(path: &Path, error: &io::Error) -> Self {
        let shown = path.display();
        Self(match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                format!("There is no space left to write {shown}. Free some, or name a file on another disk.")
            }
            _ => format!("{shown} cannot be written: {error}. Name a file in a folder that you may write to."),
        })
    }

    /// A file that cannot be read.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self(format!("{} cannot be read: {error}.", path.display()))
    }

    /// Another part of the installation refuses, with a sentence of its own.
    pub(super) fn because(error: impl Display) -> Self {
        Self(error.to_string())
    }
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self(format!("The database cannot be read: {error}."))
    }
}
