//! Why the program does not start.

use crate::actions::OpenError;
use crate::checkpoint_memory::MemoryError;
use crate::config::SettingError;
use crate::secrets::SecretsError;
use crate::store::{CopyError, InspectError, MigrationCopyError, MigrationError, ServeError, StoreError};
use crate::witness::WitnessError;

/// Why the program does not start. Displays as one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is rejected.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The secrets cannot be used.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The remembered checkpoints cannot be used.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// A witness cannot be used.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The database cannot be used.
    #[error(transparent)]
    Inspect(InspectError),
    /// The database cannot be served from.
    #[error(transparent)]
    Serve(ServeError),
    /// The schema cannot be migrated.
    #[error(transparent)]
    Migration(MigrationError),
    /// The database cannot be copied before its migration.
    #[error(transparent)]
    MigrationCopy(MigrationCopyError),
    /// The database belongs to other secrets.
    #[error(transparent)]
    Open(OpenError),
    /// The database was not copied.
    #[error(transparent)]
    Copy(CopyError),
    /// The database cannot be reached.
    #[error("{0}. Check --database-url and whether the database is running.")]
    Store(StoreError),
    /// A folder, a file or an address cannot be used.
    #[error("{0}")]
    System(String),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        if error.is_locked() {
            return Self::System(
                "Another program holds a lock on the database, such as keydesk database copy. Wait until it is done, or end it."
                    .to_owned(),
            );
        }
        Self::Store(error)
    }
}

impl From<InspectError> for StartError {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Store(error) => error.into(),
            other => Self::Inspect(other),
        }
    }
}

impl From<ServeError> for StartError {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Store(error) => error.into(),
            other => Self::Serve(other),
        }
    }
}

impl From<MigrationError> for StartError {
    fn from(error: MigrationError) -> Self {
        match error {
            MigrationError::Store(error) => error.into(),
            other => Self::Migration(other),
        }
    }
}

impl From<MigrationCopyError> for StartError {
    fn from(error: MigrationCopyError) -> Self {
        match error {
            MigrationCopyError::Store(error) => Self::Store(error),
            other => Self::MigrationCopy(other),
        }
    }
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => error.into(),
            other => Self::Open(other),
        }
    }
}
