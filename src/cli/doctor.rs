//! `keydesk doctor`.

use std::process::ExitCode;

use super::error::CliError;
use super::output::print_lines;
use crate::clock::Clock;
use crate::config::Settings;
use crate::server::doctor::{self, Finding};

#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// Only ask the running server whether it is ready, as the health check of a container does
    #[arg(long)]
    quick: bool,
}

impl Doctor {
    /// Prints the findings, the most important first. The exit code reports the first problem.
    pub(super) fn run(self, settings: Settings) -> Result<ExitCode, CliError> {
        let config = settings.check()?;
        let report =
            if self.quick { doctor::examine_server(&config) } else { doctor::examine(&config, &Clock::system()) };
        print_lines(report.iter().map(|(subject, finding)| format!("{}: {finding}", subject.label())))?;
        let first = report.iter().find(|(_, finding)| matches!(finding, Finding::Trouble(_)));
        Ok(first.map_or(ExitCode::SUCCESS, |(subject, _)| ExitCode::from(subject.exit_code())))
    }
}
