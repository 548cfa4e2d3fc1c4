//! `keydesk audit …`.

mod checkpoint_command;
mod consistency;
mod files;
mod progress;
mod state_report;
mod verify;

use super::error::CliError;
use super::open::open;
use crate::config::Settings;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Audit {
    /// Verify audit trails, or an export of one, against signed checkpoints
    Verify(verify::Verify),
    /// Prove that a company's trail starts with the events that a checkpoint signs; prints the proof
    Consistency(consistency::Consistency),
    #[command(flatten)]
    CheckpointCommand(checkpoint_command::CheckpointCommand),
}

impl Audit {
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        match self {
            Self::Verify(command) => command.run(settings),
            Self::Consistency(command) => command.run(&open(settings)?),
            Self::CheckpointCommand(command) => command.run(&open(settings)?),
        }
    }
}
