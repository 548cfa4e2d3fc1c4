//! The program: output, refused settings and exit codes.

mod commands;
mod company_commands;
mod help;
mod key_commands;
mod key_import;
mod key_prefixes;
mod log;
mod log_reader;
mod printed;
mod reading;
mod reference;
mod refused_starts;
pub mod start;
mod user_commands;
mod version;

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::support::{API_KEYS, Browser, PASSWORD};

/// The email address of the admin whom [`Serving::set_up`] creates.
pub const ADMIN: &str = "maria@brightwater.example";

/// The program with its own data folder, no `KEYDESK_` variables and a free port.
pub fn keydesk(data_dir: &Path) -> Command {
    keydesk_at(data_dir, "127.0.0.1:0")
}

/// Like [`keydesk`], listening on this address.
pub fn keydesk_at(data_dir: &Path, address: &str) -> Command {
    program_at(Path::new(env!("CARGO_BIN_EXE_keydesk")), data_dir, address)
}

/// Like [`keydesk_at`], with a program of another version.
pub fn program_at(program: &Path, data_dir: &Path, address: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars() {
        if name.starts_with("KEYDESK_") {
            command.env_remove(name);
        }
    }
    command.arg("--data-dir").arg(data_dir).env("KEYDESK_LISTEN", address);
    command
}

/// Lets another program call this one, after its own arguments and with the same variables.
pub fn called_by(mut caller: Command, program: &Command) -> Command {
    caller.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => caller.env(name, value),
            None => caller.env_remove(name),
        };
    }
    caller
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
    output: Lines<BufReader<ChildStdout>>,
    pub lines: Vec<String>,
    log: NamedTempFile,
}

impl Serving {
    /// Starts the server and reads the first `lines` lines of its output.
    pub fn start(command: Command, lines: usize) -> Self {
        let mut serving = Self::spawn(command);
        serving.read_lines(lines);
        serving
    }

    /// Starts the server, which may wait before it prints a line.
    pub fn spawn(mut command: Command) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log.reopen().unwrap()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, output, lines: Vec::new(), log }
    }

    /// Reads the next lines of its output.
    pub fn read_lines(&mut self, lines: usize) {
        self.lines.extend(self.output.by_ref().take(lines).map(Result::unwrap));
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The rest of the line that starts with `label`.
    pub fn line(&self, label: &str) -> String {
        let rest = self.lines.iter().find_map(|line| line.strip_prefix(label));
        rest.unwrap_or_else(|| panic!("no line “{label}”: {}", self.written_log())).to_owned()
    }

    /// A browser without a session.
    pub fn browser(&self) -> Browser {
        Browser::new(self.line("Listening on http://").parse().unwrap())
    }

    /// Opens the set-up link and creates a company with its first admin. Returns the browser, signed in.
    pub fn set_up(&self) -> Browser {
        let browser = self.browser();
        let link = self.line("Set-up link: ");
        let path = &link[link.find("/setup").unwrap()..];
        let fields = [("company_name", "Brightwater"), ("name", "Maria"), ("email", ADMIN), ("password", PASSWORD)];
        browser.get(path).expect(200);
        browser.post(path, &fields).expect_redirect(API_KEYS);
        browser
    }

    /// The standard error until now. The server writes its log in the background, in order: what was logged before is
    /// there once the line of a new request is.
    pub fn log(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let url = format!("{}/end-of-log", self.line("Listening on "));
            let Ok(answer) = reqwest::blocking::get(url) else { return self.written_log() };
            let request = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
            // The server may leave the line out while there are many.
            let next = Instant::now() + Duration::from_millis(500);
            while Instant::now() < next {
                let log = self.written_log();
                if log.contains(&request) {
                    return log;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            assert!(Instant::now() < deadline, "the log does not continue: {}", self.written_log());
        }
    }

    /// What has been written to standard error, which may lag behind.
    pub fn written_log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// Sends SIGTERM and returns the whole log.
    pub fn stop_and_read_log(mut self) -> String {
        self.signal("-TERM");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        self.written_log()
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

    pub fn signal(&self, signal: &str) {
        let kill = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status().unwrap();
        assert!(kill.success());
    }

    /// Sends SIGTERM, as a service manager does. Returns the exit code.
    pub fn stop(mut self) -> i32 {
        self.signal("-TERM");
        self.child.wait().unwrap().code().unwrap()
    }

    /// Waits until the process ends by itself, for at most this time. Returns the exit code.
    pub fn wait_for_end(&mut self, timeout: Duration) -> i32 {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or_else(|| panic!("{status}: {}", self.written_log()));
            }
            assert!(Instant::now() < deadline, "still running after {timeout:?}: {}", self.written_log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until this text has been written to standard error this many times.
    pub fn wait_for_log(&self, text: &str, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(50);
        while self.written_log().matches(text).count() < count {
            assert!(Instant::now() < deadline, "no “{text}”: {}", self.written_log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
