//! `keydesk audit checkpoint` and `keydesk audit public-key`: prints what an auditor keeps elsewhere.

use crate::cli::error::CliError;
use crate::cli::open::find_company;
use crate::cli::output::print_lines;
use crate::domain::ids::TrailId;
use crate::domain::trail::checkpoint;
use crate::server::ReadOnlyInstallation;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum CheckpointCommand {
    /// Print the latest signed checkpoint of a trail, to keep elsewhere
    #[command(after_help = "Example:\n  keydesk audit checkpoint --company Brightwater > checkpoint.txt")]
    Checkpoint {
        /// The company, by name or id; without it, the trail of the installation
        #[arg(long)]
        company: Option<String>,
    },
    /// Print the public key that verifies the checkpoints of a trail
    #[command(after_help = "Example:\n  keydesk audit public-key --company Brightwater > keydesk.pub")]
    PublicKey {
        /// The company, by name or id; without it, the trail of the installation
        #[arg(long)]
        company: Option<String>,
    },
}

impl CheckpointCommand {
    pub(super) fn run(self, installation: &ReadOnlyInstallation) -> Result<(), CliError> {
        if installation.secrets.is_none() {
            return Err("The secrets file is missing, so the public key in the database cannot be confirmed. Name the file with --secrets-file.".into());
        }
        let text = match self {
            Self::Checkpoint { company } => {
                let trail = trail(installation, company.as_deref())?;
                installation.store.query(|db| db.trails().head(trail))?.checkpoint
            }
            Self::PublicKey { company } => {
                let name = checkpoint::origin(installation.id, trail(installation, company.as_deref())?);
                format!("{}\n", installation.key.to_vkey(&name))
            }
        };
        print_lines(text.lines())
    }
}

fn trail(installation: &ReadOnlyInstallation, company: Option<&str>) -> Result<TrailId, CliError> {
    match company {
        Some(company) => Ok(find_company(&installation.store, company)?.id.into()),
        None => Ok(installation.id.into()),
    }
}
