//! The `keydesk` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    keydesk::cli::run()
}
