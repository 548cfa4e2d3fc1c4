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

/// Writes a line of cells that are separated by tabs to standard output.
pub(super) fn print_row<const N: usize>(cells: [&dyn Display; N]) -> Result<(), CliError> {
    write_out(&format!("{}\n", cells.map(|cell| Escaped(cell).to_string()).join("\t")))
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

#[expect(clippy::disallowed_methods, reason = "the writer to standard output")]
fn write_out(text: &str) -> Result<(), CliError> {
    let mut output = io::stdout();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    written.map_err(|error| CliError(format!("The output could not be written: {error}.")))
}

/// Writes a part of the bytes to standard error.
#[expect(clippy::disallowed_methods, reason = "the writer to standard error")]
pub(super) fn write_error(bytes: &[u8]) -> io::Result<usize> {
    io::stderr().write(bytes)
}
