//! Requests with valid keys: the whole request is forwarded with the identity headers from Keydesk.

use super::client::{WEBSOCKET, bearer};
use super::fake_upstream::FakeUpstream;
use super::message::Message;
use super::process::{Start, caddy, envoy, haproxy, nginx, older_caddy, traefik};
use crate::support::{TestServer, browser, database};

/// An approval by a fake Keydesk.
const APPROVAL: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Keydesk-Company: c\r\nX-Keydesk-Company-Name: Co\r\n\
     X-Keydesk-Service-Account: s\r\nX-Keydesk-Service-Account-Name: S%20A\r\nX-Keydesk-Key-Id: k\r\n\r\n";

const SERVICE_ACCOUNT: &str = "Entrée Sync 7";

/// The five identity headers. Fails if one is repeated.
fn identity(request: &Message) -> [&str; 5] {
    ["company", "company-name", "service-account", "service-account-name", "key-id"]
        .map(|name| request.only(&format!("x-keydesk-{name}")))
}

/// The identity headers that Keydesk sends for a key.
fn expected_identity(keydesk: &TestServer, key: &str) -> [String; 5] {
    let answer = keydesk.anonymous().bearer("/v1/forward-auth", key).expect(200);
    ["company", "company-name", "service-account", "service-account-name", "key-id"]
        .map(|name| answer.header(&format!("x-keydesk-{name}")).to_owned())
}

pub fn a_valid_key_passes_with_identity_headers(start: Start) {
    let (keydesk, platform) = (TestServer::start(), FakeUpstream::platform());
    let gateway = start(keydesk.address, platform.address);
    let (id, key) = keydesk.admin().create_key(SERVICE_ACCOUNT);
    let answer = gateway.client().get_with_key(&key);
    assert_eq!((answer.status(), answer.body.as_slice()), (200, &b"welcome"[..]), "{answer:?}");
    let received = platform.only_request();
    assert_eq!(received.start, "GET /orders/7?part=2 HTTP/1.1");
    assert_eq!(received.only("host"), "platform.example");
    let [company, company_name, service_account, service_account_name, key_id] = identity(&received);
    assert_eq!(company, keydesk.company("Brightwater").to_string());
    assert_eq!((company_name, service_account_name, key_id), ("Brightwater", "Entr%C3%A9e%20Sync%207", id.as_str()));
    assert_eq!(service_account, expected_identity(&keydesk, &key)[2]);
    assert!(received.all("authorization").is_empty(), "the platform got the key: {received:?}");
}

