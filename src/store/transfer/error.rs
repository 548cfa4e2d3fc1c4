//! Why a database is not copied.

use std::io;
use std::path::{Path, PathBuf};

use crate::store::error::StoreError;
use crate::store::inspect_error::InspectError;
use crate::store::migrate::MigrationError;

/// Why a database was not copied. The target is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(
        "Another program, such as a Keydesk server, uses the database {}. Stop it, so that nothing is changed while the database is copied.",
        .0.display()
    )]
    SourceInUse(PathBuf),
    #[error(
        "A Keydesk server runs on the database, or another copy of it is being made. Stop all servers, so that nothing is changed while the database is copied."
    )]
    ServerOnSource,
    #[error(
        "The database was changed while it was copied. Stop all servers and programs that use it, and start again."
    )]
    SourceChanged,
    #[error("The target {} exists already. Name a file that does not exist.", .0.display())]
    TargetExists(PathBuf),
    #[error("The target is not empty: its table {0} has rows. Name an empty database.")]
    TargetNotEmpty(String),
    #[error(
        "A Keydesk server runs on the target, or another copy is being made into it. Stop it, or wait until it is done."
    )]
    TargetInUse,
    #[error("Another copy is being made into {}. Wait until it is done.", .0.display())]
    PartialInUse(PathBuf),
    #[error("The file {} is in the way, and is no database. Move it.", .0.display())]
    PartialIsOther(PathBuf),
    #[error("The file {} cannot be written: {error}.", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("The copy was given up: the row of {table} with {key} is not the same in the target.")]
    RowDiffers { table: String, key: String },
    #[error("The copy was given up: rows of {0} in the target refer to rows that do not exist.")]
    BrokenReference(String),
    #[error("The target cannot be used. {0}")]
    TargetSchema(MigrationError),
    #[error("The target cannot be used. {0}")]
    TargetInspection(InspectError),
    #[error("The database could not be read: {0}. Check --database-url and whether the database is running.")]
    Source(#[source] StoreError),
    #[error("The target could not be written: {0}. Check --to and whether the database is running.")]
    Target(#[source] StoreError),
}

impl CopyError {
    /// Returns a function that names the file of an error.
    pub(super) fn of_file(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::File { path: path.clone(), error }
    }
}
