//! `keydesk company …`.

use super::error::CliError;
use super::open::{CompanySelector, open, open_read_only};
use super::output::{print_line, row, write_part};
use crate::actions::{CompanyNameError, RequestContext};
use crate::config::Settings;
use crate::domain::text::escape::Quoted;
use crate::domain::text::name::CompanyName;
use crate::server::ReadOnlyInstallation;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Company {
    /// Add a company; add its users with keydesk user add
    #[command(after_help = "Example:\n  keydesk company add --name Brightwater")]
    Add {
        /// The name, 1 to 64 characters
        #[arg(long)]
        name: String,
    },
    /// List the companies: id and name, separated by a tab
    #[command(after_help = "Example:\n  keydesk company list")]
    List,
    /// Rename a company
    #[command(after_help = "Example:\n  keydesk company rename --company Brightwater --name 'Brightwater Nordic'")]
    Rename {
        #[command(flatten)]
        company: CompanySelector,
        /// The new name, 1 to 64 characters
        #[arg(long)]
        name: String,
    },
}

impl Company {
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        match self {
            Self::Add { name } => {
                let id = open(settings)?.add_company(&CompanyName::parse(&name)?).map_err(refusal)?;
                print_line(&format!("Company: {id}"))
            }
            Self::List => list(&open_read_only(settings)?),
            Self::Rename { company, name } => {
                let actions = open(settings)?;
                let (company, name) = (company.find(&actions.store)?, CompanyName::parse(&name)?);
                let context = RequestContext::command_line(company.id);
                if actions.rename_company(&context, None, &name).map_err(refusal)?.is_none() {
                    return Err(CliError(format!("The company is already named {}.", Quoted(&company.name))));
                }
                print_line(&format!("Renamed: {}", name.as_str()))
            }
        }
    }
}

fn refusal(error: CompanyNameError) -> CliError {
    match error {
        CompanyNameError::NameTaken(name) => {
            CliError(format!("A company named {} already exists. Choose another name.", Quoted(name)))
        }
        other => other.into(),
    }
}

fn list(installation: &ReadOnlyInstallation) -> Result<(), CliError> {
    let companies = installation.store.query(|db| db.companies().all())?;
    let rows: String = companies.iter().map(|company| row([&company.id, &company.name])).collect();
    write_part(&rows).map(drop)
}
