//! `keydesk company …`.

use super::Refusal;
use crate::actions::Actions;
use crate::domain::event::Origin;
use crate::domain::name::CompanyName;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Company {
    /// Add a company; its users are added with keydesk user add
    Add {
        /// Its name, 1 to 64 characters
        #[arg(long)]
        name: String,
    },
}

impl Company {
    pub(super) fn run(self, actions: &Actions) -> Result<(), Refusal> {
        match self {
            Self::Add { name } => {
                let id = actions.add_company(&CompanyName::parse(&name)?, &Origin::command_line())?;
                super::say(&format!("Company: {id}"))?;
            }
        }
        Ok(())
    }
}
