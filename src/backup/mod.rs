//! Backs up a SQLite database while it is served, and restores such a backup into a new installation. `docs/backups.md`
//! specifies the file.

mod check;
mod copy;
mod create;
mod error;
mod kept_checkpoints;
mod low_priority;
mod manifest_end;
mod partial_file;
mod progress;
mod recognize;
mod restore;

pub use create::{Backup, create};
pub use error::BackupError;
pub use kept_checkpoints::KeptCheckpoints;
pub use progress::{Progress, Unit};
pub use restore::{RestoreRequest, Restored, restore};
