//! The server notices while it runs, and refuses what it cannot know.

use super::{keep, put_back, readiness, size, with_kept_trails};
use crate::support::browser::send;
use crate::support::{API_KEYS, AUDIT_TRAIL, Browser, TestServer, USERS, database};
use crate::witness::wait_until;

const MALFORMED: &str = "goa_00000000000000000000000000000000000000";
/// A well-formed key that no company has.
const UNKNOWN: &str = "goa_000000000000000000000000000000000BvU0h";

fn introspect(server: &TestServer, credential: &str, key: &str) -> (u16, String) {
    let request = server.anonymous().request("POST", "/v1/introspect").bearer_auth(credential);
    let answer = send(request.form(&[("token", key)]));
    (answer.status, answer.body)
}

fn revoke(server: &TestServer, key: &str) -> u16 {
    send(server.anonymous().request("POST", "/v1/revoke").form(&[("token", key)])).status
}

fn warning(browser: &Browser, path: &str) -> String {
    browser.get(path).expect(200).html().texts(".banner.error").concat()
}

#[test]
fn a_shortened_trail_stops_its_company_alone() {
    let server = TestServer::start();
    let (admin, auditor, other) = (server.admin(), server.auditor(), server.other_company_admin());
    let credential = gateway(&server);
    let (id, key) = admin.create_key("ERP Sync");
    let (_, others_key) = other.create_key("ERP Sync");
    server.compare_trails();
    keep(&server.database_url, "old");
    let before = size(&server, "Brightwater");
    admin.revoke(&id, "compromised", "").expect(303);
    let (_, lost_key) = admin.create_key("Created and lost");
    assert_eq!((server.whoami(&key), server.whoami(&lost_key)), (401, 200));
    put_back(&server.database_url, "old");
    let unknown = "NOT IN (SELECT key_id FROM old_events WHERE key_id IS NOT NULL)";
    let usage = ["key_usage", "key_usage_hours", "key_clients"].map(|table| format!("DELETE FROM {table};")).concat();
    database::tamper(&server.database_url, &format!("{usage} DELETE FROM api_keys WHERE id {unknown}"));
    server.compare_trails();

    for refused in [&key, &lost_key] {
        assert_eq!(server.whoami(refused), 503);
        assert_eq!(server.anonymous().bearer("/v1/forward-auth", refused).status, 503);
        assert_eq!(introspect(&server, &credential, refused).0, 503);
        assert_eq!(revoke(&server, refused), 503);
    }
    assert_eq!((server.whoami(&others_key), server.whoami(MALFORMED), server.whoami(UNKNOWN)), (200, 401, 503));
    assert_eq!(introspect(&server, &credential, &others_key).0, 200);
    assert_eq!(readiness(&server), 503);
    assert!(server.anonymous().get("/metrics").body.contains("keydesk_shortened_trails 1"));

    let remembered = server.actions.memory.trail(server.company("Brightwater").into()).unwrap().size();
    let lost = i64::try_from(remembered).unwrap() - before;
    let missing = format!("{lost} events are missing from the audit trail; keys revoked in them may be valid again.");
    for path in [API_KEYS, AUDIT_TRAIL, USERS, "/account"] {
        for browser in [&admin, &auditor] {
            assert!(warning(browser, path).contains(&missing), "{path}");
        }
        assert_eq!(warning(&other, path), "", "{path}");
    }
    let refused = admin.revoke(&id, "compromised", "").expect(503);
    assert!(refused.body.contains("Changes are paused") && refused.body.contains("are missing"), "{}", refused.body);
    assert_eq!(size(&server, "Brightwater"), before);
    other.create_key("Reporting");
}

#[test]
fn a_change_is_refused_before_the_next_comparison() {
    let (server, admin, id, _) = with_kept_trails();
    admin.revoke(&id, "compromised", "").expect(303);
    put_back(&server.database_url, "old");
    let before = size(&server, "Brightwater");
    admin.revoke(&id, "compromised", "").expect(503);
    assert_eq!(size(&server, "Brightwater"), before);
}

#[test]
fn a_company_is_served_again_once_the_missing_events_are_back() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    keep(&server.database_url, "old");
    admin.revoke(&id, "compromised", "").expect(303);
    server.compare_trails();
    keep(&server.database_url, "latest");
    put_back(&server.database_url, "old");
    server.compare_trails();
    assert_eq!((server.whoami(&key), readiness(&server)), (503, 503));
    put_back(&server.database_url, "latest");
    database::tamper(
        &server.database_url,
        "UPDATE api_keys SET revoked_at = created_at, revoked_by_type = 'user', revoked_by = created_by, revocation_reason = 'compromised'",
    );
    server.compare_trails();
    assert_eq!((server.whoami(&key), readiness(&server)), (401, 200));
    assert_eq!(warning(&admin, API_KEYS), "");
    admin.create_key("Reporting");
}

#[test]
fn another_end_of_the_same_length_or_longer_is_noticed() {
    let (server, admin, id, key) = with_kept_trails();
    admin.revoke(&id, "compromised", "").expect(303);
    put_back(&server.database_url, "old");
    // A server that remembers nothing goes on from the older state.
    let stranger = server.second_node();
    let without_memory = Browser::new(stranger.address);
    let cookie = crate::support::PASSWORD;
    without_memory.post("/sign-in", &[("email", "maria@brightwater.example"), ("password", cookie)]);
    assert_eq!(size(&stranger, "Brightwater"), size(&server, "Brightwater"));
    server.compare_trails();
    assert_eq!((server.whoami(&key), readiness(&server)), (503, 503));
    assert!(warning(&admin, API_KEYS).contains("Events of the audit trail were replaced"));
    without_memory.create_key("Reporting");
    server.compare_trails();
    assert_eq!((server.whoami(&key), readiness(&server)), (503, 503));
    assert_eq!((stranger.whoami(&key), readiness(&stranger)), (200, 200));
}

#[test]
fn a_database_that_was_put_back_while_out_of_reach_answers_nothing_first() {
    if database::postgres().is_none() {
        return;
    }
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let copy = database::copy(&server.database_url);
    wait_until("the server is back", || readiness(&server) == 200 && server.whoami(&key) == 200);
    admin.revoke(&id, "compromised", "").expect(303);
    assert_eq!(server.whoami(&key), 401);
    database::allow_connections(&server.database_url, false);
    wait_until("the server misses its database", || server.actions.memory.is_unconfirmed());
    database::replace_by(&server.database_url, &copy);
    wait_until("the older database is noticed", || {
        assert_eq!(server.whoami(&key), 503);
        server.anonymous().get("/metrics").body.contains("keydesk_shortened_trails 1")
    });
    assert_eq!(server.whoami(&key), 503);
}

#[test]
fn gateways_are_not_trusted_while_the_installations_trail_is_shortened() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    let kept = gateway(&server);
    server.compare_trails();
    keep(&server.database_url, "old");
    super::command(&server, &["gateway", "add", "Other"]);
    server.compare_trails();
    put_back(&server.database_url, "old");
    server.compare_trails();
    assert_eq!(introspect(&server, &kept, &key).0, 503);
    assert_eq!(introspect(&server, "unknown", &key).0, 503);
    assert_eq!((server.whoami(&key), readiness(&server)), (200, 503));
}

fn gateway(server: &TestServer) -> String {
    let added = super::command(server, &["gateway", "add", "Edge"]);
    String::from_utf8(added.stdout).unwrap().trim().to_owned()
}
