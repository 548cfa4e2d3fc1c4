//! `keydesk key …`.

mod create;
mod expiry;
mod find;
mod import;
mod import_file;
mod list;
mod owner;
mod revoke;
mod show;

use super::error::CliError;
use super::open::{open, open_read_only};
use crate::actions::Actions;
use crate::config::Settings;

pub(super) use revoke::record_acknowledgements;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Key {
    /// Create a key for a service account; prints the key alone, once
    #[command(after_help = "Example:\n  keydesk key create --company Brightwater --name 'ERP Sync' --expires 90d")]
    Create(create::Create),
    /// List a company's keys, the newest first: id, preview, state and name, separated by tabs
    ///
    /// The formats json and csv also have the owner, and when the key was created, expires, ended, and was last used.
    #[command(
        after_help = "Examples:\n  keydesk key list --company Brightwater --state active\n  keydesk key list --owner maria@example.com --format csv"
    )]
    List(list::List),
    /// Show a key: its service account, owner, state and last use
    #[command(after_help = "Example:\n  keydesk key show 01a20812-5ceb-7b12-8de9-f0c654921895")]
    Show(show::Show),
    /// Import keys of another system from a CSV file, all of them or none
    ///
    /// The first line names the columns: name, and key or digest; owner and expires may be missing. A key has the format
    /// of this installation's keys. A digest is the SHA-256 of such a key in hexadecimal, for a system that does not know
    /// its keys. An owner is the email address of a user of the company. An empty owner is the one of --owner, and an empty
    /// expiry is that of the key policy.
    ///
    /// A file has at most 100,000 keys. Standard input is read if it is a hyphen. If keys cannot be imported, the lines of
    /// all of them are printed, with the reasons.
    #[command(
        after_help = "Example:\n  keydesk key import --company Brightwater keys.csv --dry-run\n\nThe file, for example:\n  name,digest,owner,expires\n  ERP Sync,ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad,maria@example.com,2027-06-30"
    )]
    Import(import::Import),
    /// Revoke a key permanently; running servers refuse it at once
    #[command(after_help = "Example:\n  keydesk key revoke 01a20812-5ceb-7b12-8de9-f0c654921895 --reason compromised")]
    Revoke(revoke::Revoke),
}

/// Opens the installation for a command that may add keys with the prefixes of the settings.
fn open_with_prefixes(settings: Settings) -> Result<Actions, CliError> {
    let actions = open(settings)?;
    actions.remember_prefixes()?;
    Ok(actions)
}

impl Key {
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        match self {
            Self::Create(command) => command.run(&open_with_prefixes(settings)?),
            Self::List(command) => command.run(&open_read_only(settings)?),
            Self::Show(command) => command.run(&open_read_only(settings)?),
            Self::Import(command) => command.run(&open_with_prefixes(settings)?),
            Self::Revoke(command) => command.run(&open(settings)?),
        }
    }
}