pub fn forged_headers_change_nothing(start: Start) {
    let (keydesk, platform) = (TestServer::start(), FakeUpstream::platform());
    let gateway = start(keydesk.address, platform.address);
    let admin = keydesk.admin();
    let (_, key) = admin.create_key(SERVICE_ACCOUNT);
    let (_, other) = admin.create_key("Forged");
    let forged_headers = [
        "X-Keydesk-Company: forged",
        "x-keydesk-company: forged",
        "X-KEYDESK-COMPANY-NAME: forged",
        "x-Keydesk-Service-Account: forged",
        "X-Keydesk-Service-Account-Name: forged",
        "X-Keydesk-Service-Account-Name: forged",
        "X-KeyDesk-Key-ID: forged",
        "X_Keydesk_Key_Id: forged",
        "X-Keydesk_Service_Account: forged",
        "X-Original-URI: /forged",
        "X-Original-URL: http://forged/v1/whoami",
        "X-Original-Method: FORGED",
        "X-Forwarded-Uri: /forged",
        "X-Forwarded-Method: FORGED",
        "X-Forwarded-Host: forged.example",
        "X-Forwarded-Proto: forged",
        "X-Forwarded-For: forged",
        "X-Forwarded-User: forged",
        "X-Forwarded-Email: forged",
        "X-Forwarded-Groups: forged",
        "X-Forwarded-Preferred-Username: forged",
        "X-Forwarded-Ssl: forged",
        "X-Forwarded-Scheme: forged",
        "X-Forwarded-Client-Cert: forged",
        "X-Original-Host: forged",
        "Forwarded: for=forged",
        // A proxy may drop every header that Connection names.
        "Connection: keep-alive, X-Keydesk-Company, X-Keydesk-Key-Id",
        "Connection: X-Keydesk-Service-Account, X-Keydesk-Service-Account-Name, X-Keydesk-Company-Name",
    ];
    let other = [format!("X-Forwarded-Authorization: Bearer {other}"), format!("Proxy-Authorization: Bearer {other}")];
    let forged_headers = [&forged_headers[..], &other.each_ref().map(String::as_str)].concat();
    let answer = gateway.client().get(&forged_headers);
    assert_eq!((answer.status(), platform.requests().len()), (401, 0), "{answer:?}");

    let own = bearer(&key);
    for upgrade in [&[][..], &WEBSOCKET] {
        assert_eq!(gateway.client().get(&[&[own.as_str()], &forged_headers[..], upgrade].concat()).status(), 200);
        let received = platform.requests().pop().unwrap();
        assert_eq!(identity(&received), expected_identity(&keydesk, &key).each_ref().map(String::as_str));
        let forged_header = received.headers.iter().find(|(_, value)| value.to_lowercase().contains("forged"));
        assert_eq!(forged_header, None);
        let underscore_header = received.headers.iter().find(|(name, _)| name.contains('_'));
        assert_eq!(underscore_header, None);
        let dropped = received.all("connection").concat().to_lowercase();
        assert!(!dropped.contains("keydesk"), "the next proxy would drop {dropped}");
    }
}

/// nginx can only remove headers by their full name, as `deploy/README.md` says.
#[test]
fn gateways_other_than_nginx_remove_families_of_headers() {
    let keydesk = FakeUpstream::answering(APPROVAL);
    for start in [caddy, older_caddy, haproxy, envoy, traefik] {
        let platform = FakeUpstream::platform();
        let gateway = start(keydesk.address, platform.address);
        let forged_headers = [
            "X-Keydesk-Scope: forged",
            "x-keydesk-: forged",
            "X-Forwarded-Company: forged",
            "X-Forwarded-Format: forged",
            "X-Original-Company: forged",
        ];
        assert_eq!(gateway.client().get(&forged_headers).status(), 200);
        let received = platform.only_request();
        let identity_headers = received.headers.iter().filter(|(name, _)| name.to_lowercase().starts_with("x-keydesk"));
        assert_eq!((identity_headers.count(), identity(&received)), (5, ["c", "Co", "s", "S%20A", "k"]));
        let forged_header = received.headers.iter().find(|(_, value)| value.contains("forged"));
        assert_eq!(forged_header, None);
    }
}

/// HAProxy passes on trailers before version 3.2, as `deploy/README.md` says.
#[test]
fn gateways_other_than_haproxy_drop_trailers() {
    let keydesk = FakeUpstream::answering(APPROVAL);
    let body = b"5\r\nhello\r\n0\r\nX-Keydesk-Company: forged\r\nX-Keydesk-Scope: forged\r\n\r\n";
    for announced in [&["Transfer-Encoding: chunked"][..], &["Transfer-Encoding: chunked", "Trailer: X-Keydesk-Scope"]]
    {
        for start in [nginx, caddy, older_caddy, envoy, traefik] {
            let platform = FakeUpstream::platform();
            let gateway = start(keydesk.address, platform.address);
            assert_eq!(gateway.client().send("POST", announced, body).status(), 200);
            let received = platform.only_request();
            assert_eq!(
                (identity(&received), received.body.as_slice()),
                (["c", "Co", "s", "S%20A", "k"], &b"hello"[..])
            );
            assert_eq!(received.only("x-keydesk-scope"), "");
        }
    }
}

