//! The one writer to the terminal and the log. Names, ids and messages may come from a file, a database or a request:
//! control, format and line characters are escaped in everything but the line feeds that this module writes.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use super::error::CliError;
use crate::domain::text::escape::{Escaped, is_unprintable};

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
    write_out(&joined(lines))
}

/// Writes lines to standard error, which may be closed.
pub(super) fn report_lines(lines: impl IntoIterator<Item: Display>) {
    let _ = write_error(joined(lines).as_bytes());
}

fn joined(lines: impl IntoIterator<Item: Display>) -> String {
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

#[expect(clippy::disallowed_methods, reason = "the writer to standard error")]
fn write_error(bytes: &[u8]) -> io::Result<()> {
    io::stderr().write_all(bytes)
}

/// Writes the log to standard error. Each write is one event on one line.
pub(super) struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        if line.chars().any(is_unprintable) {
            write_error(format!("{}\n", Escaped(line)).as_bytes())?;
        } else {
            write_error(event)?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
