//! Writes files that survive a crash: whole, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::random;

/// Replaces a file durably, through a temporary file beside it whose name starts with `temporary_prefix`. Only the owner
/// may read it.
///
/// # Errors
/// The error of the file system. The former file stays.
pub fn replace(path: &Path, temporary_prefix: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_file_name(format!("{temporary_prefix}{}", random::hex::<8>()));
    let written = write(path, &temporary, bytes);
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write(path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create_private(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    sync_folder_of(path)
}

/// Creates a file that only its owner may read. It can be read and written, and must not exist.
///
/// # Errors
/// The error of the file system.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// Makes the name of a file durable, not only its content.
///
/// # Errors
/// The error of the file system.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for content in ["first", "second"] {
            replace(&path, ".file-", content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("folder");
        fs::create_dir(&path).unwrap();
        assert!(replace(&path, ".file-", b"content").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
