//! A file that is not whole yet. It is removed unless it is finished.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::error::BackupError;
use crate::config::sqlite_companions;
use crate::durable_file::{create_private, sync_folder_of};

/// The file `TARGET.partial`. Dropping it removes it, and what SQLite keeps beside it.
#[derive(Debug)]
pub(super) struct PartialFile {
    target: PathBuf,
    path: PathBuf,
    /// Stays open while SQLite uses the file: closing it would end the locks that SQLite holds in this process.
    file: File,
    is_finished: bool,
}

impl PartialFile {
    /// Creates the file, replacing one that an interrupted run left. Only its owner may read it.
    pub(super) fn create(target: &Path) -> Result<Self, BackupError> {
        let mut name = target.as_os_str().to_owned();
        name.push(".partial");
        let path = PathBuf::from(name);
        let is_left = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        if is_left {
            remove(&path);
        }
        let file = create_private(&path).map_err(|error| BackupError::unwritable(target, &error))?;
        Ok(Self { target: target.to_owned(), path, file, is_finished: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// Makes the file durable under its name. No file of that name may exist.
    pub(super) fn finish(mut self) -> Result<(), BackupError> {
        let target = &self.target;
        if target.symlink_metadata().is_ok() {
            return Err(BackupError(format!("{} was created by another program meanwhile.", target.display())));
        }
        let finished = self.file.sync_all().and_then(|()| fs::rename(&self.path, target));
        let finished = finished.and_then(|()| sync_folder_of(target));
        finished.map_err(|error| BackupError::unwritable(target, &error))?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.is_finished {
            remove(&self.path);
        }
    }
}

fn remove(path: &Path) {
    for file in [path.to_owned()].into_iter().chain(sqlite_companions(path)) {
        let _ = fs::remove_file(file);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_finished_file_has_its_name_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("backup");
        fs::write(folder.path().join("backup.partial"), "left by an interrupted run").unwrap();
        let partial = PartialFile::create(&target).unwrap();
        assert_eq!(fs::read(partial.path()).unwrap(), b"");
        partial.finish().unwrap();
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_unfinished_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let partial = PartialFile::create(&folder.path().join("backup")).unwrap();
        for companion in sqlite_companions(partial.path()) {
            fs::write(companion, "").unwrap();
        }
        drop(partial);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_appeared_meanwhile_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("backup");
        let partial = PartialFile::create(&target).unwrap();
        fs::write(&target, "of another program").unwrap();
        assert!(partial.finish().unwrap_err().to_string().contains("another program"));
        assert_eq!(fs::read_to_string(&target).unwrap(), "of another program");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let sentence = PartialFile::create(Path::new("/proc/backup")).unwrap_err().to_string();
        assert!(sentence.starts_with("/proc/backup cannot be written: "), "{sentence}");
    }
}
