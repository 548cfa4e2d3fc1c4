//! Copies the database of an installation into an empty one.

use super::error::StartError;
use super::file_permissions;
use super::open::open_read_only;
use crate::api::conditions;
use crate::checkpoint_memory::summary_of;
use crate::clock::Clock;
use crate::config::{Config, Database};
use crate::store::{CopiedRows, CopyStep, Store};

/// Copies the configured database into an empty one, and returns the configuration with that one. No server may run on
/// either. The secrets stay where they are.
///
/// # Errors
/// [`StartError`]: why nothing was copied.
pub fn copy_database(
    config: &Config,
    target: Database,
    progress: &mut dyn FnMut(CopyStep),
) -> Result<(CopiedRows, Config), StartError> {
    let source = open_read_only(config, &Clock::system())?;
    if let Some(trouble) = conditions::shortened_trails(summary_of(&source.shortfalls)) {
        return Err(StartError::System(format!(
            "{trouble} Restore the latest one, or accept the loss with keydesk restore --accept-loss. Then copy it."
        )));
    }
    // Its connections would count as those of another program.
    drop(source);
    let of_target = Config { database: target, ..config.clone() };
    file_permissions::check(&of_target)?;
    let copied = Store::copy_database(&config.database, &of_target.database, progress).map_err(StartError::Copy)?;
    Ok((copied, of_target))
}
