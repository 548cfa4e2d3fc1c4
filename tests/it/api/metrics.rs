//! Verification metrics and access to them.

use std::time::Duration;

use super::UNKNOWN;
use crate::support::{Answer, TestServer, browser, database};

const TOKEN: &str = "a-token-for-metrics";

fn counted(server: &TestServer, outcome: &str) -> u64 {
    let text = server.anonymous().get("/metrics").expect(200).body;
    let line = format!("keydesk_verifications_total{{outcome=\"{outcome}\"}} ");
    text.lines().find_map(|counted| counted.strip_prefix(&line)).unwrap().parse().unwrap()
}

#[test]
fn verifications_are_counted_by_outcome() {
    let server = TestServer::start();
    let admin = server.admin();
    let (good, (id, revoked)) = (admin.create_key_for("ERP Sync", "30d"), admin.create_key("Reporting"));
    admin.revoke(&id, "unspecified", "").expect(303);
    let outcomes = ["accepted", "revoked", "expired", "unknown", "malformed", "unavailable"];
    assert_eq!(outcomes.map(|outcome| counted(&server, outcome)), [0; 6]);
    server.whoami(&good.1);
    server.anonymous().bearer("/v1/forward-auth", &good.1);
    server.whoami(&revoked);
    server.whoami(UNKNOWN);
    server.whoami("nonsense");
    server.anonymous().get("/v1/whoami");
    server.advance(Duration::from_hours(30 * 24));
    server.whoami(&good.1);
    database::tamper(&server.database_url, "ALTER TABLE api_keys RENAME TO hidden");
    server.whoami(UNKNOWN);
    database::tamper(&server.database_url, "ALTER TABLE hidden RENAME TO api_keys");
    assert_eq!(outcomes.map(|outcome| counted(&server, outcome)), [2, 1, 1, 1, 2, 1]);
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    for (accept, kind) in [("*/*", "text/plain; version=0.0.4; charset=utf-8"), (openmetrics, openmetrics)] {
        let answer = browser::send(server.anonymous().request("GET", "/metrics").header("Accept", accept)).expect(200);
        assert_eq!(answer.header("content-type"), kind);
        let text = answer.body;
        let counters = if accept == kind { "keydesk_verifications" } else { "keydesk_verifications_total" };
        assert!(text.contains(&format!("# TYPE {counters} counter\n")), "{text}");
        assert!(text.contains("# TYPE keydesk_verification_seconds histogram\n"), "{text}");
        assert!(text.contains("keydesk_verification_seconds_count 8\n"), "{text}");
        assert_eq!(text.ends_with("# EOF\n"), accept == kind, "{text}");
    }
}

#[test]
fn metrics_need_a_local_client_or_the_token() {
    let flags = ["--metrics-token", TOKEN, "--trusted-proxy", "127.0.0.1"];
    let server = TestServer::with(&flags, |_| {});
    let from = |address: &str, token: Option<&str>| -> Answer {
        let request = server.anonymous().request("GET", "/metrics").header("X-Forwarded-For", address);
        browser::send(match token {
            None => request,
            Some(token) => request.bearer_auth(token),
        })
    };
    server.anonymous().get("/metrics").expect(200);
    from("203.0.113.9", None).expect(404);
    from("203.0.113.9", Some("another-token-here")).expect(404);
    from("203.0.113.9", Some(TOKEN)).expect(200);
    // A forged or malformed X-Forwarded-For does not make a client local.
    let hidden = browser::send(
        server.anonymous().request("GET", "/metrics").header("X-Forwarded-For", &b"\xe9, 203.0.113.9"[..]),
    );
    hidden.expect(404);
    from("127.0.0.1", None).expect(404);
    let closed = TestServer::with(&["--trusted-proxy", "127.0.0.1"], |_| {});
    let request = closed.anonymous().request("GET", "/metrics").header("X-Forwarded-For", "203.0.113.9");
    browser::send(request.bearer_auth("")).expect(404);
}
