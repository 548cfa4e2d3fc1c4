//! The command line: arguments, output and exit codes.

mod accept_loss;
mod audit;
mod backup;
mod company;
mod demo;
mod error;
mod gateway;
mod help;
mod key;
mod log;
mod open;
mod output;
mod progress;
mod restore;
mod serve;
mod user;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Settings, variables, without_credentials};
use crate::server;

use error::CliError;
use log::Log;
use output::report_lines;

/// Create, monitor and permanently revoke the API keys of your service accounts.
///
/// Without a command, Keydesk serves. The first start creates the data folder and prints a link that opens set-up.
/// Every setting below is a flag of every command and an environment variable.
#[derive(Debug, Parser)]
#[command(name = "keydesk", version, subcommand_help_heading = "Commands")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages and the machine endpoints (the default)
    #[command(
        after_help = "Example:\n  keydesk serve --data-dir /var/lib/keydesk --public-url https://keys.example.com"
    )]
    Serve,
    /// Serve a throw-away company with keys, users and a history
    ///
    /// Its files are in a temporary folder that is removed at the end; --data-dir, --database-url and --secrets-file
    /// are ignored.
    #[command(after_help = "Example:\n  keydesk demo")]
    Demo,
    /// Manage companies
    #[command(subcommand)]
    Company(company::Company),
    /// Manage users
    #[command(subcommand)]
    User(user::User),
    /// Manage API keys
    #[command(subcommand)]
    Key(key::Key),
    /// Manage the gateways that introspect keys
    #[command(subcommand)]
    Gateway(gateway::Gateway),
    /// Back up the database while it is served; SQLite only
    ///
    /// The backup is checked like keydesk audit verify does, and holds no secret: keep the secrets file elsewhere, as the
    /// backup cannot be restored without it.
    #[command(after_help = "Example:\n  keydesk backup /mnt/backups/keydesk-monday --data-dir /var/lib/keydesk")]
    Backup(backup::Backup),
    /// Restore a backup into a new folder, or go on after a database was put back to an older state
    ///
    /// The secrets file that belongs to the backup must be in the new folder, or be named with --secrets-file.
    #[command(
        after_help = "Examples:\n  keydesk restore /mnt/backups/keydesk-monday --data-dir /var/lib/keydesk-restored\n  keydesk restore /mnt/backups/keydesk-monday --data-dir restored --checkpoint keydesk.checkpoints --public-key keydesk.pub\n  keydesk restore --accept-loss"
    )]
    Restore(restore::Restore),
    /// Check the audit trail
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Bring the schema of the database up to date
    ///
    /// For a server that runs with --migrate never, as a role that may not change tables. Run this as the role that owns
    /// them.
    #[command(after_help = "Example:\n  keydesk migrate --database-url postgres://keydesk_owner@localhost/keydesk")]
    Migrate,
}

/// Returns the tree of commands and settings, as `--help` shows it.
#[must_use]
pub fn command() -> clap::Command {
    help::hide_settings_of_serving(Arguments::command())
}

/// Runs the command in the arguments. Returns 0 for success, 1 for an error, 2 for wrong usage.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return if error.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
        Err(error) => {
            report_lines(without_credentials(&error.render().to_string()).lines());
            return ExitCode::from(2);
        }
    };
    let started = variables::reject_unknown_variables(&Arguments::command(), std::env::vars_os())
        .map_err(CliError::from)
        .and_then(|()| Log::start(arguments.settings.log_level, arguments.settings.log_format));
    let log = match started {
        Ok(log) => log,
        Err(CliError(sentence)) => {
            report_lines([sentence]);
            return ExitCode::FAILURE;
        }
    };
    let result = execute(arguments, &log);
    let (code, sentence) = match result {
        Ok(()) => (ExitCode::SUCCESS, None),
        Err(CliError(sentence)) => (ExitCode::FAILURE, Some(sentence)),
    };
    log.finish(sentence);
    code
}

fn parse() -> Result<Arguments, clap::Error> {
    let command = variables::without_empty_variables(Arguments::command(), |name| std::env::var_os(name));
    let mut command = help::hide_settings_of_serving(command);
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Arguments::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

fn execute(arguments: Arguments, log: &Log) -> Result<(), CliError> {
    let settings = arguments.settings;
    match arguments.command {
        None | Some(Command::Serve) => serve::serve(settings.check()?, log),
        Some(Command::Demo) => demo::run(settings, log),
        Some(Command::Company(command)) => command.run(settings),
        Some(Command::User(command)) => command.run(settings),
        Some(Command::Key(command)) => command.run(settings),
        Some(Command::Gateway(command)) => command.run(settings),
        Some(Command::Backup(command)) => command.run(settings),
        Some(Command::Restore(command)) => command.run(settings),
        Some(Command::Audit(command)) => command.run(settings),
        Some(Command::Migrate) => {
            server::migrate(&settings.check()?)?;
            output::print_lines(["The schema of the database is up to date."])
        }
    }
}
