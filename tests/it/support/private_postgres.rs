//! A PostgreSQL server of one test, whose settings it may change.

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
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}
