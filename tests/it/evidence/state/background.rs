//! The check that a server makes in the background.

use std::cell::Cell;

use crate::support::{TestServer, database};

const EVIDENCE: &str = "/administration/company-settings/evidence";

fn shown(server: &TestServer) -> String {
    server.admin().get(EVIDENCE).expect(200).html().text("#evidence-state")
}

fn metric(server: &TestServer, name: &str) -> i64 {
    let metrics = server.anonymous().get("/metrics").expect(200).body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).unwrap().to_owned();
    line.parse().unwrap()
}

#[test]
fn the_page_and_the_metrics_show_the_last_check() {
    let server = TestServer::start();
    let (id, _) = server.admin().create_key("ERP Sync");
    assert!(shown(&server).contains("not checked since this server started"), "{}", shown(&server));
    assert_eq!(metric(&server, "keydesk_audit_check_timestamp_seconds"), 0);
    server.check_state();
    assert!(shown(&server).contains("all good"), "{}", shown(&server));
    assert_eq!(metric(&server, "keydesk_audit_check_differences"), 0);
    let now = server.clock.now().as_seconds();
    assert_eq!(metric(&server, "keydesk_audit_check_timestamp_seconds"), now);
    database::tamper(&server.database_url, &format!("UPDATE api_keys SET expires_at = 1 WHERE id = '{id}'"));
    server.check_state();
    let text = shown(&server);
    assert!(text.contains("1 difference between the database and this audit trail"), "{text}");
    assert_eq!(metric(&server, "keydesk_audit_check_differences"), 1);
}

#[test]
fn a_check_pauses_after_each_batch_and_can_be_stopped() {
    let server = TestServer::start();
    server.admin().create_key("ERP Sync");
    let pauses = Cell::new(0);
    let stop = |_| {
        pauses.set(pauses.get() + 1);
        false
    };
    server.monitor.check_all(|| server.clock.now(), &stop).unwrap();
    assert_eq!(pauses.get(), 1);
    let trail = server.company("Brightwater").into();
    assert!(server.monitor.verdict(trail).is_none(), "a check that was stopped has no result");
    server.check_state();
    assert!(server.monitor.verdict(trail).is_some());
}

#[test]
fn rows_that_change_during_a_check_are_not_differences() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    let changes = Cell::new(0);
    // A change after each batch: the rows that are read next are newer than the events that were read first.
    let change = |_| {
        let number = changes.replace(changes.get() + 1);
        admin.edit(&id, &format!("ERP Sync {number}"), &server.user_id("maria@brightwater.example"));
        let (key, _) = admin.create_key(&format!("Service {number}"));
        admin.revoke(&key, "unspecified", "").expect(303);
        number < 20
    };
    server.monitor.check_all(|| server.clock.now(), &change).unwrap();
    assert!(changes.get() >= 4, "{}", changes.get());
    let verdict = server.monitor.verdict(server.company("Brightwater").into()).unwrap().verdict;
    assert_eq!(verdict, keydesk::evidence::Verdict::Fits);
}
