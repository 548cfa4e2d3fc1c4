//! Why the program does not start.

use crate::actions::OpenError;
use crate::checkpoint_memory::MemoryError;
use crate::config::SettingError;
use crate::secrets::SecretsError;
use crate::store::{CopyError, InspectError, MigrationError, ServeError, StoreError};
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
    Copy(CopyError),
    /// The database belongs to other secrets.
    #[error(transparent)]
    Open(OpenError),
    /// The database cannot be reached.
    #[error("{0}. Check --database-url and whether the database is running.")]
    Store(#[from] StoreError),
    /// A folder, a file or an address cannot be used.
    #[error("{0}")]
    System(String),
}

impl From<InspectError> for StartError {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Store(error) => Self::Store(error),
            other @ InspectError::Pooled => Self::Inspect(other),
        }
    }
}

impl From<ServeError> for StartError {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Store(error) => Self::Store(error),
            other => Self::Serve(other),
        }
    }
}

impl From<MigrationError> for StartError {
    fn from(error: MigrationError) -> Self {
        match error {
            MigrationError::Store(error) => Self::Store(error),
            other => Self::Migration(other),
        }
    }
}

impl From<CopyError> for StartError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Store(error) => Self::Store(error),
            other => Self::Copy(other),
        }
    }
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => Self::Store(error),
            other => Self::Open(other),
        }
    }
}
