//! Gateways: adding, revoking, and introspection of keys.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::UNKNOWN;
use crate::cli::{run, text};
use crate::support::{Answer, TestServer, browser, database};

fn gateway(server: &TestServer, words: &[&str]) -> (Option<i32>, String, String) {
    let output = run(server.folder.path(), &server.database_url, &[&["gateway"], words].concat(), "");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn ask(server: &TestServer, credential: &str, fields: &[(&str, &str)]) -> Answer {
    browser::send(server.anonymous().request("POST", "/v1/introspect").bearer_auth(credential).form(fields))
}

#[test]
fn introspection_answers_as_rfc_7662_says() {
    let server = TestServer::start();
    let (code, printed, error) = gateway(&server, &["add", "Edge Oslo"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    let credential = printed.strip_suffix('\n').unwrap();
    assert!(credential.len() >= 43 && !credential.contains(char::is_whitespace), "only the credential is printed");
    let (id, key) = server.admin().create_key("ERP Sync é");
    let answer = ask(&server, credential, &[("token", &key), ("token_type_hint", "access_token")]).expect(200);
    let introspection: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let account: serde_json::Value =
        serde_json::from_str::<serde_json::Value>(&server.anonymous().bearer("/v1/whoami", &key).body).unwrap();
    let expected = serde_json::json!({
        "active": true,
        "iss": server.url(""),
        "sub": account["service_account"]["id"],
        "client_id": account["service_account"]["id"],
        "key_id": id,
        "company_id": server.company("Brightwater").to_string(),
        "service_account": "ERP Sync é",
        "iat": server.clock.now().as_seconds(),
        "token_type": "api_key",
    });
    assert_eq!(introspection, expected);
    let (_, short) = server.admin().create_key_for("Reporting", "30d");
    let introspection: serde_json::Value =
        serde_json::from_str(&ask(&server, credential, &[("token", &short)]).body).unwrap();
    assert_eq!(introspection["exp"], server.clock.now().as_seconds() + 30 * 86_400);
    server.admin().revoke(&id, "unspecified", "").expect(303);
    server.advance(Duration::from_hours(30 * 24));
    for token in [key.as_str(), &short, UNKNOWN, "nonsense", "é"] {
        assert_eq!(ask(&server, credential, &[("token", token)]).expect(200).body, r#"{"active":false}"#, "{token}");
    }
}

#[test]
fn introspection_refuses_unknown_callers_and_invalid_forms() {
    let server = TestServer::start();
    let (_, printed, _) = gateway(&server, &["add", "Edge"]);
    let (_, key) = server.admin().create_key("ERP Sync");
    for credential in ["", "nonsense", &key] {
        let refused = ask(&server, credential, &[("token", &key)]).expect(401);
        assert_eq!(refused.header("www-authenticate"), r#"Bearer error="invalid_token""#);
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert!(refused.body.contains("invalid-gateway-credential"));
    }
    let credential = printed.trim();
    for fields in [&[][..], &[("token", "")], &[("other", "x")]] {
        assert!(ask(&server, credential, fields).expect(400).body.contains(r#""error":"invalid_request""#));
    }
    ask(&server, credential, &[("token", "a"), ("token", "b")]).expect(400);
    let sent = |content_type: &str, body: String| {
        let request = server.anonymous().request("POST", "/v1/introspect").bearer_auth(credential);
        browser::send(request.header("Content-Type", content_type).body(body)).status
    };
    assert_eq!(sent("application/json", "{}".to_owned()), 415);
    assert_eq!(sent("application/x-www-form-urlencoded", "token=%zz".to_owned()), 400);
    assert_eq!(sent("application/x-www-form-urlencoded", format!("token={}", "x".repeat(65_536))), 413);
    assert_eq!(server.anonymous().get("/v1/introspect").expect(405).header("allow"), "POST");
}

/// Sends a form without a bearer credential.
fn ask_as_client(server: &TestServer, basic: Option<(&str, &str)>, fields: &[(&str, &str)]) -> Answer {
    let request = server.anonymous().request("POST", "/v1/introspect").form(fields);
    browser::send(match basic {
        Some((name, secret)) => request.basic_auth(name, Some(secret)),
        None => request,
    })
}

#[test]
fn a_gateway_authenticates_as_an_oauth_client() {
    let server = TestServer::start();
    let (_, printed, _) = gateway(&server, &["add", "Edge Øst: 1"]);
    let secret = printed.trim();
    let (_, other, _) = gateway(&server, &["add", "Other"]);
    let (_, key) = server.admin().create_key("ERP Sync");
    let token = ("token", key.as_str());
    let active = |answer: Answer| answer.expect(200).body.starts_with(r#"{"active":true"#);
    assert!(active(ask_as_client(&server, Some(("Edge+%C3%98st%3A+1", secret)), &[token])));
    assert!(active(ask_as_client(&server, None, &[token, ("client_id", "edge øst: 1"), ("client_secret", secret)])));
    let refused = [
        ask_as_client(&server, Some(("Other", secret)), &[token]),
        ask_as_client(&server, Some(("Edge+%C3%98st%3A+1", other.trim())), &[token]),
        ask_as_client(&server, Some(("Edge", secret)), &[token]),
        ask_as_client(&server, Some(("", secret)), &[token]),
        ask_as_client(&server, None, &[token, ("client_id", "Other"), ("client_secret", secret)]),
        ask_as_client(&server, None, &[token, ("client_secret", secret)]),
    ];
    for answer in refused {
        let answer = answer.expect(401);
        assert_eq!(answer.header("www-authenticate"), r#"Basic realm="Keydesk", charset="UTF-8""#);
        assert!(answer.body.contains(r#""error":"invalid_client""#), "{}", answer.body);
    }
    let nothing = ask_as_client(&server, None, &[token]).expect(401);
    assert_eq!(nothing.header("www-authenticate"), r#"Bearer error="invalid_token""#);
    let both = ask_as_client(&server, Some(("Other", secret)), &[token, ("client_secret", secret)]).expect(401);
    assert!(both.body.contains("several-credentials"));
}

#[test]
fn a_gateway_that_is_revoked_while_its_body_arrives_is_refused() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    let ways = |secret: &str| {
        [
            (format!("Authorization: Bearer {secret}\r\n"), format!("token={key}")),
            (String::new(), format!("client_id=Edge&client_secret={secret}&token={key}")),
        ]
    };
    for (way, is_revoked) in [(0, true), (0, false), (1, true), (1, false)] {
        let (_, printed, _) = gateway(&server, &["add", "Edge"]);
        let (header, form) = &ways(printed.trim())[way];
        let mut stream = TcpStream::connect(server.address).unwrap();
        let length = form.len();
        let head = format!("POST /v1/introspect HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{header}");
        let head = format!("{head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&form.as_bytes()[..length - 1]).unwrap();
        if is_revoked {
            assert_eq!(gateway(&server, &["revoke", "Edge"]).0, Some(0));
        }
        stream.write_all(&form.as_bytes()[length - 1..]).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let expected = if is_revoked { "HTTP/1.1 401 " } else { "HTTP/1.1 200 " };
        assert!(answer.starts_with(expected), "{answer}");
        gateway(&server, &["revoke", "Edge"]);
    }
}

#[test]
fn a_revoked_gateway_is_refused_and_frees_its_name() {
    let server = TestServer::start();
    let (_, key) = server.admin().create_key("ERP Sync");
    let (_, printed, _) = gateway(&server, &["add", "Edge"]);
    let credential = printed.trim();
    ask(&server, credential, &[("token", &key)]).expect(200);
    let (code, _, error) = gateway(&server, &["add", " EDGE "]);
    assert_eq!((code, error.contains("A gateway named “Edge” already exists.")), (Some(1), true), "{error}");
    assert_eq!(gateway(&server, &["revoke", "edge"]).1, "Revoked: Edge\n");
    ask(&server, credential, &[("token", &key)]).expect(401);
    assert_eq!(gateway(&server, &["revoke", "Edge"]).0, Some(1));
    let (_, second, _) = gateway(&server, &["add", "Edge"]);
    ask(&server, second.trim(), &[("token", &key)]).expect(200);
    let (_, list, _) = gateway(&server, &["list"]);
    let states: Vec<_> = list.lines().map(|line| line.split('\t').take(2).collect::<Vec<_>>()).collect();
    assert_eq!(states, [["Edge", "revoked"], ["Edge", "active"]]);
    let trail = format!("action LIKE 'gateway.%' AND trail_id = '{}'", server.actions.installation);
    assert_eq!(database::count(&server.database_url, "events", &trail), 3);
    let verified = run(server.folder.path(), &server.database_url, &["audit", "verify"], "");
    assert!(verified.status.success(), "{}", text(&verified.stderr));
}
