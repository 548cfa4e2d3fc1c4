//! `keydesk database …`.

use std::path::PathBuf;

use super::audit::verify_installation;
use super::error::CliError;
use super::output::{print_line, print_lines};
use super::progress::Progress;
use crate::clock::Clock;
use crate::config::{self, Settings};
use crate::server;
use crate::store::CopyStep;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Database {
    /// Copy the database into an empty one, of either kind, and check each row of the copy
    ///
    /// Stop all servers first. The copy has everything that the database has: keys, users, sessions, second factors, usage
    /// and audit trails. Secrets stay in their file.
    #[command(
        after_help = "Examples:\n  keydesk database copy --to-file /etc/keydesk/new-database-url\n  keydesk database copy --database-url-file /etc/keydesk/database-url --to sqlite:///var/lib/keydesk/keydesk.db"
    )]
    Copy(Copy),
}

#[derive(Debug, clap::Args)]
pub(super) struct Copy {
    /// The URL of the empty database: sqlite://FILE, which must not exist, or postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "URL", required_unless_present = "to_file")]
    to: Option<String>,
    /// Read the URL of the empty database from this file, which other users cannot read
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    to_file: Option<PathBuf>,
}

impl Database {
    pub(super) fn run(self, settings: Settings) -> Result<(), CliError> {
        match self {
            Self::Copy(command) => command.run(settings),
        }
    }
}

impl Copy {
    fn run(self, settings: Settings) -> Result<(), CliError> {
        let target = config::Database::from_flags(("--to", self.to), ("--to-file", self.to_file))?;
        let target = target.ok_or("Name the empty database with --to or --to-file.")?;
        let mut progress = Progress::start();
        let copied = server::copy_database(&settings.check()?, target, &mut |step| match step {
            CopyStep::Copied(done, total) => progress.show("rows copied", done, total),
            CopyStep::Compared(done, total) => progress.show("rows compared", done, total),
        });
        drop(progress);
        let (copied, of_target) = copied?;
        print_line(&format!(
            "Copied: {} rows of {} tables, each compared with its original",
            copied.rows, copied.tables
        ))?;
        let installation = server::open_read_only(&of_target, &Clock::system())?;
        verify_installation(&installation).map_err(|CliError(sentence)| {
            CliError(format!("The copy is complete, but has what was wrong before: {sentence}"))
        })?;
        print_lines([
            "Start the servers with the URL of the copy. Do not start one on the former database again: it does not get their changes.",
        ])
    }
}
