//! Readers that belong to one thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use keydesk::domain::token::TokenDigest;
use keydesk::store::StoreError;

use super::overheard::{Overheard, SENT};
use crate::cli::{run, text};
use crate::support::TestServer;

#[test]
fn a_gateway_that_asks_many_times_at_once_is_looked_for_once_and_every_question_gets_its_answer() {
    let server = TestServer::start();
    let output = run(server.folder.path(), &server.database_url, &["gateway", "add", "Edge"], "");
    let (edge, nobody) = (TokenDigest::of(text(&output.stdout).trim()), TokenDigest::of("nobody"));
    let overheard = Overheard::on(&server.database_url);
    let (mut reader, _) = overheard.store.own_reader();
    let found = reader.gateways(&[edge, nobody, edge, edge]).unwrap();
    let names: Vec<_> = found.iter().map(|gateway| gateway.as_ref().map(|gateway| gateway.name.as_str())).collect();
    assert_eq!(names, [Some("Edge"), None, Some("Edge"), Some("Edge")]);
    let sent = SENT.with_borrow(|sent| sent.iter().filter(|statement| statement.contains("gateways")).count());
    assert_eq!(sent, 2);
}

#[test]
fn a_question_that_panics_leaves_no_reader_behind_that_sees_the_past() {
    let server = TestServer::start();
    let (company, now) = (server.company("Brightwater"), server.clock.now());
    let (mut reader, _) = server.actions.store.own_reader();
    let asked = AssertUnwindSafe(|| {
        reader.read(|questions| -> Result<(), StoreError> {
            questions.count_keys(company, now)?;
            panic!("a defect")
        })
    });
    assert!(catch_unwind(asked).is_err());
    server.admin().create_key("ERP Sync");
    let found = reader.ask(|questions| questions.count_keys(company, now)).unwrap();
    assert_eq!(found.active, 1);
}
