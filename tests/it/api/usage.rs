//! Usage of keys: counting, recording, and reports of requests after the end of a key.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use keydesk::domain::ids::KeyId;
use keydesk::domain::key::usage::{RequestSource, UsageDelta};

use crate::cli::{Serving, keydesk, run};
use crate::support::{PASSWORD, TestServer, browser, database};

/// A column of a key's recorded usage, or an empty text for NULL.
fn recorded(server: &TestServer, id: &str, column: &str) -> String {
    let rest = format!("FROM key_usage WHERE key_id = '{id}'");
    database::column(&server.database_url, column, &rest)[0].clone().unwrap_or_default()
}

/// Presents a key with this user agent. Returns the status.
fn present(server: &TestServer, key: &str, client: &str) -> u16 {
    let request = server.anonymous().request("GET", "/v1/whoami").bearer_auth(key);
    browser::send(request.header("User-Agent", client)).status
}

fn reports(server: &TestServer, id: &str) -> Vec<String> {
    let event = "after_json || ' ' || actor_type || ' ' || client_address || ' ' || user_agent";
    let rest =
        format!("FROM events WHERE key_id = '{id}' AND action = 'api_key.refused_after_revocation' ORDER BY sequence");
    database::column(&server.database_url, event, &rest).into_iter().flatten().collect()
}

#[test]
fn usage_of_several_servers_is_recorded_and_added_up() {
    let server = TestServer::start();
    let second = server.second_server();
    let (id, key) = server.admin().create_key("ERP Sync");
    for _ in 0..3 {
        assert_eq!(present(&server, &key, "curl/8.5"), 200);
    }
    assert_eq!(present(&second, &key, "curl/8.5"), 200);
    second.record_usage();
    server.record_usage();
    server.advance(Duration::from_secs(1));
    assert_eq!(present(&server, &key, "python-requests/2.32"), 200);
    server.record_usage();
    server.record_usage();
    assert_eq!(recorded(&server, &id, "last_used_at"), server.clock.now().as_micros().to_string());
    assert_eq!(
        recorded(&server, &id, "last_used_address || ' ' || last_used_client"),
        "127.0.0.1 python-requests/2.32"
    );
    let hours = format!("key_id = '{id}' AND accepted = 5 AND refused = 0");
    assert_eq!(database::count(&server.database_url, "key_usage_hours", &hours), 1);
    assert_eq!(database::count(&server.database_url, "key_clients", &format!("key_id = '{id}'")), 2);
    assert!(server.actions.usage.recorded_until() == Some(server.clock.now()));
}

#[test]
fn only_the_last_sixteen_clients_are_kept() {
    let server = TestServer::start();
    let (id, key) = server.admin().create_key("ERP Sync");
    for number in 0..20 {
        server.advance(Duration::from_secs(1));
        present(&server, &key, &format!("program/{number}"));
        if number % 3 == 0 {
            server.record_usage();
        }
    }
    server.record_usage();
    let rest = format!("FROM key_clients WHERE key_id = '{id}' ORDER BY last_seen_at");
    let kept: Vec<_> = database::column(&server.database_url, "client", &rest).into_iter().flatten().collect();
    let expected: Vec<_> = (4..20).map(|number| format!("program/{number}")).collect();
    assert_eq!(kept, expected);
}

#[test]
fn usage_older_than_ninety_days_is_deleted() {
    let server = TestServer::start();
    let (id, key) = server.admin().create_key("ERP Sync");
    present(&server, &key, "curl");
    server.record_usage();
    let hours = || database::count(&server.database_url, "key_usage_hours", &format!("key_id = '{id}'"));
    server.advance(Duration::from_hours(90 * 24));
    server.actions.delete_old_usage().unwrap();
    assert_eq!(hours(), 1);
    server.advance(Duration::from_hours(1));
    server.actions.delete_old_usage().unwrap();
    assert_eq!(hours(), 0);
    assert_ne!(recorded(&server, &id, "last_used_at"), "0");
}

#[test]
fn usage_is_kept_until_it_can_be_recorded() {
    let server = TestServer::start();
    let (id, key) = server.admin().create_key("ERP Sync");
    present(&server, &key, "curl");
    database::tamper(&server.database_url, "ALTER TABLE key_usage_hours RENAME TO hidden");
    assert!(server.try_record_usage().is_err());
    present(&server, &key, "curl");
    database::tamper(&server.database_url, "ALTER TABLE hidden RENAME TO key_usage_hours");
    server.record_usage();
    let hours = format!("key_id = '{id}' AND accepted = 2");
    assert_eq!(database::count(&server.database_url, "key_usage_hours", &hours), 1);
}

