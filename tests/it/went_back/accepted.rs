//! `keydesk restore --accept-loss`, also with several servers.

use super::{accept_loss, command, keep, put_back, readiness, size, with_kept_trails};
use crate::cli::text;
use crate::support::companies::add_company;
use crate::support::{API_KEYS, AUDIT_TRAIL, Browser, TestServer, database};

/// A server whose database has lost the last revocation, and the key that is valid again.
fn went_back() -> (TestServer, Browser, String) {
    let (server, admin, id, key) = with_kept_trails();
    admin.revoke(&id, "compromised", "").expect(303);
    server.compare_trails();
    put_back(&server.database_url, "old");
    server.compare_trails();
    (server, admin, key)
}

fn last_action(server: &TestServer) -> (String, String) {
    server.trail("Brightwater").pop().unwrap()
}

#[test]
fn an_accepted_loss_is_recorded_and_the_company_served_again() {
    let (server, admin, key) = went_back();
    let left = size(&server, "Brightwater");
    let accepted = accept_loss(&server);
    assert_eq!(accepted.status.code(), Some(0), "{}", text(&accepted.stderr));
    let missing = format!("event {} is missing", left + 1);
    assert!(text(&accepted.stdout).contains(&missing), "{}", text(&accepted.stdout));
    server.compare_trails();
    assert_eq!((server.whoami(&key), readiness(&server)), (200, 200));
    let (action, after) = last_action(&server);
    assert_eq!((action.as_str(), size(&server, "Brightwater")), ("audit_trail.loss_accepted", left + 1));
    let range = format!("\"events_left\":{left},\"first_lost\":{0},\"last_lost\":{0}", left + 1);
    assert!(after.contains(&range) && after.contains("\"checkpoint\":\"keydesk/"), "{after}");
    assert!(!admin.get(API_KEYS).html().has(".banner.error"));
    admin.get(AUDIT_TRAIL).expect(200);
    admin.create_key("Reporting");
    let again = accept_loss(&server);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("no loss to accept"), "{}", text(&again.stderr));
    let restarted = server.second_server();
    assert_eq!((restarted.whoami(&key), readiness(&restarted)), (200, 200));
}

#[test]
fn the_check_of_the_trail_names_the_loss_until_it_is_accepted() {
    let (server, ..) = went_back();
    let verified = command(&server, &["audit", "verify"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(text(&verified.stdout).contains("is missing, as the server remembers"), "{}", text(&verified.stdout));
    accept_loss(&server);
    let verified = command(&server, &["audit", "verify"]);
    let printed = text(&verified.stdout) + &text(&verified.stderr);
    // The key that SQL brought back is what its events say: the revocation is lost.
    assert_eq!(verified.status.code(), Some(0), "{printed}");
}

#[test]
fn every_server_that_remembers_the_lost_events_accepts_the_loss() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let (other, late) = (server.second_node(), server.second_node());
    keep(&server.database_url, "old");
    admin.create_key("Reporting");
    late.compare_trails();
    admin.revoke(&id, "compromised", "").expect(303);
    server.compare_trails();
    other.compare_trails();
    put_back(&server.database_url, "old");
    let all = [&server, &other, &late];
    for server in &all {
        server.compare_trails();
    }
    assert_eq!(all.map(|server| server.whoami(&key)), [503; 3]);
    assert_eq!(accept_loss(&server).status.code(), Some(0));
    for server in &all {
        server.compare_trails();
    }
    assert_eq!(all.map(|server| (server.whoami(&key), readiness(server))), [(200, 200); 3]);
}

#[test]
fn an_acceptance_covers_its_own_loss_only() {
    let (server, admin, key) = went_back();
    accept_loss(&server);
    server.compare_trails();
    keep(&server.database_url, "accepted");
    admin.create_key("Reporting");
    server.compare_trails();
    put_back(&server.database_url, "accepted");
    server.compare_trails();
    assert_eq!((server.whoami(&key), readiness(&server)), (503, 503));
    assert_eq!(accept_loss(&server).status.code(), Some(0));
    server.compare_trails();
    assert_eq!((server.whoami(&key), readiness(&server)), (200, 200));
}

#[test]
fn an_acceptance_that_is_not_in_the_signed_tree_is_ignored() {
    let (server, _, key) = went_back();
    let node = server.second_node();
    accept_loss(&server);
    // The event stays in the table, and its head does not sign it.
    let heads = "UPDATE audit_trails SET (size, frontier, checkpoint) = \
        (SELECT size, frontier, checkpoint FROM old_heads WHERE old_heads.id = audit_trails.id) WHERE size > 2";
    database::tamper(&server.database_url, heads);
    server.compare_trails();
    assert_eq!((server.whoami(&key), readiness(&server)), (503, 503));
    drop(node);
}

#[test]
fn the_loss_of_a_whole_trail_is_accepted_in_the_installations_trail() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    let lost = add_company(&server.actions, "Northwind");
    server.compare_trails();
    let unlock = database::unlock_events();
    let gone = format!(
        "{unlock} DELETE FROM events WHERE trail_id = '{lost}'; DELETE FROM audit_trail_hours WHERE trail_id = '{lost}'; \
         DELETE FROM key_counts WHERE company_id = '{lost}'; DELETE FROM companies WHERE id = '{lost}'; \
         DELETE FROM audit_trails WHERE id = '{lost}';"
    );
    database::tamper(&server.database_url, &gone);
    server.compare_trails();
    assert_eq!((server.whoami(&key), readiness(&server)), (200, 503));
    let accepted = accept_loss(&server);
    assert_eq!(accepted.status.code(), Some(0), "{}", text(&accepted.stderr));
    assert!(text(&accepted.stdout).contains(&format!("the company {lost}: the trail is missing")));
    server.compare_trails();
    assert_eq!(readiness(&server), 200);
    let restarted = server.second_server();
    restarted.compare_trails();
    assert_eq!(readiness(&restarted), 200);
}
