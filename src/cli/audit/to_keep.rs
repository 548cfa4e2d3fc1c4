//! `keydesk audit checkpoint` and `keydesk audit public-key`: what an auditor keeps outside of Keydesk.

use std::io::Write;

use crate::actions::Actions;
use crate::cli::{Refusal, find_company};
use crate::domain::checkpoint;
use crate::domain::ids::TrailId;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum ToKeep {
    /// Print the latest signed checkpoint of a trail, to be kept elsewhere
    Checkpoint {
        /// Name or id; without it, of the installation's own trail
        #[arg(long)]
        company: Option<String>,
    },
    /// Print the public key that checks the checkpoints of a trail
    PublicKey {
        /// Name or id; without it, of the installation's own trail
        #[arg(long)]
        company: Option<String>,
    },
}

impl ToKeep {
    /// Prints exactly what is to be kept, and nothing else.
    pub(super) fn print(self, actions: &Actions) -> Result<(), Refusal> {
        let kept = match self {
            Self::Checkpoint { company } => {
                let trail = trail(actions, company.as_deref())?;
                actions.store.ask(|questions| questions.trail_head(trail))?.checkpoint
            }
            Self::PublicKey { company } => {
                let name = checkpoint::origin(actions.installation, trail(actions, company.as_deref())?);
                format!("{}\n", actions.secrets.signer.public_key().to_vkey(&name))
            }
        };
        let written = std::io::stdout().write_all(kept.as_bytes());
        written.map_err(|error| Refusal(format!("The answer could not be written: {error}.")))
    }
}

fn trail(actions: &Actions, company: Option<&str>) -> Result<TrailId, Refusal> {
    match company {
        Some(company) => Ok(find_company(actions, company)?.id.into()),
        None => Ok(actions.installation.into()),
    }
}
