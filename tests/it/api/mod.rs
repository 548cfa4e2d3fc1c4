//! The HTTP API.

mod forward_auth;
mod introspect;
mod metrics;
mod never_stale;
mod openapi;
mod outages;
mod revoke;
mod usage;

use std::time::Duration;

use crate::support::{Answer, TestServer, browser, database};

/// A well-formed key with a valid checksum that was never issued.
pub const UNKNOWN: &str = "goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g";

fn authorized(server: &TestServer, values: &[&str]) -> Answer {
    authorized_at(server, "/v1/whoami", values)
}

fn authorized_at(server: &TestServer, path: &str, values: &[&str]) -> Answer {
    let request = server.anonymous().request("GET", path);
    browser::send(values.iter().fold(request, |request, value| request.header("Authorization", *value)))
}

fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "x-request-id" && *name != "date")
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.body.clone())
}

#[test]
fn whoami_describes_the_key() {
    let server = TestServer::start();
    let (id, key) = server.admin().create_key("ERP Sync é");
    let answer = server.anonymous().bearer("/v1/whoami", &key).expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let identity: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(identity["key_id"], id.as_str());
    assert_eq!(identity["service_account"]["name"], "ERP Sync é");
    assert_eq!(identity["company"]["name"], "Brightwater");
    assert_eq!(identity["company"]["id"], server.company("Brightwater").to_string());
    assert!(identity["service_account"]["id"].is_string());
    assert!(identity.as_object().unwrap().contains_key("expires_at") && identity["expires_at"].is_null());
    authorized(&server, &[&format!("bearer {key}")]).expect(200);
    database::tamper(&server.database_url, "UPDATE api_keys SET expires_at = 1795510799999999");
    let answer = server.anonymous().bearer("/v1/whoami", &key).expect(200);
    assert!(answer.body.contains(r#""expires_at":"2026-11-24T08:59:59Z""#), "{}", answer.body);
}

#[test]
fn every_refusal_is_the_same() {
    let server = TestServer::start();
    let admin = server.admin();
    let (id, revoked) = admin.create_key("ERP Sync");
    admin.revoke(&id, "unspecified", "").expect(303);
    let (_, expired) = admin.create_key_for("Payroll", "30d");
    let (rotated_id, rotated) = admin.create_key("Customs");
    admin.rotate(&rotated_id, "1h").expect(201);
    server.advance(Duration::from_hours(30 * 24));
    let admin = server.admin();
    let (_, good) = admin.create_key("Reporting");
    let bearer = |key: &str| format!("Bearer {key}");
    let cases = [
        vec![],
        vec![String::new()],
        vec!["Basic abc".to_owned()],
        vec![bearer("")],
        vec![bearer("nonsense")],
        vec![bearer(&good[..41])],
        vec![bearer(&good.to_uppercase())],
        vec![bearer(UNKNOWN)],
        vec![bearer(&revoked)],
        vec![bearer(&expired)],
        vec![bearer(&rotated)],
        vec![bearer(&good), bearer(&good)],
        vec![format!("Token {good}")],
        vec![bearer(&format!("{good} {good}"))],
    ];
    let answers: Vec<_> = cases
        .iter()
        .flat_map(|values| {
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            ["/v1/whoami", "/v1/forward-auth"].map(|path| comparable(&authorized_at(&server, path, &values)))
        })
        .collect();
    assert_eq!(answers[0].0, 401);
    assert!(answers[0].1.contains(&("www-authenticate".to_owned(), r#"Bearer error="invalid_token""#.to_owned())));
    assert!(answers[0].1.contains(&("content-type".to_owned(), "application/problem+json".to_owned())));
    assert!(answers[0].2.contains(r#""type":"urn:keydesk:problem:invalid-key""#));
    assert!(answers[0].2.contains(r#""error":"invalid_token""#));
    for (case, answers_to_it) in cases.iter().zip(answers.chunks(2)) {
        assert!(answers_to_it.iter().all(|answer| *answer == answers[0]), "{case:?}: {answers_to_it:?}");
    }
    authorized(&server, &[&bearer(&good)]).expect(200);
}

#[test]
fn a_malformed_key_is_refused_without_the_database() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    database::tamper(&server.database_url, "ALTER TABLE api_keys RENAME TO hidden");
    assert_eq!(server.whoami(&key), 503);
    assert_eq!(server.whoami(&format!("{}0", &key[..41])), if key.ends_with('0') { 503 } else { 401 });
    assert_eq!(server.whoami("nonsense"), 401);
    database::tamper(&server.database_url, "ALTER TABLE hidden RENAME TO api_keys");
}

#[test]
fn unknown_paths_and_methods_get_problem_documents() {
    let server = TestServer::start();
    for path in ["/v1/nope", "/v1/", "/v1/whoami/", "/v1/nope/more"] {
        let missing = server.anonymous().get(path).expect(404);
        assert_eq!(missing.header("content-type"), "application/problem+json", "{path}");
    }
    for path in ["/v1/whoami", "/healthz", "/readyz"] {
        let answer = browser::send(server.anonymous().request("POST", path)).expect(405);
        assert_eq!(answer.header("allow"), "GET, HEAD");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert!(server.anonymous().head("/v1/whoami").expect(401).body.is_empty());
}

#[test]
fn every_problem_document_but_that_of_a_refused_key_has_the_request_id() {
    let server = TestServer::start();
    let description = server.anonymous().get("/v1/openapi.json").expect(200);
    let description: serde_json::Value = serde_json::from_str(&description.body).unwrap();
    let check = |method: &str, path: &str| {
        let answer = browser::send(server.anonymous().request(method, path));
        if answer.status < 400 {
            return;
        }
        let document: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let is_refused_key = document["type"] == "urn:keydesk:problem:invalid-key";
        let expected = if is_refused_key { None } else { Some(answer.header("x-request-id")) };
        assert_eq!(document["request_id"].as_str(), expected, "{method} {path}");
    };
    let described = description["paths"].as_object().unwrap().keys().map(String::as_str);
    for path in described.chain(["/v1/openapi.json", "/v1/nope", "/v1"]) {
        for method in ["GET", "POST", "DELETE"] {
            check(method, path);
        }
    }
    database::tamper(&server.database_url, "ALTER TABLE installation RENAME TO hidden");
    check("GET", "/readyz");
    database::tamper(&server.database_url, "ALTER TABLE hidden RENAME TO installation");
}

#[test]
fn the_health_endpoints_report_liveness_and_readiness() {
    let server = TestServer::start();
    server.anonymous().get("/healthz").expect(200);
    server.anonymous().get("/readyz").expect(200);
    database::tamper(&server.database_url, "ALTER TABLE installation RENAME TO hidden");
    server.anonymous().get("/healthz").expect(200);
    server.anonymous().get("/readyz").expect(503);
    database::tamper(&server.database_url, "ALTER TABLE hidden RENAME TO installation");
    server.anonymous().get("/readyz").expect(200);
    // As after restoring a backup from before an upgrade.
    let last = "(SELECT max(version) FROM __diesel_schema_migrations)";
    database::tamper(
        &server.database_url,
        &format!("UPDATE __diesel_schema_migrations SET version = 'x' WHERE version = {last}"),
    );
    server.anonymous().get("/readyz").expect(503);
}

#[test]
fn an_acknowledged_revocation_holds_for_every_later_request() {
    let server = TestServer::start();
    let admin = server.admin();
    for round in 0..20 {
        let (id, key) = admin.create_key(&format!("Service {round}"));
        std::thread::scope(|scope| {
            let busy = scope.spawn(|| (0..20).map(|_| server.whoami(&key)).collect::<Vec<_>>());
            admin.revoke(&id, "unspecified", "").expect(303);
            assert_eq!(server.whoami(&key), 401);
            let seen = busy.join().unwrap();
            let first_refusal = seen.iter().position(|status| *status == 401).unwrap_or(seen.len());
            assert!(seen[first_refusal..].iter().all(|status| *status == 401), "{seen:?}");
        });
    }
}
