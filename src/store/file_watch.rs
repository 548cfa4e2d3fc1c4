//! Watches the files of an installation. A program that has opened a file goes on reading and writing it after it was
//! deleted or replaced, and its changes are lost.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::error::StoreError;

/// The files of an installation, as they were when they were opened. Clones share them.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct FileWatch(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    files: Mutex<Vec<WatchedFile>>,
    is_missing: AtomicBool,
}

#[derive(Debug)]
struct WatchedFile {
    path: PathBuf,
    /// The device and the inode; `None` for a file that may be replaced, but not deleted.
    identity: Option<(u64, u64)>,
}

impl WatchedFile {
    fn is_unchanged(&self) -> bool {
        identity(&self.path).is_ok_and(|identity| self.identity.is_none_or(|opened| opened == identity))
    }
}

impl FileWatch {
    /// Adds a file that is open, and must stay the same one.
    pub(in crate::store) fn add_open(&self, path: &Path) -> Result<(), StoreError> {
        let identity = Some(identity(path).map_err(StoreError::unavailable)?);
        self.lock().push(WatchedFile { path: path.to_owned(), identity });
        Ok(())
    }

    /// Like [`add_open`](Self::add_open), unless there is no such file.
    pub(in crate::store) fn add_open_if_present(&self, path: &Path) -> Result<(), StoreError> {
        if path.exists() { self.add_open(path) } else { Ok(()) }
    }

    /// Opens a connection. Fails if a file was deleted or replaced: the connection might be one to another database.
    pub(in crate::store) fn open<T>(&self, open: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.check()?;
        let connection = open()?;
        self.check()?;
        Ok(connection)
    }

    /// Adds a file that must exist, such as one that an operator replaces with a new version.
    pub(in crate::store) fn add(&self, path: &Path) {
        self.lock().push(WatchedFile { path: path.to_owned(), identity: None });
    }

    /// Checks the files. Until the next call, [`ensure_present`](Self::ensure_present) repeats the result.
    pub(in crate::store) fn check(&self) -> Result<(), StoreError> {
        let missing = self.lock().iter().find(|file| !file.is_unchanged()).map(|file| file.path.clone());
        let was_missing = self.0.is_missing.swap(missing.is_some(), Ordering::Relaxed);
        match &missing {
            Some(path) if !was_missing => {
                tracing::error!(path = %path.display(), "file deleted or replaced; nothing is served until it is back");
            }
            None if was_missing => tracing::info!("the files of the installation are back"),
            _ => {}
        }
        if missing.is_some() { Err(file_missing()) } else { Ok(()) }
    }

    /// Fails if a file was missing at the last check.
    pub(in crate::store) fn ensure_present(&self) -> Result<(), StoreError> {
        if self.0.is_missing.load(Ordering::Relaxed) { Err(file_missing()) } else { Ok(()) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<WatchedFile>> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn file_missing() -> StoreError {
    StoreError::unavailable("a file of the installation was deleted or replaced")
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_or_replaced_file_is_missing_until_it_is_back() {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("keydesk.db"), folder.path().join("aside"));
        fs::write(&path, "original").unwrap();
        let watch = FileWatch::default();
        watch.add_open(&path).unwrap();
        assert!(watch.check().is_ok() && watch.ensure_present().is_ok());
        fs::rename(&path, &aside).unwrap();
        assert!(watch.ensure_present().is_ok(), "it is looked at only by a check");
        assert!(watch.check().is_err() && watch.ensure_present().is_err());
        fs::write(&path, "original").unwrap();
        assert!(watch.check().is_err(), "another file with the same content");
        fs::rename(&aside, &path).unwrap();
        assert!(watch.check().is_ok() && watch.ensure_present().is_ok());
    }

    #[test]
    fn a_file_that_may_be_replaced_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        let watch = FileWatch::default();
        watch.add(&path);
        assert!(watch.check().is_err());
        for content in ["one", "two"] {
            fs::write(&path, content).unwrap();
            assert!(watch.check().is_ok());
            fs::remove_file(&path).unwrap();
            assert!(watch.check().is_err());
        }
    }
}
