//! The secrets file is rotated: keys, sessions, forms and codes go on.

mod files;
mod never_stale;
mod people;
mod retirement;
mod rotation;
mod runbook;
mod signer;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::cli::{run, text};
use crate::support::{TestServer, database};

/// Runs a command on the installation of a server. Returns what it prints.
pub fn keydesk(server: &TestServer, words: &[&str]) -> String {
    keydesk_in(server.folder.path(), &server.database_url, words)
}

fn keydesk_in(folder: &Path, url: &str, words: &[&str]) -> String {
    let output = run(folder, url, words, "");
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The sentence with which a command fails.
fn refusal(server: &TestServer, words: &[&str]) -> String {
    let output = run(server.folder.path(), &server.database_url, words, "");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stderr)
}

/// Adds a set of secrets. Returns its id.
fn add_set(server: &TestServer) -> String {
    let output = keydesk(server, &["secrets", "rotate"]);
    output.lines().next().unwrap().strip_prefix("Added: ").unwrap().to_owned()
}

/// Adds a set of secrets, and waits until these servers use it.
fn rotate(servers: &[&TestServer]) -> String {
    let id = add_set(servers[0]);
    wait_until("the set is active", || servers.iter().all(|server| active_set(server) == id));
    id
}

fn active_set(server: &TestServer) -> String {
    server.actions.secrets.active().id().to_owned()
}

/// The pepper of a key.
fn pepper_of(server: &TestServer, key_id: &str) -> String {
    let found = database::column(&server.database_url, "pepper_id", &format!("FROM api_keys WHERE id = '{key_id}'"));
    found.into_iter().next().flatten().unwrap()
}

/// Uses a key, and waits until it is stored under this pepper.
fn renew(server: &TestServer, (id, key): &(String, String), pepper: &str) {
    assert_eq!(server.whoami(key), 200);
    wait_until("the digest is renewed", || pepper_of(server, id) == pepper);
}

pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
