//! The one writer to the terminal and the log. Names, ids and messages may come from a file, a database or a request:
//! control, format and line characters are escaped in everything but the line feeds that this module writes.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use super::error::CliError;
use crate::domain::text::escape::Escaped;

/// Writes a line to standard output.
pub(super) fn print_line(line: &str) -> Result<(), CliError> {
    print_lines([line])
}

/// Returns a line of cells that are separated by tabs.
pub(super) fn row<const N: usize>(cells: [&dyn Display; N]) -> String {
    format!("{}\n", cells.map(|cell| Escaped(cell).to_string()).join("\t"))
}

/// Writes a part of a list, which is escaped already, to standard output. Returns `false` if the program that reads it
/// has closed the pipe: it has all that it wants, and the list ends there.
pub(super) fn write_part(text: &str) -> Result<bool, CliError> {
    match try_write_out(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true).map_err(|error| not_written(&error)),
    }
}

/// Writes lines to standard output, in one write: a program that wants the first one only may close the pipe after it.
pub(super) fn print_lines(lines: impl IntoIterator<Item: Display>) -> Result<(), CliError> {
    write_out(&escaped_lines(lines))
}

/// Writes lines to standard error, which may be closed. While a log runs, it is the log that writes.
pub(super) fn report_lines(lines: impl IntoIterator<Item: Display>) {
    let text = escaped_lines(lines);
    let mut rest = text.as_bytes();
    while let Ok(written @ 1..) = write_error(rest) {
        rest = rest.get(written..).unwrap_or_default();
    }
}

/// Returns the lines as they are printed, each with a line feed.
pub(super) fn escaped_lines(lines: impl IntoIterator<Item: Display>) -> String {
    lines.into_iter().fold(String::new(), |mut text, line| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", Escaped(line));
        text
    })
}

fn write_out(text: &str) -> Result<(), CliError> {
    try_write_out(text).map_err(|error| not_written(&error))
}

fn not_written(error: &io::Error) -> CliError {
    CliError(format!("The output could not be written: {error}."))
}

#[expect(clippy::disallowed_methods, reason = "the writer to standard output")]
fn try_write_out(text: &str) -> io::Result<()> {
    let mut output = io::stdout();
    output.write_all(text.as_bytes()).and_then(|()| output.flush())
}

/// Writes a part of the bytes to standard error.
#[expect(clippy::disallowed_methods, reason = "the writer to standard error")]
pub(super) fn write_error(bytes: &[u8]) -> io::Result<usize> {
    io::stderr().write(bytes)
}
