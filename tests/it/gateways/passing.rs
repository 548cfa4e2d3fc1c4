//! What passes: a good key, the whole request, and whose key it is, in Keydesk's own words.

use super::client::bearer;
use super::message::Message;
use super::process::{Start, caddy, haproxy};
use super::stand_in::StandIn;
use crate::support::{TestServer, browser, database};

/// Keydesk's yes, from a stand-in.
const YES: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Keydesk-Company: c\r\nX-Keydesk-Company-Name: Co\r\n\
     X-Keydesk-Service-Account: s\r\nX-Keydesk-Service-Account-Name: S%20A\r\nX-Keydesk-Key-Id: k\r\n\r\n";

const UPGRADE: [&str; 4] = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

const SERVICE_ACCOUNT: &str = "Entrée Sync 7";

/// The five headers that say whose key it is, each there once.
fn said(request: &Message) -> [&str; 5] {
    ["company", "company-name", "service-account", "service-account-name", "key-id"]
        .map(|name| request.only(&format!("x-keydesk-{name}")))
}

/// What Keydesk itself says of a key.
fn truth(keydesk: &TestServer, key: &str) -> [String; 5] {
    let answer = keydesk.anonymous().bearer("/v1/forward-auth", key).expect(200);
    ["company", "company-name", "service-account", "service-account-name", "key-id"]
        .map(|name| answer.header(&format!("x-keydesk-{name}")).to_owned())
}

pub fn a_good_key_passes_and_the_platform_learns_whose_it_is(start: Start) {
    let (keydesk, platform) = (TestServer::start(), StandIn::platform());
    let gateway = start(keydesk.address, &platform);
    let (id, key) = keydesk.admin().create_key(SERVICE_ACCOUNT);
    let answer = gateway.client().ask_with(&key);
    assert_eq!((answer.status(), answer.body.as_slice()), (200, &b"welcome"[..]), "{answer:?}");
    let seen = platform.only_request();
    assert_eq!(seen.start, "GET /orders/7?part=2 HTTP/1.1");
    assert_eq!(seen.only("host"), "platform.example");
    let [company, company_name, service_account, service_account_name, key_id] = said(&seen);
    assert_eq!(company, keydesk.company("Brightwater").to_string());
    assert_eq!((company_name, service_account_name, key_id), ("Brightwater", "Entr%C3%A9e%20Sync%207", id.as_str()));
    assert_eq!(service_account, truth(&keydesk, &key)[2]);
    assert!(seen.all("authorization").is_empty(), "the platform got the key: {seen:?}");
}

pub fn what_a_client_claims_changes_nothing(start: Start) {
    let (keydesk, platform) = (TestServer::start(), StandIn::platform());
    let gateway = start(keydesk.address, &platform);
    let admin = keydesk.admin();
    let (_, key) = admin.create_key(SERVICE_ACCOUNT);
    let (_, other) = admin.create_key("Forged");
    let claims = [
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
        // What Connection names is dropped on the way, by whoever does as he is told.
        "Connection: keep-alive, X-Keydesk-Company, X-Keydesk-Key-Id",
        "Connection: X-Keydesk-Service-Account, X-Keydesk-Service-Account-Name, X-Keydesk-Company-Name",
    ];
    let other = [format!("X-Forwarded-Authorization: Bearer {other}"), format!("Proxy-Authorization: Bearer {other}")];
    let claims = [&claims[..], &other.each_ref().map(String::as_str)].concat();
    let answer = gateway.client().ask(&claims);
    assert_eq!((answer.status(), platform.requests().len()), (401, 0), "{answer:?}");

    let own = bearer(&key);
    for upgrade in [&[][..], &UPGRADE] {
        assert_eq!(gateway.client().ask(&[&[own.as_str()], &claims[..], upgrade].concat()).status(), 200);
        let seen = platform.requests().pop().unwrap();
        assert_eq!(said(&seen), truth(&keydesk, &key).each_ref().map(String::as_str));
        let forged = seen.headers.iter().find(|(_, value)| value.to_lowercase().contains("forged"));
        assert_eq!(forged, None);
        let hidden = seen.headers.iter().find(|(name, _)| name.contains('_'));
        assert_eq!(hidden, None);
        let dropped = seen.all("connection").concat().to_lowercase();
        assert!(!dropped.contains("keydesk"), "whoever comes next would drop {dropped}");
    }
}

