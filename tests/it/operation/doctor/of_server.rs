//! The running server, and what it knows.

use super::{NO_SERVER, address, examine, serve};
use crate::support::browser::send;
use crate::support::{TestServer, database};

#[test]
fn a_server_that_does_not_answer_or_is_not_ready_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let serving = serve(folder.path(), &url, &["--drain", "30s"]);
    examine(folder.path(), &url, NO_SERVER, &[]).expect(19, "server: No server answers at http://127.0.0.1:9: ");
    serving.signal("-TERM");
    crate::operation::readiness::wait_until(&serving.browser(), 503);
    let examined = examine(folder.path(), &url, &address(&serving), &[]);
    examined.expect(19, "server: The server at http://127.0.0.1:");
    assert!(examined.lines.contains("is not ready. The server is about to stop."), "{}", examined.lines);
}

#[test]
fn tables_that_differ_from_the_trail_are_named() {
    let server = TestServer::with_system_clock();
    server.admin().create_key("ERP Sync");
    let examined = || examine(server.folder.path(), &server.database_url, &server.address.to_string(), &[]);
    server.check_state();
    examined().expect(0, "background check: good");
    database::tamper(&server.database_url, "UPDATE api_keys SET preview = 'goa_x…x'");
    server.check_state();
    let line = "background check: Tables are not what the audit trails say: the server found 1 differences.";
    examined().expect(24, line);
}

#[test]
fn a_proxy_that_is_not_listed_is_named() {
    let server = TestServer::with_system_clock();
    let examined = || examine(server.folder.path(), &server.database_url, &server.address.to_string(), &[]);
    examined().expect(0, "proxies: good");
    let browser = server.anonymous();
    send(browser.request("GET", "/sign-in").header("X-Forwarded-For", "203.0.113.9"));
    let line = "proxies: 127.0.0.1 sends X-Forwarded-For and is not a trusted proxy";
    examined().expect(26, line);
}

#[test]
fn a_checkpoint_that_no_witness_has_is_named() {
    let server = TestServer::with_system_clock();
    server.admin().create_key("ERP Sync");
    let witness = server.folder.path().join("checkpoints");
    let flags = ["--checkpoint-file", witness.to_str().unwrap()];
    let examined = || examine(server.folder.path(), &server.database_url, &server.address.to_string(), &flags);
    examined().expect(0, "checkpoints: good");
    let older = format!("{} UPDATE events SET at = at - 3600000000", database::unlock_events());
    database::tamper(&server.database_url, &older);
    examined().expect(23, "checkpoints: A witness has no checkpoint of events that are 60 minutes old.");
    assert!(!witness.exists(), "the file of the witness was created");
}
