//! `keydesk audit …`.

mod checkpoint_command;
mod consistency;
pub(super) mod files;
mod state_report;
mod verify;

use super::error::CliError;
use super::open::open_read_only;
use crate::config::Settings;
use crate::server::ReadOnlyInstallation;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Audit {
    /// Verify audit trails, or an export of one, against signed checkpoints
    #[command(
        after_help = "Examples:\n  keydesk audit verify\n  keydesk audit verify --file audit-trail.jsonl --public-key keydesk.pub"
    )]
    Verify(verify::Verify),
    /// Prove that a company's trail starts with the events that a checkpoint signs; prints the proof
    #[command(after_help = "Example:\n  keydesk audit consistency --from checkpoint.txt > proof.txt")]
    Consistency(consistency::Consistency),
    #[command(flatten)]
    CheckpointCommand(checkpoint_command::CheckpointCommand),
}

/// Verifies all trails, rows and files of an installation.
pub(super) fn verify_installation(installation: &ReadOnlyInstallation) -> Result<(), CliError> {
    verify::Verify::default().verify_trails(installation, None, None)
}

impl Audit {
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        match self {
            Self::Verify(command) => command.run(settings),
            Self::Consistency(command) => command.run(&open_read_only(settings)?),
            Self::CheckpointCommand(command) => command.run(&open_read_only(settings)?),
        }
    }
}
