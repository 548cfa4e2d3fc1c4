//! Refuses files and folders of an installation that this program may not use, and says whose they are.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{AccessFlags, Uid, User, access};

use super::error::StartError;
use crate::checkpoint_memory::CheckpointMemory;
use crate::config::{Config, Database, sqlite_companions};

/// The lock of the data folder, which a start holds.
pub(super) const LOCK: &str = "lock";

/// What an installation is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Change,
}

/// Checks the data folder, the secrets file, the remembered checkpoints and, on SQLite, the database.
///
/// # Errors
/// [`StartError::System`], naming the first one that this program may not use, its owner, and what to do.
pub(super) fn check(config: &Config, purpose: Purpose) -> Result<(), StartError> {
    let check = Check { data_dir: &config.data_dir, purpose };
    let read_or_change =
        if purpose == Purpose::Read { AccessFlags::R_OK } else { AccessFlags::R_OK | AccessFlags::W_OK };
    if purpose == Purpose::Change {
        check.folder("data folder", &config.data_dir)?;
        check.file("lock file", &config.data_dir.join(LOCK), AccessFlags::W_OK)?;
    }
    check.file("secrets file", &config.secrets_file, AccessFlags::R_OK)?;
    let memory = CheckpointMemory::path(&config.data_dir);
    check.file("file of remembered checkpoints", &memory, AccessFlags::R_OK)?;
    if let Database::Sqlite(path) = &config.database {
        if path.is_dir() {
            return Err(StartError::System(format!(
                "The database {} is a folder. Name a file with --database-url.",
                path.display()
            )));
        }
        if let (Purpose::Change, Some(folder)) = (purpose, path.parent()) {
            check.folder("folder of the database", folder)?;
        }
        for file in [path.clone()].into_iter().chain(sqlite_companions(path)) {
            check.file("database file", &file, read_or_change)?;
        }
    }
    if let (Purpose::Change, false, Some(folder)) =
        (purpose, config.secrets_file.exists(), config.secrets_file.parent())
    {
        check.folder("folder of the secrets file", folder)?;
    }
    Ok(())
}

struct Check<'a> {
    data_dir: &'a Path,
    purpose: Purpose,
}

impl Check<'_> {
    /// A missing folder is created in the nearest one that exists.
    fn folder(&self, what: &str, path: &Path) -> Result<(), StartError> {
        let existing = path.ancestors().find(|folder| !is_missing(folder)).unwrap_or(path);
        let what = if existing == path { what } else { "folder" };
        self.require(what, existing, AccessFlags::W_OK | AccessFlags::X_OK)
    }

    /// A missing file is created, or missed by others.
    fn file(&self, what: &str, path: &Path, flags: AccessFlags) -> Result<(), StartError> {
        if is_missing(path) { Ok(()) } else { self.require(what, path, flags) }
    }

    fn require(&self, what: &str, path: &Path, flags: AccessFlags) -> Result<(), StartError> {
        match access(path, flags) {
            Ok(()) => Ok(()),
            Err(Errno::EACCES | Errno::EPERM) => Err(self.denied(what, path, flags)),
            Err(Errno::EROFS) => Err(StartError::System(format!(
                "The {what} {} is on a file system that is mounted read-only. Mount it for writing, or name another place with --data-dir and --database-url.",
                path.display()
            ))),
            Err(error) => Err(StartError::System(format!(
                "The {what} {} cannot be used: {}. Name another place with --data-dir and --database-url.",
                path.display(),
                error.desc()
            ))),
        }
    }

    /// Names the path, or the first folder on the way to it that this program may not enter.
    fn denied(&self, what: &str, path: &Path, flags: AccessFlags) -> StartError {
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.reverse();
        let closed = above.into_iter().find(|folder| access(*folder, AccessFlags::X_OK).is_err());
        let (what, path, flags) = closed.map_or((what, path, flags), |folder| ("folder", folder, AccessFlags::X_OK));
        let shown = path.display();
        let Ok(metadata) = fs::metadata(path) else {
            return StartError::System(format!("The {what} {shown} cannot be used: permission denied."));
        };
        let (own, mode) = (Uid::current(), metadata.permissions().mode() & 0o7777);
        let (user, owner) = (name(own), name(Uid::from_raw(metadata.uid())));
        let to_do = if metadata.uid() == own.as_raw() {
            format!("Run: chmod u+{} {shown}", letters(flags))
        } else if path.starts_with(self.data_dir) && self.purpose == Purpose::Change {
            format!("Run as root: chown -R {user} {}", self.data_dir.display())
        } else {
            format!("Let {user} {} it, or run Keydesk as {owner}.", verb(flags, metadata.is_dir()))
        };
        let may_not = verb(flags, metadata.is_dir());
        StartError::System(format!(
            "The {what} {shown} belongs to {owner} (mode {mode:04o}), and Keydesk runs as {user}, who may not {may_not} it. {to_do}"
        ))
    }
}

fn is_missing(path: &Path) -> bool {
    matches!(fs::metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// The name of a user, or the number of one without a name.
fn name(user: Uid) -> String {
    User::from_uid(user).ok().flatten().map_or_else(|| user.to_string(), |user| user.name)
}

fn verb(flags: AccessFlags, is_folder: bool) -> &'static str {
    match (flags.contains(AccessFlags::R_OK), flags.contains(AccessFlags::W_OK)) {
        (true, true) => "read and write",
        (true, false) => "read",
        (false, true) => "write to",
        (false, false) if is_folder => "enter",
        (false, false) => "use",
    }
}

fn letters(flags: AccessFlags) -> String {
    let all = [(AccessFlags::R_OK, 'r'), (AccessFlags::W_OK, 'w'), (AccessFlags::X_OK, 'x')];
    all.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, letter)| letter).collect()
}
