//! Verification metrics and access to them.

use std::time::Duration;

use keydesk::build_info;

use super::UNKNOWN;
use super::outages::with_locked_keys;
use crate::support::authenticator::Authenticator;
use crate::support::{API_KEYS, Answer, PASSWORD, TestServer, browser, database};

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
    assert_eq!(server.metric("keydesk_refused_after_revocation_total"), Some(1.0));
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

#[test]
fn keys_sessions_and_events_are_counted_in_the_background() {
    const DAY: Duration = Duration::from_hours(24);
    let server = TestServer::start();
    let admin = server.admin();
    let (_, (revoked, _)) = (admin.create_key("Active"), admin.create_key("Revoked"));
    admin.revoke(&revoked, "unspecified", "").expect(303);
    let (rotated, _) = admin.create_key("Rotated");
    admin.rotate(&rotated, "1h").expect(201);
    admin.create_key_for("Expiring", "30d");
    let keys = |state: &str| server.sampled(&format!("keydesk_keys{{state=\"{state}\"}}")).unwrap();
    let by_state = || (keys("active"), keys("revoked"), keys("expired"));
    let expiring = || server.sampled("keydesk_keys_expiring_7d");
    assert_eq!((by_state(), expiring()), ((4.0, 1.0, 0.0), Some(0.0)));
    assert_eq!(server.sampled("keydesk_sessions"), Some(1.0));
    let events = database::column(&server.database_url, "count(*)", "FROM events");
    let events: f64 = events[0].as_ref().unwrap().parse().unwrap();
    assert_eq!(server.sampled("keydesk_trail_events"), Some(events));
    // The overlap ends. No job needs to run for that.
    server.advance(Duration::from_hours(2));
    assert_eq!((by_state(), server.sampled("keydesk_sessions")), ((3.0, 2.0, 0.0), Some(0.0)));
    server.advance(DAY * 24);
    assert_eq!((by_state(), expiring()), ((3.0, 2.0, 0.0), Some(1.0)));
    server.advance(DAY * 7);
    assert_eq!((by_state(), expiring()), ((2.0, 2.0, 1.0), Some(0.0)));
    server.other_company_admin().create_key("Active");
    assert_eq!(by_state(), (3.0, 2.0, 1.0));
}

#[test]
fn a_scrape_does_not_wait_for_the_database() {
    let server = TestServer::start();
    server.admin().create_key("ERP Sync");
    let active = "keydesk_keys{state=\"active\"}";
    assert_eq!(server.sampled(active), Some(1.0));
    with_locked_keys(&server.database_url, || {
        let sampler = server.sampler.clone();
        let sample = std::thread::spawn(move || sampler.sample());
        // On PostgreSQL the sample waits for the lock, which is released after the scrapes.
        for _ in 0..20 {
            assert_eq!(server.metric(active), Some(1.0));
        }
        assert!(database::postgres().is_none() || !sample.is_finished());
    });
}

#[test]
fn responses_and_sign_ins_are_counted() {
    let server = TestServer::start();
    let requests = |class: &str, status: u16| {
        server.metric(&format!("keydesk_http_requests_total{{class=\"{class}\",status=\"{status}\"}}"))
    };
    let outcomes = ["signed_in", "code_required", "refused", "throttled", "blocked"];
    let sign_ins =
        || outcomes.map(|outcome| server.metric(&format!("keydesk_sign_ins_total{{outcome=\"{outcome}\"}}")));
    assert_eq!(sign_ins(), [Some(0.0); 5]);
    let admin = server.admin();
    let guess = || server.anonymous().post("/sign-in", &[("email", "x@example.com"), ("password", "not it")]);
    let refused = f64::from((0..20).map(|_| u8::from(guess().status == 422)).sum::<u8>());
    assert!((5.0..10.0).contains(&refused), "{refused}");
    Authenticator::set_up(&admin, server.clock.now());
    let fields = [("email", "maria@brightwater.example"), ("password", PASSWORD)];
    let browser = server.anonymous();
    browser.post("/sign-in", &fields).expect_redirect("/sign-in/code");
    browser.post("/sign-in/code", &[("code", "000000")]).expect(422);
    assert_eq!(sign_ins(), [1.0, 1.0, refused + 1.0, 20.0 - refused, 0.0].map(Some));
    let before = requests("page", 200).unwrap();
    admin.get(API_KEYS).expect(200);
    assert_eq!(requests("page", 200), Some(before + 1.0));
    assert_eq!(requests("page", 422), Some(refused + 1.0));
    server.whoami("nonsense");
    assert_eq!((requests("machine", 401), requests("machine", 200)), (Some(1.0), None));
    assert!(requests("monitoring", 200) > Some(5.0));
}

#[test]
fn the_store_and_the_process_are_measured() {
    let server = TestServer::start();
    server.admin().create_key("ERP Sync");
    let metric = |name: &str| server.metric(name).unwrap_or_else(|| panic!("no {name}"));
    for kind in ["read", "write"] {
        assert!(metric(&format!("keydesk_store_seconds_count{{kind=\"{kind}\"}}")) > 0.0);
    }
    let connections = ["in_use", "idle", "unopened"].map(|state| {
        let name = format!("keydesk_store_connections{{state=\"{state}\"}}");
        metric(&name)
    });
    assert!(connections.iter().sum::<f64>() >= 9.0 && connections[1] >= 1.0, "{connections:?}");
    let build = (build_info::VERSION, build_info::COMMIT);
    let version = format!("keydesk_build_info{{version=\"{}\",commit=\"{}\"}}", build.0, build.1);
    assert_eq!(server.metric(&version), Some(1.0));
    assert_eq!(server.metric("keydesk_wal_bytes").is_some(), database::postgres().is_none());
    for name in ["keydesk_store_errors_total", "keydesk_log_lines_dropped_total", "keydesk_clock_offset_seconds"] {
        assert!(metric(name) >= 0.0);
    }
    for name in ["cpu_seconds_total", "open_fds", "max_fds", "threads", "resident_memory_bytes", "start_time_seconds"] {
        assert!(metric(&format!("process_{name}")) > 0.0);
    }
    assert_eq!(server.metric("keydesk_checkpoint_unwitnessed_seconds"), None, "there is no witness");
}
