//! A PostgreSQL server of one test, whose settings it may change.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server, started with `tests/with_postgres`. Dropping it stops the server.
pub struct PrivatePostgres {
    script: Child,
    /// The URL of its database `postgres`, as a superuser.
    pub url: String,
}

impl PrivatePostgres {
    pub fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/with_postgres");
        let mut command = Command::new(script);
        // Reads until its standard input is closed.
        command.args(["sh", "-c", "echo \"$KEYDESK_TEST_POSTGRES_URL\"; read line || true"]);
        let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { script, url: url.trim().to_owned() }
    }

    /// Stops all processes of the server until the returned value is dropped. Their connections stay open.
    pub fn freeze(&self) -> Frozen {
        let folder = self.url.split_once('@').unwrap().1.rsplit_once('/').unwrap().0.replace("%2F", "/");
        let postmaster = fs::read_to_string(Path::new(&folder).join("data/postmaster.pid")).unwrap();
        let postmaster = postmaster.lines().next().unwrap().to_owned();
        // The parent first, so that it starts no other process.
        signal("-STOP", &[&postmaster]);
        let children = Command::new("ps").args(["-o", "pid=", "--ppid", &postmaster]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let children: Vec<&str> = children.split_whitespace().collect();
        signal("-STOP", &children);
        Frozen([&[postmaster.as_str()], children.as_slice()].concat().into_iter().map(str::to_owned).collect())
    }
}

/// The processes of a server that were stopped.
pub struct Frozen(Vec<String>);

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("-CONT", &self.0.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// Sends a signal. A worker process may have ended on its own.
fn signal(signal: &str, processes: &[&str]) {
    Command::new("kill").arg(signal).args(processes).stderr(Stdio::null()).status().unwrap();
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}
