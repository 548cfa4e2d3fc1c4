//! Writes results to standard output.

use std::io::Write;

use super::error::CliError;

/// Writes a line.
pub(super) fn print_line(line: &str) -> Result<(), CliError> {
    print(&format!("{line}\n"))
}

/// Writes text as it is.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    let written = std::io::stdout().write_all(text.as_bytes());
    written.map_err(|error| CliError(format!("The output could not be written: {error}.")))
}
