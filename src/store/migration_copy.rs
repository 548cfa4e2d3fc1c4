//! The copy of a SQLite database before its migration.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::config::Database;
use crate::store::connection::{AnyConnection, ConnectionPurpose};
use crate::store::error::StoreError;
use crate::store::migrate::last_migration;
use crate::store::pool::Store;

/// The copy takes as much as the database, and the migration may write as much again.
const SPACE_PER_DATABASE: u64 = 2;
const MEBIBYTE: u64 = 1024 * 1024;

/// Why a database was not copied, so that it must not be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrationCopyError {
    #[error(
        "The database is not migrated, as there is too little space for a copy of it: {available} MiB are free in {}, and {needed} MiB are needed. Make room, or add --migration-backup never if you have a backup.",
        folder.display()
    )]
    NoSpace { folder: PathBuf, available: u64, needed: u64 },
    #[error(
        "The database is not migrated, as its copy {} could not be written: {cause}. Make room and the folder writable, or add --migration-backup never if you have a backup.",
        file.display()
    )]
    Failed { file: PathBuf, cause: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Copies a SQLite database that is about to be migrated by this version. The copy lies beside it and is named after
    /// the version and the schema that it holds. Returns the copy; `None` on PostgreSQL.
    ///
    /// # Errors
    /// [`MigrationCopyError`]: the database must not be migrated.
    pub fn copy_before_migration(database: &Database, version: &str) -> Result<Option<PathBuf>, MigrationCopyError> {
        let Database::Sqlite(path) = database else { return Ok(None) };
        let mut connection = AnyConnection::open(database, ConnectionPurpose::Write)?;
        let schema = last_migration(&mut connection)?;
        require_space(path, size_of(&mut connection)?)?;
        let copy = with_suffix(path, &format!(".before-{version}-{schema}"));
        let partial = with_suffix(&copy, ".partial");
        let failed = |cause: String| {
            let _ = fs::remove_file(&partial);
            MigrationCopyError::Failed { file: copy.clone(), cause }
        };
        create_empty(&partial).map_err(|error| failed(error.to_string()))?;
        let statement = format!("VACUUM INTO '{}'", partial.to_string_lossy().replace('\'', "''"));
        connection.batch_execute(&statement).map_err(|error| failed(StoreError::one_line(&error.to_string())))?;
        persist(&partial, &copy).map_err(|error| failed(error.to_string()))?;
        Ok(Some(copy))
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Creates the file that the copy is written into, for its owner only. SQLite accepts an empty one.
fn create_empty(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

/// Makes the copy durable under its name.
fn persist(partial: &Path, copy: &Path) -> io::Result<()> {
    File::open(partial)?.sync_all()?;
    fs::rename(partial, copy)?;
    copy.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn size_of(connection: &mut AnyConnection) -> Result<u64, StoreError> {
    #[derive(QueryableByName)]
    struct Size {
        #[diesel(sql_type = BigInt)]
        bytes: i64,
    }
    let query = "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()";
    let size: Size = diesel::sql_query(query).get_result(connection)?;
    Ok(size.bytes.unsigned_abs())
}

/// Fails if the disk has too little space for a copy of this size and for the migration.
fn require_space(database: &Path, size: u64) -> Result<(), MigrationCopyError> {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Some(available), needed) = (available_bytes(folder), size * SPACE_PER_DATABASE) else { return Ok(()) };
    if available >= needed {
        return Ok(());
    }
    let (available, needed) = (available / MEBIBYTE, needed.div_ceil(MEBIBYTE));
    Err(MigrationCopyError::NoSpace { folder: folder.to_owned(), available, needed })
}

/// Returns the free space of a disk for this user, if the system tells.
#[cfg(target_os = "linux")]
fn available_bytes(folder: &Path) -> Option<u64> {
    let disk = nix::sys::statvfs::statvfs(folder).ok()?;
    Some(disk.blocks_available() * disk.fragment_size())
}

#[cfg(not(target_os = "linux"))]
fn available_bytes(_folder: &Path) -> Option<u64> {
    None
}
