//! `keydesk key import`.

use std::path::PathBuf;

use super::import_file::{self, ImportFile, LineFault};
use super::owner;
use crate::actions::{Actions, ImportKeysError, RequestContext};
use crate::cli::error::CliError;
use crate::cli::open::CompanySelector;
use crate::cli::output::{print_lines, row, write_part};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Import {
    #[command(flatten)]
    company: CompanySelector,
    /// The CSV file, or a hyphen for standard input
    file: PathBuf,
    /// The email address of the user who owns the keys whose line names no owner [default: the admin who was added first]
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// Check the file and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub(super) fn run(self, actions: &Actions) -> Result<(), CliError> {
        let company = self.company.find(&actions.store)?;
        let bytes = import_file::read_bytes(&self.file)?;
        let default_owner = match &self.owner {
            Some(email) => Some(owner::find(&actions.store, &company, Some(email))?),
            // Each line may name an owner.
            None => actions.store.query(|db| db.users().first_admin(company.id))?,
        };
        let mut file = import_file::read_rows(&bytes, actions, &company, default_owner)?;
        if file.rows == 0 {
            return Err("The file has no keys.".into());
        }
        // Rows with a fault are left out of the check, so that the faults of all others are found, too.
        if self.dry_run || !file.faults.is_empty() {
            file.add_faults(actions.check_import(company.id, &file.keys))?;
            file.refuse_faults()?;
            return print_lines([format!("Nothing was changed. Keys that can be imported: {}", file.keys.len())]);
        }
        match actions.import_keys(&RequestContext::command_line(company.id), &file.keys) {
            Ok(ids) => {
                let lines = file.keys.iter().zip(ids);
                let report: String =
                    lines.map(|(key, id)| row([&id, &key.preview.as_str(), &key.name.as_str()])).collect();
                write_part(&format!("{report}Imported: {}\n", file.keys.len())).map(drop)
            }
            Err(error) => {
                file.add_faults(Err(error))?;
                file.refuse_faults()
            }
        }
    }
}

impl ImportFile {
    /// Adds what the database says about the keys.
    fn add_faults(&mut self, checked: Result<(), ImportKeysError>) -> Result<(), CliError> {
        match checked {
            Ok(()) => Ok(()),
            Err(ImportKeysError::Faults(faults)) => {
                let fault = |fault: crate::actions::RowFault| LineFault {
                    line: self.lines.get(fault.index).copied().unwrap_or_default(),
                    sentence: fault.kind.to_string(),
                };
                self.faults.extend(faults.into_iter().map(fault));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Prints all faults, in the order of the lines, and fails if there is one.
    fn refuse_faults(&mut self) -> Result<(), CliError> {
        if self.faults.is_empty() {
            return Ok(());
        }
        self.faults.sort_by_key(|fault| fault.line);
        print_lines(self.faults.iter().map(|fault| format!("Line {}: {}", fault.line, fault.sentence)))?;
        Err(CliError(format!(
            "Nothing was imported. Correct the file: it has {} faults in {} keys.",
            self.faults.len(),
            self.rows
        )))
    }
}
