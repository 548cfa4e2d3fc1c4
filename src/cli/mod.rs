//! The commands: what they take, what they print, how they exit. What they do is done elsewhere.

mod audit;
mod company;
mod demo;
mod gateway;
mod key;
mod serve;
mod user;

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::actions::Actions;
use crate::clock::Clock;
use crate::config::{PublicUrl, Settings, settings::LogLevel};
use crate::domain::ids::CompanyId;
use crate::domain::text;
use crate::server;
use crate::store::{Company, Store, StoreError};

/// Create, watch and permanently revoke the API keys of your service accounts.
///
/// Without a command, Keydesk serves: it makes its data folder at the first start and prints the link to open.
/// Every setting below is a flag of every command, and a variable.
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
    Serve,
    /// Serve a throw-away company with keys, users and a history
    ///
    /// It lives in a temporary folder that is removed at the end: --data-dir, --database-url and --secrets-file are
    /// not used.
    Demo,
    /// Manage companies
    #[command(subcommand)]
    Company(company::Company),
    /// Manage the people who sign in
    #[command(subcommand)]
    User(user::User),
    /// List and revoke API keys
    #[command(subcommand)]
    Key(key::Key),
    /// Manage the gateways that ask about keys by introspection
    #[command(subcommand)]
    Gateway(gateway::Gateway),
    /// Check the audit trail
    #[command(subcommand)]
    Audit(audit::Audit),
}

/// Why a command did nothing: one sentence for standard error.
#[derive(Debug)]
pub(crate) struct Refusal(String);

impl<E: Display> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Runs the command that the arguments name. Exits 0 when it is done, 1 when it is refused, 2 on wrong usage.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if error.print().is_ok() && is_help { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    match obey(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Refusal(sentence)) => {
            // Nobody may be listening there, and then there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "{sentence}");
            ExitCode::FAILURE
        }
    }
}

fn obey(arguments: Arguments) -> Result<(), Refusal> {
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    Settings::refuse_unknown_variables(&Arguments::command(), variables)?;
    log(arguments.settings.log_level);
    let settings = arguments.settings;
    match arguments.command {
        None | Some(Command::Serve) => serve::serve(settings.check()?),
        Some(Command::Demo) => demo::demo(settings),
        Some(Command::Company(command)) => command.run(&open(settings)?),
        Some(Command::User(command)) => {
            let config = settings.check()?;
            let actions = server::open(&config, &Clock::machine())?;
            command.run(&actions, &PublicUrl::new(&config, config.listen))
        }
        Some(Command::Key(command)) => command.run(&open(settings)?),
        Some(Command::Gateway(command)) => command.run(&open(settings)?),
        Some(Command::Audit(command)) => command.run(settings),
    }
}

fn open(settings: Settings) -> Result<Actions, Refusal> {
    Ok(server::open(&settings.check()?, &Clock::machine())?)
}

/// Logs go to standard error. Libraries say only what may become a failure: none of them may log what they are given, and
/// actix-http would write a line for every request that it cannot read.
fn log(level: LogLevel) {
    let ours = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    };
    let filter = EnvFilter::new(format!("warn,actix_http=off,keydesk={ours}"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_ansi(std::io::stderr().is_terminal()).init();
}

/// Says what was done, or what was asked for.
fn say(line: &str) -> Result<(), Refusal> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| Refusal(format!("The answer could not be written: {error}.")))
}

/// The company that a name or an id means.
fn find_company(actions: &Actions, name_or_id: &str) -> Result<Company, Refusal> {
    find_company_in(&actions.store, name_or_id)
}

fn find_company_in(store: &Store, name_or_id: &str) -> Result<Company, Refusal> {
    let found = store.read(|questions| {
        let by_id = CompanyId::parse(name_or_id).map(|id| questions.company(id)).transpose()?.flatten();
        match by_id {
            None => questions.company_by_name(&text::folded(name_or_id)),
            found => Ok::<_, StoreError>(found),
        }
    })?;
    found.ok_or_else(|| {
        Refusal(format!("There is no company “{name_or_id}”. Add it with: keydesk company add --name NAME"))
    })
}
