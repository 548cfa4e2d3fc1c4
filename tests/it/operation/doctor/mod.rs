//! `keydesk doctor`: an incident of each kind is caused, and the command names it.

mod good;
mod of_database;
mod of_files;
mod of_server;

use std::path::Path;

use crate::cli::{Serving, keydesk, keydesk_at, text};

/// The exit code of an examination, and a line for each subject.
struct Examined {
    code: i32,
    lines: String,
}

impl Examined {
    /// Fails unless this is the first trouble.
    fn expect(&self, code: i32, line: &str) {
        assert!(self.lines.lines().any(|own| own.starts_with(line)), "no “{line}”: {}", self.lines);
        assert_eq!(self.code, code, "{}", self.lines);
    }
}

/// Examines an installation, with the server at this address.
fn examine(data_dir: &Path, url: &str, address: &str, flags: &[&str]) -> Examined {
    let mut command = keydesk_at(data_dir, address);
    let output = command.args(["doctor", "--database-url", url]).args(flags).output().unwrap();
    let is_expected =
        |line: &str| line.contains("the database went back") || line.contains("synchronous_commit is off");
    assert!(text(&output.stderr).lines().all(is_expected), "{output:?}");
    Examined { code: output.status.code().unwrap(), lines: text(&output.stdout) }
}

/// The address of an installation without a server.
const NO_SERVER: &str = "127.0.0.1:9";

/// A running server on a database.
fn serve(data_dir: &Path, url: &str, flags: &[&str]) -> Serving {
    let mut command = keydesk(data_dir);
    command.args(["--database-url", url]).args(flags);
    Serving::start(command, 2)
}

/// The address of a running server.
fn address(serving: &Serving) -> String {
    serving.line("Listening on http://")
}
