//! `keydesk audit checkpoint` and `keydesk audit public-key`: prints what an auditor keeps elsewhere.

use crate::actions::Actions;
use crate::cli::error::CliError;
use crate::cli::open::find_company;
use crate::cli::output::print_lines;
use crate::domain::ids::TrailId;
use crate::domain::trail::checkpoint;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum CheckpointCommand {
    /// Print the latest signed checkpoint of a trail, to keep elsewhere
    Checkpoint {
        /// The company, by name or id; without it, the trail of the installation
        #[arg(long)]
        company: Option<String>,
    },
    /// Print the public key that verifies the checkpoints of a trail
    PublicKey {
        /// The company, by name or id; without it, the trail of the installation
        #[arg(long)]
        company: Option<String>,
    },
}

impl CheckpointCommand {
    pub(super) fn run(self, actions: &Actions) -> Result<(), CliError> {
        let text = match self {
            Self::Checkpoint { company } => {
                let trail = trail(actions, company.as_deref())?;
                actions.store.query(|db| db.trails().head(trail))?.checkpoint
            }
            Self::PublicKey { company } => {
                let name = checkpoint::origin(actions.installation, trail(actions, company.as_deref())?);
                format!("{}\n", actions.secrets.signer.public_key().to_vkey(&name))
            }
        };
        print_lines(text.lines())
    }
}

fn trail(actions: &Actions, company: Option<&str>) -> Result<TrailId, CliError> {
    match company {
        Some(company) => Ok(find_company(&actions.store, company)?.id.into()),
        None => Ok(actions.installation.into()),
    }
}
