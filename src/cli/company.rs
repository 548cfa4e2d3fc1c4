//! `keydesk company …`.

use super::error::CliError;
use super::output::print_line;
use crate::actions::Actions;
use crate::domain::text::name::CompanyName;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Company {
    /// Add a company; add its users with keydesk user add
    Add {
        /// The name, 1 to 64 characters
        #[arg(long)]
        name: String,
    },
}

impl Company {
    pub(super) fn run(self, actions: &Actions) -> Result<(), CliError> {
        match self {
            Self::Add { name } => {
                let id = actions.add_company(&CompanyName::parse(&name)?)?;
                print_line(&format!("Company: {id}"))
            }
        }
    }
}
