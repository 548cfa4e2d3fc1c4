//! The program: everything it does is a command.

use std::process::ExitCode;

fn main() -> ExitCode {
    keydesk::cli::run()
}
