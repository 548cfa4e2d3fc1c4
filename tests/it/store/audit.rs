//! The rows of the trail: the program never changes them, and verification finds changes by others.

use std::process::Command;

use crate::cli::keydesk;
use crate::support::{TestServer, database};

fn history() -> TestServer {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    admin.create_key("Reporting");
    admin.revoke(&id, "compromised", "Leaked.").expect(303);
    server
}

fn verify(server: &TestServer) -> (i32, String) {
    let mut command: Command = keydesk(server.folder.path());
    let output = command.args(["audit", "verify", "--database-url", &server.database_url]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn a_trail_without_gaps_verifies_while_the_server_runs() {
    let server = history();
    let company = server.company("Brightwater");
    let events = server.actions.store.query(|db| db.trails().events_between(company.into(), 1..=100, 100)).unwrap();
    let numbers: Vec<i64> = events.iter().map(|(event, _)| event.sequence).collect();
    assert_eq!(numbers, (1..=6).collect::<Vec<_>>());
    let (code, said) = verify(&server);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Brightwater: 6 events") && said.contains("Installation: 0 events"), "{said}");
}

#[test]
fn events_cannot_be_changed_or_deleted() {
    let server = history();
    for statement in ["UPDATE events SET comment = 'x'", "DELETE FROM events", "DELETE FROM events WHERE sequence = 1"]
    {
        assert!(database::refuses(&server.database_url, statement), "{statement}");
    }
    if database::postgres().is_some() {
        assert!(database::refuses(&server.database_url, "TRUNCATE events"));
    }
    assert_eq!(verify(&server).0, 0);
}

#[test]
fn a_changed_trail_is_reported_with_the_event() {
    for (change, named) in [
        ("UPDATE events SET comment = 'nothing' WHERE sequence = 6", "event 6"),
        ("UPDATE events SET at = at + 1 WHERE sequence = 4", "event 4"),
        ("UPDATE events SET actor_id = NULL WHERE sequence = 5", "event 5"),
        ("UPDATE events SET key_id = NULL WHERE sequence = 4", "event 4"),
        ("DELETE FROM events WHERE sequence = 3", "event 3 is missing"),
        ("DELETE FROM events WHERE sequence = 6", "event 6 is missing"),
        ("UPDATE events SET sequence = 7 WHERE sequence = 6", "event 6 is missing"),
        (
            "INSERT INTO events (trail_id, sequence, id, at, action, actor_type, target_type, target_id, leaf_hash) \
          SELECT trail_id, 7, 'x', at, action, actor_type, target_type, target_id, leaf_hash FROM events WHERE sequence = 6",
            "event 7",
        ),
        ("UPDATE audit_trails SET size = 5 WHERE size = 6", "event 6"),
        ("UPDATE audit_trails SET checkpoint = replace(checkpoint, '6', '7') WHERE size = 6", "checkpoint"),
        (
            "UPDATE audit_trails SET checkpoint = (SELECT checkpoint FROM audit_trails WHERE size = 0) WHERE size = 6",
            "another trail",
        ),
    ] {
        let server = history();
        database::tamper(&server.database_url, &format!("{}{change}", database::unlock_events()));
        let (code, said) = verify(&server);
        assert_eq!(code, 1, "{change}: {said}");
        assert!(said.contains(named) && said.contains("Brightwater"), "{change}: {said}");
    }
}

#[test]
fn the_trail_holds_no_names_or_addresses_of_users() {
    let server = history();
    let company = server.company("Brightwater");
    let events = server.actions.store.query(|db| db.trails().events_between(company.into(), 1..=100, 100)).unwrap();
    for (event, _) in &events {
        let bytes = String::from_utf8(event.canonical_bytes()).unwrap();
        assert!(!bytes.contains("Maria") && !bytes.contains("maria@"), "{bytes}");
    }
    assert!(events.iter().any(|(event, _)| event.actor_id.is_some()));
}

#[test]
fn concurrent_writers_leave_one_trail() {
    let server = TestServer::start();
    let admin = server.admin();
    let keys: Vec<(String, String)> = (0..8).map(|number| admin.create_key(&format!("Service {number}"))).collect();
    std::thread::scope(|scope| {
        for (number, (id, _)) in keys.iter().enumerate() {
            let (server, admin) = (&server, &admin);
            scope.spawn(move || {
                if number % 2 == 0 {
                    admin.revoke(id, "unspecified", "").expect(303);
                } else {
                    let mut command = keydesk(server.folder.path());
                    let done =
                        command.args(["key", "revoke", id, "--database-url", &server.database_url]).output().unwrap();
                    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
                }
            });
        }
    });
    assert!(keys.iter().all(|(_, key)| server.whoami(key) == 401));
    let (code, said) = verify(&server);
    assert_eq!(code, 0, "{said}");
}
