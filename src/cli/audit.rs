//! `keydesk audit …`.

mod consistency;
mod progress;
mod to_keep;
mod verify;

use std::fs;
use std::path::Path;

use super::Refusal;
use crate::config::Settings;
use crate::domain::checkpoint::CheckpointKey;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Audit {
    /// Recompute audit trails, or an export of one, and hold them against signed checkpoints
    Verify(verify::Verify),
    /// Prove that a company's trail begins with the events that a checkpoint signs; prints the proof
    Consistency(consistency::Consistency),
    #[command(flatten)]
    ToKeep(to_keep::ToKeep),
}

impl Audit {
    pub(super) fn run(self, settings: Settings) -> Result<(), Refusal> {
        match self {
            Self::Verify(command) => command.run(settings),
            Self::Consistency(command) => command.run(&super::open(settings)?),
            Self::ToKeep(wanted) => wanted.print(&super::open(settings)?),
        }
    }
}

/// A file that was kept: small, and text.
fn kept_file(path: &Path) -> Result<String, Refusal> {
    fs::read_to_string(path).map_err(|error| Refusal(format!("{} cannot be read: {error}.", path.display())))
}

/// The public key in a file, and which trail it names, where it names one.
fn public_key(path: &Path) -> Result<(CheckpointKey, Option<String>), Refusal> {
    let text = kept_file(path)?;
    let key = CheckpointKey::parse_vkey(&text).map(|(name, key)| (key, Some(name)));
    key.or_else(|| CheckpointKey::parse_bare(&text).map(|key| (key, None))).ok_or_else(|| {
        Refusal(format!(
            "{} holds no public key. Give the line that names trail, key id and key, or the key's 32 bytes in Base64 or hexadecimal.",
            path.display()
        ))
    })
}
