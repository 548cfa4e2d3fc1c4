//! Refuses settings that drop the prefix of active keys.

use super::error::StartError;
use crate::actions::{Actions, DroppedPrefix};
use crate::config::Config;

/// A key with a prefix that is not listed would be refused, as if it were no key.
pub(super) fn refuse_dropped(config: &Config, actions: &Actions) -> Result<(), StartError> {
    let dropped = actions.dropped_prefixes()?;
    actions.remember_prefixes()?;
    for DroppedPrefix { prefix, active_keys } in &dropped {
        if !config.drop_prefix {
            let keys = if *active_keys == 1 {
                "1 active key has".to_owned()
            } else {
                format!("{active_keys} active keys have")
            };
            return Err(StartError::System(format!(
                "{keys} the prefix {prefix}, which --key-prefix does not list, and would be refused. Add --key-prefix {prefix} after the other prefixes, or --drop-prefix to refuse them."
            )));
        }
        tracing::warn!(prefix, active_keys, "keys refused: --key-prefix does not list their prefix");
    }
    Ok(())
}
