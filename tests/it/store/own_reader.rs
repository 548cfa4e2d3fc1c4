//! Readers that belong to one thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use keydesk::store::StoreError;

use crate::support::TestServer;

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
