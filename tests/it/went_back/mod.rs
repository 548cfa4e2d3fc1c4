//! A database that is put back to an older state.

mod accepted;
mod first_start;
mod key_changes;
mod memory;
mod serving;
mod witnesses;

use std::process::Output;

use crate::cli;
use crate::support::{Browser, TestServer, database};

const EVENT_COLUMNS: &str = "trail_id, sequence, id, at, action, actor_type, actor_id, key_id, target_type, target_id, \
    before_json, after_json, reason, comment, client_address, user_agent, request_id, leaf_hash";

const UNREVOKED: &str = "revoked_at = NULL, revoked_by_type = NULL, revoked_by = NULL, revocation_reason = NULL, \
    revocation_comment = NULL, replaced_by = NULL";

/// Keeps the trails as they are now under a name.
fn keep(url: &str, name: &str) {
    let copies = format!(
        "CREATE TABLE {name}_events AS SELECT {EVENT_COLUMNS} FROM events; \
         CREATE TABLE {name}_heads AS SELECT id, size, frontier, checkpoint FROM audit_trails;"
    );
    database::tamper(url, &copies);
}

/// Puts the trails back to what was kept, and makes all keys valid again, as a restored copy of the database does.
fn put_back(url: &str, name: &str) {
    let unlock = database::unlock_events().replace("DROP TRIGGER", "DROP TRIGGER IF EXISTS");
    let statements = format!(
        "{unlock} DELETE FROM events; INSERT INTO events ({EVENT_COLUMNS}) SELECT {EVENT_COLUMNS} FROM {name}_events; \
         UPDATE audit_trails SET (size, frontier, checkpoint) = \
         (SELECT size, frontier, checkpoint FROM {name}_heads WHERE {name}_heads.id = audit_trails.id) \
         WHERE id IN (SELECT id FROM {name}_heads); UPDATE api_keys SET {UNREVOKED};"
    );
    database::tamper(url, &statements);
}

/// A server that remembers its trails, one of its admins, and the id and the key of an active key. Its trails are kept as
/// `old`.
fn with_kept_trails() -> (TestServer, Browser, String, String) {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    server.compare_trails();
    keep(&server.database_url, "old");
    (server, admin, id, key)
}

fn size(server: &TestServer, company: &str) -> i64 {
    let trail = server.company(company).into();
    server.actions.store.query(|db| db.trails().head(trail)).unwrap().size
}

/// Runs a command of the program on the server's installation.
fn command(server: &TestServer, words: &[&str]) -> Output {
    cli::run(server.folder.path(), &server.database_url, words, "")
}

fn accept_loss(server: &TestServer) -> Output {
    command(server, &["restore", "--accept-loss"])
}

fn readiness(server: &TestServer) -> u16 {
    server.anonymous().get("/readyz").status
}