pub fn usage_records_the_address_of_the_client(start: Start) {
    let platform = FakeUpstream::platform();
    let keydesk = TestServer::with(&["--trusted-proxy", "127.0.0.1"], crate::support::companies::add_brightwater);
    let gateway = start(keydesk.address, platform.address);
    let (id, key) = keydesk.admin().create_key(SERVICE_ACCOUNT);
    let client = reqwest::blocking::Client::builder().local_address(Some([127, 0, 0, 9].into())).build().unwrap();
    let request = client.get(format!("http://{}/", gateway.address)).bearer_auth(&key);
    let request = request.header("X-Forwarded-For", "203.0.113.9").header("X-Forwarded-For", "127.0.0.1");
    let request = request.header("X-Real-IP", "203.0.113.9").header("Forwarded", "for=203.0.113.9");
    browser::send(request.header("User-Agent", "orders/2.1")).expect(200);
    keydesk.record_usage();
    let rest = format!("FROM key_usage WHERE key_id = '{id}'");
    let used = |column| database::column(&keydesk.database_url, column, &rest)[0].clone().unwrap_or_default();
    assert_eq!((used("last_used_address"), used("last_used_client")), ("127.0.0.9".into(), "orders/2.1".into()));
    assert_eq!(platform.only_request().only("x-forwarded-for"), "127.0.0.9");
}

pub fn a_body_arrives_complete(start: Start) {
    let (keydesk, platform) = (TestServer::start(), FakeUpstream::platform());
    let gateway = start(keydesk.address, platform.address);
    let key = bearer(&keydesk.admin().create_key(SERVICE_ACCOUNT).1);
    let body: Vec<u8> = (0..1_048_576_u32).map(|place| place.to_be_bytes()[3] ^ place.to_be_bytes()[2]).collect();
    let chunks = body.chunks(9_999).map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    let chunked = [chunks.collect::<Vec<_>>().concat(), b"0\r\n\r\n".to_vec()].concat();
    let mut client = gateway.client();
    for (framing, sent) in [("Content-Length: 1048576", &body), ("Transfer-Encoding: chunked", &chunked)] {
        let answer = client.send("POST", &[&key, "Content-Type: application/octet-stream", framing], sent);
        assert_eq!(answer.status(), 200, "{framing}: {answer:?}");
        let received = platform.requests().pop().unwrap();
        assert_eq!(received.start, "POST /orders/7?part=2 HTTP/1.1");
        assert!(received.body == body, "{framing}: {} bytes arrived", received.body.len());
    }
}

pub fn keydesk_receives_only_the_key(start: Start) {
    let (keydesk, platform) = (FakeUpstream::answering(APPROVAL), FakeUpstream::platform());
    let gateway = start(keydesk.address, platform.address);
    let lines = ["Authorization: Bearer goa_x", "Cookie: private=1", "User-Agent: orders/2.1"];
    let sized = [&lines[..], &["Content-Length: 5"]].concat();
    let chunked = [&lines[..], &["Transfer-Encoding: chunked"]].concat();
    let upgrade = [&lines[..], &WEBSOCKET].concat();
    for mut client in [gateway.client(), gateway.client()] {
        assert_eq!(client.send("PUT", &sized, b"hello").status(), 200);
        assert_eq!(client.send("PUT", &chunked, b"5\r\nhello\r\n0\r\n\r\n").status(), 200);
        assert_eq!(client.send("GET", &upgrade, b"").status(), 200);
    }
    assert_eq!((keydesk.requests().len(), platform.requests().len()), (6, 6));
    for request in keydesk.requests() {
        assert!(request.start.ends_with(" /v1/forward-auth HTTP/1.1"), "{request:?}");
        assert_eq!((request.only("authorization"), request.only("user-agent")), ("Bearer goa_x", "orders/2.1"));
        assert!(request.body.is_empty() && request.only("content-length").trim_matches('0').is_empty(), "{request:?}");
        for name in ["cookie", "transfer-encoding", "upgrade", "connection", "x-forwarded-uri", "x-forwarded-method"] {
            assert_eq!(request.only(name), "", "{name}");
        }
    }
    assert_eq!(identity(&platform.requests()[0]), ["c", "Co", "s", "S%20A", "k"]);
    assert_eq!(keydesk.connections(), 1, "the connection to Keydesk was not reused");
}
