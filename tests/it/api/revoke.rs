//! Revocation by the holder of a key.

use super::UNKNOWN;
use crate::support::{API_KEYS, Answer, TestServer, browser, database};

fn revoke(server: &TestServer, fields: &[(&str, &str)]) -> Answer {
    browser::send(server.anonymous().request("POST", "/v1/revoke").form(fields))
}

#[test]
fn a_key_holder_can_revoke_the_key() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let answer = revoke(&server, &[("token", &key), ("token_type_hint", "access_token")]).expect(200);
    assert!(answer.body.is_empty());
    assert_eq!(server.whoami(&key), 401);
    assert!(admin.tab("revoked").row(&id).contains("Key holder"));
    assert_eq!(server.history(&id), ["api_key.created", "api_key.revoked unspecified"]);
    assert_eq!(server.last_event(&id, "actor_type || ' ' || client_address"), "key_holder 127.0.0.1");
    assert!(admin.get(&format!("{API_KEYS}?audit=open")).html().text("dialog").contains("Key holder revoked ERP Sync"));
}

#[test]
fn the_answer_does_not_reveal_whether_a_key_exists() {
    let server = TestServer::start();
    let (id, key) = server.admin().create_key("ERP Sync");
    for token in [key.as_str(), &key, UNKNOWN, "nonsense", "é"] {
        let answer = revoke(&server, &[("token", token)]).expect(200);
        assert!(answer.body.is_empty() && answer.header("content-type").is_empty());
    }
    assert_eq!(database::count(&server.database_url, "events", &format!("key_id = '{id}'")), 2, "revoked once");
    assert!(revoke(&server, &[]).expect(400).body.contains(r#""error":"invalid_request""#));
    revoke(&server, &[("token", &key), ("token", &key)]).expect(400);
    assert_eq!(server.anonymous().get("/v1/revoke").expect(405).header("allow"), "POST");
}

#[test]
fn revoking_a_replaced_key_keeps_its_replacement() {
    let server = TestServer::start();
    let admin = server.admin();
    let old = admin.create_key("ERP Sync");
    let new = admin.rotate(&old.0, "24h").shown_key();
    revoke(&server, &[("token", &old.1)]).expect(200);
    assert_eq!((server.whoami(&old.1), server.whoami(&new.1)), (401, 200));
}

#[test]
fn a_failed_revocation_is_not_acknowledged() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    database::tamper(&server.database_url, "ALTER TABLE audit_trails RENAME TO hidden");
    revoke(&server, &[("token", &key)]).expect(503);
    database::tamper(&server.database_url, "ALTER TABLE hidden RENAME TO audit_trails");
    assert_eq!(server.whoami(&key), 200);
    revoke(&server, &[("token", &key)]).expect(200);
    assert_eq!(server.whoami(&key), 401);
}
