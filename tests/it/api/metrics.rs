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
    let get = |server: &TestServer, token: Option<&str>, forwarded: Option<&[u8]>| -> Answer {
        let request = server.anonymous().request("GET", "/metrics");
        let request = forwarded.into_iter().fold(request, |request, value| request.header("X-Forwarded-For", value));
        browser::send(token.into_iter().fold(request, |request, token| request.bearer_auth(token)))
    };
    let local = TestServer::with(&["--metrics-token", TOKEN], |_| {});
    get(&local, None, None).expect(200);
    get(&local, Some(TOKEN), None).expect(200);
    // A proxy on this machine that sends no X-Forwarded-For looks like a local client.
    for proxy in ["127.0.0.1", "10.0.0.1"] {
        let behind_proxy = TestServer::with(&["--metrics-token", TOKEN, "--trusted-proxy", proxy], |_| {});
        let forwarded: [Option<&[u8]>; 5] = [None, Some(b"203.0.113.9"), Some(b"127.0.0.1"), Some(b"\xe9"), Some(b"")];
        for forwarded in forwarded {
            get(&behind_proxy, None, forwarded).expect(404);
            get(&behind_proxy, Some("another-token-here"), forwarded).expect(404);
            get(&behind_proxy, Some(TOKEN), forwarded).expect(200);
        }
        let closed = TestServer::with(&["--trusted-proxy", proxy], |_| {});
        get(&closed, None, None).expect(404);
        get(&closed, Some(""), Some(b"203.0.113.9")).expect(404);
    }
}