/// nginx removes headers by their whole name alone, and `deploy/README.md` says so.
#[test]
fn what_begins_like_a_header_of_keydesk_ends_at_caddy_and_at_haproxy() {
    let keydesk = StandIn::answering(YES);
    for start in [caddy, haproxy] {
        let platform = StandIn::platform();
        let gateway = start(keydesk.address, &platform);
        assert_eq!(gateway.client().ask(&["X-Keydesk-Scope: forged", "x-keydesk-: forged"]).status(), 200);
        let seen = platform.only_request();
        let of_keydesk = seen.headers.iter().filter(|(name, _)| name.to_lowercase().starts_with("x-keydesk"));
        assert_eq!((of_keydesk.count(), said(&seen)), (5, ["c", "Co", "s", "S%20A", "k"]));
    }
}

pub fn a_key_was_last_used_from_the_address_of_the_client(start: Start) {
    let platform = StandIn::platform();
    let keydesk = TestServer::with(&["--trusted-proxy", "127.0.0.1"], crate::support::server::add_brightwater);
    let gateway = start(keydesk.address, &platform);
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

pub fn a_body_arrives_whole(start: Start) {
    let (keydesk, platform) = (TestServer::start(), StandIn::platform());
    let gateway = start(keydesk.address, &platform);
    let key = bearer(&keydesk.admin().create_key(SERVICE_ACCOUNT).1);
    let body: Vec<u8> = (0..1_048_576_u32).map(|place| place.to_be_bytes()[3] ^ place.to_be_bytes()[2]).collect();
    let chunks = body.chunks(9_999).map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    let chunked = [chunks.collect::<Vec<_>>().concat(), b"0\r\n\r\n".to_vec()].concat();
    let mut client = gateway.client();
    for (framing, sent) in [("Content-Length: 1048576", &body), ("Transfer-Encoding: chunked", &chunked)] {
        let answer = client.send("POST", &[&key, "Content-Type: application/octet-stream", framing], sent);
        assert_eq!(answer.status(), 200, "{framing}: {answer:?}");
        let seen = platform.requests().pop().unwrap();
        assert_eq!(seen.start, "POST /orders/7?part=2 HTTP/1.1");
        assert!(seen.body == body, "{framing}: {} bytes arrived", seen.body.len());
    }
}

pub fn keydesk_is_asked_about_the_key_and_told_nothing_else(start: Start) {
    let (keydesk, platform) = (StandIn::answering(YES), StandIn::platform());
    let gateway = start(keydesk.address, &platform);
    let lines = ["Authorization: Bearer goa_x", "Cookie: private=1", "User-Agent: orders/2.1"];
    let sized = [&lines[..], &["Content-Length: 5"]].concat();
    let chunked = [&lines[..], &["Transfer-Encoding: chunked"]].concat();
    let upgrade = [&lines[..], &UPGRADE].concat();
    for mut client in [gateway.client(), gateway.client()] {
        assert_eq!(client.send("PUT", &sized, b"hello").status(), 200);
        assert_eq!(client.send("PUT", &chunked, b"5\r\nhello\r\n0\r\n\r\n").status(), 200);
        assert_eq!(client.send("GET", &upgrade, b"").status(), 200);
    }
    assert_eq!((keydesk.requests().len(), platform.requests().len()), (6, 6));
    for asked in keydesk.requests() {
        assert!(asked.start.ends_with(" /v1/forward-auth HTTP/1.1"), "{asked:?}");
        assert_eq!((asked.only("authorization"), asked.only("user-agent")), ("Bearer goa_x", "orders/2.1"));
        assert!(asked.body.is_empty() && asked.only("content-length").trim_matches('0').is_empty(), "{asked:?}");
        for name in ["cookie", "transfer-encoding", "upgrade", "connection", "x-forwarded-uri", "x-forwarded-method"] {
            assert_eq!(asked.only(name), "", "{name}");
        }
    }
    assert_eq!(said(&platform.requests()[0]), ["c", "Co", "s", "S%20A", "k"]);
    assert_eq!(keydesk.connections(), 1, "the connection to Keydesk is not kept");
}
