//! Readers that belong to one thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use keydesk::domain::token::TokenDigest;
use keydesk::store::StoreError;

use super::captured_sql::{CapturedStore, STATEMENTS};
use crate::cli::{run, text};
use crate::support::TestServer;

#[test]
fn a_batch_looks_up_each_gateway_once() {
    let server = TestServer::start();
    let output = run(server.folder.path(), &server.database_url, &["gateway", "add", "Edge"], "");
    let (edge, unknown) = (TokenDigest::of(text(&output.stdout).trim()), TokenDigest::of("unknown"));
    let captured = CapturedStore::connect(&server.database_url);
    let (mut reader, _) = captured.store.thread_reader();
    let found = reader.gateways(&[edge, unknown, edge, edge]).unwrap();
    let names: Vec<_> = found.iter().map(|gateway| gateway.as_ref().map(|gateway| gateway.name.as_str())).collect();
    assert_eq!(names, [Some("Edge"), None, Some("Edge"), Some("Edge")]);
    let is_look_up = |statement: &&String| statement.contains("gateways");
    let look_ups = STATEMENTS.with_borrow(|statements| statements.iter().filter(is_look_up).count());
    assert_eq!(look_ups, 2);
}

#[test]
fn a_read_after_a_panic_sees_new_changes() {
    let server = TestServer::start();
    let (company, now) = (server.company("Brightwater"), server.clock.now());
    let (mut reader, _) = server.actions.store.thread_reader();
    let read = AssertUnwindSafe(|| {
        reader.read(|db| -> Result<(), StoreError> {
            db.keys().count(company, now)?;
            panic!("a defect")
        })
    });
    assert!(catch_unwind(read).is_err());
    server.admin().create_key("ERP Sync");
    let counts = reader.query(|db| db.keys().count(company, now)).unwrap();
    assert_eq!(counts.active, 1);
}