#[test]
fn refusals_after_a_revocation_are_reported_once_a_day() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    admin.revoke(&id, "compromised", "").expect(303);
    server.record_usage();
    assert!(reports(&server, &id).is_empty());
    let first_at = server.clock.now().as_micros();
    assert_eq!(present(&server, &key, "curl/8.5"), 401);
    server.advance(Duration::from_secs(1));
    assert_eq!(present(&server, &key, "thief/1.0"), 401);
    server.record_usage();
    let at = server.clock.now().as_micros();
    let report = format!(r#"{{"last_refused_at":{at},"name":"ERP Sync","refused":2}} system 127.0.0.1 thief/1.0"#);
    assert_eq!(reports(&server, &id), [report]);
    for _ in 0..3 {
        server.advance(Duration::from_hours(1));
        present(&server, &key, "curl/8.5");
        server.record_usage();
    }
    assert_eq!(reports(&server, &id).len(), 1);
    server.advance(Duration::from_hours(24));
    server.record_usage();
    assert_eq!(reports(&server, &id).len(), 2);
    assert!(reports(&server, &id)[1].contains(r#""refused":3"#), "{:?}", reports(&server, &id));
    assert_eq!(recorded(&server, &id, "refused_after_end"), "5");
    assert_eq!(recorded(&server, &id, "first_refused_at"), first_at.to_string());
    server.advance(Duration::from_hours(24));
    server.record_usage();
    assert_eq!(reports(&server, &id).len(), 2, "no request was refused since");
}

#[test]
fn refusals_of_an_expired_key_are_counted_but_not_reported() {
    let server = TestServer::start();
    let (id, key) = server.admin().create_key_for("ERP Sync", "30d");
    server.advance(Duration::from_hours(30 * 24));
    assert_eq!(present(&server, &key, "curl"), 401);
    server.record_usage();
    assert_eq!(recorded(&server, &id, "refused_after_end"), "1");
    assert!(reports(&server, &id).is_empty());
}

/// Records that a key was accepted this many seconds from now, as a server with a stale cache would.
fn accept_wrongly(server: &TestServer, id: &str, seconds: &[u64]) {
    let mut used = UsageDelta::new(server.company("Brightwater"));
    for second in seconds {
        used.count_accepted(server.clock.now() + Duration::from_secs(*second), RequestSource::default());
    }
    let used = HashMap::from([(KeyId::parse(id).unwrap(), used)]);
    let (left, done) = server.actions.record_usage(used, server.clock.now());
    assert!(done.is_ok() && left.is_empty(), "{left:?}");
}

#[test]
fn requests_accepted_after_the_end_are_counted() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, _) = admin.create_key("ERP Sync");
    admin.revoke(&id, "unspecified", "").expect(303);
    let (expiring, _) = admin.create_key_for("Reporting", "30d");
    server.advance(Duration::from_mins(1));
    accept_wrongly(&server, &id, &[0, 1, 2]);
    assert_eq!(recorded(&server, &id, "accepted_after_end"), "3");
    server.advance(Duration::from_hours(30 * 24));
    accept_wrongly(&server, &expiring, &[5]);
    assert_eq!(recorded(&server, &expiring, "accepted_after_end"), "1");
    assert_eq!(server.metric("keydesk_accepted_after_end_total"), Some(4.0));
}

#[test]
fn requests_accepted_before_the_end_are_not_counted_as_later() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    assert_eq!(present(&server, &key, "curl"), 200);
    server.advance(Duration::from_secs(1));
    admin.revoke(&id, "unspecified", "").expect(303);
    assert_eq!(present(&server, &key, "curl"), 401);
    server.record_usage();
    assert_eq!(recorded(&server, &id, "accepted_after_end || ' ' || refused_after_end"), "0 1");
    let words = ["key", "revoke"];
    let (other, key) = admin.create_key("Reporting");
    assert_eq!(present(&server, &key, "curl"), 200);
    let revoked = run(server.folder.path(), &server.database_url, &[&words[..], &[other.as_str()]].concat(), "");
    assert!(revoked.status.success());
    assert_ne!(recorded(&server, &other, "refused_since"), "", "the command records the time of the acknowledgement");
}

#[test]
fn a_stop_records_usage_and_the_log_never_contains_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::new_url(&folder);
    let run = |words: &[&str], input: &str| run(folder.path(), &url, words, input);
    run(&["company", "add", "--name", "Brightwater"], "");
    let user =
        ["user", "add", "--company", "Brightwater", "--name", "M", "--email", "m@example.com", "--role", "admin"];
    run(&[&user[..], &["--password-stdin"]].concat(), PASSWORD);
    let mut command = keydesk(folder.path());
    command.args(["--database-url", &url]).stdin(Stdio::null());
    let serving = Serving::start(command, 1);
    let address = serving.line("Listening on http://").parse().unwrap();
    let admin = browser::Browser::new(address);
    admin.post("/sign-in", &[("email", "m@example.com"), ("password", PASSWORD)]).expect(303);
    let ((good, good_key), (ended, ended_key)) = (admin.create_key("ERP Sync"), admin.create_key("Reporting"));
    admin.revoke(&ended, "unspecified", "").expect(303);
    admin.bearer("/v1/whoami", &good_key).expect(200);
    let refused = admin.bearer("/v1/whoami", &ended_key).expect(401);
    let malformed = admin.bearer("/v1/forward-auth", "nonsense").expect(401);
    let unknown = admin.bearer("/v1/whoami", super::UNKNOWN).expect(401);
    database::tamper(&url, "ALTER TABLE api_keys RENAME TO hidden");
    let unavailable = admin.bearer("/v1/whoami", super::UNKNOWN).expect(503);
    database::tamper(&url, "ALTER TABLE hidden RENAME TO api_keys");
    let log = serving.log();
    assert_eq!(log.matches(unavailable.header("x-request-id")).count(), 1, "an outage is logged once:\n{log}");
    for (answer, reason) in [(&refused, "revoked"), (&malformed, "malformed"), (&unknown, "unknown")] {
        let line = log.lines().find(|line| line.contains(answer.header("x-request-id"))).unwrap();
        assert!(line.contains("key refused") && line.contains(reason), "{line}");
        assert_eq!(line.contains(&ended), reason == "revoked", "{line}");
    }
    assert_eq!(serving.stop(), 0);
    for secret in [&good_key, &ended_key, super::UNKNOWN, "nonsense", &good_key[4..20]] {
        assert!(!log.contains(secret));
    }
    let accepted = format!("key_id = '{good}' AND accepted = 1");
    assert_eq!(database::count(&url, "key_usage_hours", &accepted), 1);
    let request = refused.header("x-request-id");
    let kept = format!("key_id = '{ended}' AND refused_after_end = 1 AND last_refused_request = '{request}'");
    assert_eq!(database::count(&url, "key_usage", &kept), 1);
}
