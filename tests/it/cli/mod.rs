//! The program: output, refused settings and exit codes.

mod commands;
mod company_commands;
mod help;
mod key_commands;
mod key_import;
mod printed;
mod reading;
mod reference;
pub mod start;
mod user_commands;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::NamedTempFile;

/// The program with its own data folder, no `KEYDESK_` variables and a free port.
pub fn keydesk(data_dir: &Path) -> Command {
    keydesk_at(data_dir, "127.0.0.1:0")
}

/// Like [`keydesk`], listening on this address.
pub fn keydesk_at(data_dir: &Path, address: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keydesk"));
    for (name, _) in std::env::vars() {
        if name.starts_with("KEYDESK_") {
            command.env_remove(name);
        }
    }
    command.arg("--data-dir").arg(data_dir).env("KEYDESK_LISTEN", address);
    command
}

/// Runs a command with `input` on its standard input.
pub fn run(data_dir: &Path, url: &str, words: &[&str], input: &str) -> Output {
    let mut command = keydesk(data_dir);
    command.args(words).args(["--database-url", url]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A running server process. Dropping it kills the process.
pub struct Serving {
    child: Child,
    pub lines: Vec<String>,
    log: NamedTempFile,
}

impl Serving {
    /// Starts the server and reads the first `lines` lines of its output.
    pub fn start(mut command: Command, lines: usize) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log.reopen().unwrap()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let lines = output.lines().take(lines).map(Result::unwrap).collect();
        Self { child, lines, log }
    }

    /// The rest of the line that starts with `label`.
    pub fn line(&self, label: &str) -> String {
        self.lines.iter().find_map(|line| line.strip_prefix(label)).unwrap().to_owned()
    }

    /// The standard error until now.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// Stops the process until [`Self::thaw`]. Its connections stay open.
    pub fn freeze(&self) {
        self.signal("-STOP");
        let state = || Command::new("ps").args(["-o", "state=", "-p", &self.child.id().to_string()]).output().unwrap();
        while !text(&state().stdout).contains('T') {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let kill = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status().unwrap();
        assert!(kill.success());
    }

    /// Sends SIGTERM, as a service manager does. Returns the exit code.
    pub fn stop(mut self) -> i32 {
        self.signal("-TERM");
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
