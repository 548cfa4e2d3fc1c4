//! The command line: arguments, output and exit codes.

mod accept_loss;
mod audit;
mod backup;
mod company;
mod database;
mod demo;
mod doctor;
mod error;
mod gateway;
mod help;
mod key;
mod log;
mod open;
mod output;
mod progress;
mod restore;
mod secrets;
mod serve;
mod user;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::build_info;
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
#[command(name = "keydesk", version = build_info::DESCRIPTION, subcommand_help_heading = "Commands")]
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
    #[command(after_help = "Examples:\n  keydesk demo\n  keydesk demo --large")]
    Demo(demo::Demo),
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
    /// Rotate the secrets in the secrets file, such as the pepper of keys
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Check the audit trail
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Examine the installation and its running server, and say what is wrong
    ///
    /// Prints a line for each subject: files, database, secrets, audit trails, disk and others. The exit code is 0 if all
    /// is good, and else tells the first trouble; docs/operating.md lists the codes. Run it as the user of the server, and
    /// with its settings. It creates and changes nothing.
    #[command(after_help = "Examples:\n  keydesk doctor --data-dir /var/lib/keydesk\n  keydesk doctor --quick")]
    Doctor(doctor::Doctor),
    /// Move to another database
    #[command(subcommand)]
    Database(database::Database),
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
            let sentence = not_utf8(&error).unwrap_or_else(|| error.render().to_string());
            report_lines(without_credentials(&sentence).lines());
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
        Ok(code) => (code, None),
        Err(CliError(sentence)) => (ExitCode::FAILURE, Some(sentence)),
    };
    log.finish(sentence);
    code
}

/// Names the argument or variable that is not UTF-8, which clap's error does not. Its value may be a secret.
fn not_utf8(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::InvalidUtf8 {
        return None;
    }
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let place = if let Some(place) = arguments.iter().position(|argument| argument.to_str().is_none()) {
        let own = arguments[place].to_string_lossy().split_once('=').map(|(flag, _)| flag.to_owned());
        let flag = own.or_else(|| Some(arguments.get(place.checked_sub(1)?)?.to_str()?.to_owned()));
        let flag = flag.filter(|flag| flag.starts_with("--"));
        flag.map_or_else(|| "An argument".to_owned(), |flag| format!("The value of {flag}"))
    } else {
        let (name, _) = std::env::vars_os().find(|(_, value)| value.to_str().is_none())?;
        format!("The variable {}", name.display())
    };
    Some(format!("{place} is not UTF-8. Use letters in UTF-8 only."))
}

fn parse() -> Result<Arguments, clap::Error> {
    let command = variables::without_empty_variables(Arguments::command(), |name| std::env::var_os(name));
    let mut command = help::hide_settings_of_serving(command);
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Arguments::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

fn execute(arguments: Arguments, log: &Log) -> Result<ExitCode, CliError> {
    let settings = arguments.settings;
    let done = match arguments.command {
        None | Some(Command::Serve) => serve::serve(settings.check()?, log),
        Some(Command::Demo(command)) => command.run(settings, log),
        Some(Command::Company(command)) => command.run(settings),
        Some(Command::User(command)) => command.run(settings),
        Some(Command::Key(command)) => command.run(settings),
        Some(Command::Gateway(command)) => command.run(settings),
        Some(Command::Backup(command)) => command.run(settings),
        Some(Command::Restore(command)) => command.run(settings),
        Some(Command::Secrets(command)) => command.run(settings),
        Some(Command::Audit(command)) => command.run(settings),
        Some(Command::Database(command)) => command.run(settings),
        Some(Command::Migrate) => {
            server::migrate(&settings.check()?)?;
            output::print_lines(["The schema of the database is up to date."])
        }
        Some(Command::Doctor(command)) => return command.run(settings),
    };
    done.map(|()| ExitCode::SUCCESS)
}
