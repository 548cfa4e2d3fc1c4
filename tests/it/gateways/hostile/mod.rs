//! Hostile requests to each gateway, with hypercorn as the platform.

mod cases;
mod connections;
mod http2;
mod names;
mod recording_platform;

use self::cases::{Case, Expected, Table};
pub use self::names::IDENTITY;
use self::recording_platform::{Arrival, RecordingPlatform};
use super::client::{Client, WEBSOCKET, bearer, head};
use super::message::Message;
use super::process::{Gateway, Start};
use crate::support::{TestServer, figures};

/// A text frame with a masked "ping", and the frame that echoes it.
const PING: &[u8] = b"\x81\x84\0\0\0\0ping";
const ECHO: &[u8] = b"\x81\x04ping";

pub fn no_hostile_request_passes(start: Start) {
    let (keydesk, platform) = (TestServer::start(), RecordingPlatform::start());
    let gateway = start(keydesk.address, platform.address);
    let (_, key) = keydesk.admin().create_key("Entrée Sync 7");
    let approval = keydesk.anonymous().bearer("/v1/forward-auth", &key).expect(200);
    let identity = IDENTITY.map(|name| approval.header(name).to_owned());

    let table = Table::with_key(&key);
    let answers: Vec<_> = table.cases.iter().map(|case| exchange(&gateway, case)).collect();
    let last = head("GET", "/last", &[&bearer(&key)]);
    assert_eq!(sent(&gateway, last.as_bytes()).read().unwrap().status(), 200);
    let arrivals = platform.arrivals_until("/last");

    let mut faults = Vec::new();
    for arrival in &arrivals {
        faults.extend(faults_of(arrival, &identity).map(|fault| format!("{fault}: {arrival:?}")));
        let case = table.cases.iter().find(|case| arrival.target.ends_with(&case.target));
        if case.is_none() && arrival.target != "/last" {
            faults.push(format!("an unexpected request arrived: {arrival:?}"));
        }
    }
    for (case, answer) in table.cases.iter().zip(&answers) {
        let arrived: Vec<_> = arrivals.iter().filter(|arrival| arrival.target.ends_with(&case.target)).collect();
        if !is_as_expected(case, answer.as_ref(), &arrived) {
            faults.push(format!("{}: not {:?}: {answer:?} {arrived:?}", case.name, case.expected));
        }
    }
    figures::print("S9", format!("{} faults by {} hostile requests", faults.len(), table.cases.len()));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// As `deploy/README.md` says.
pub fn an_open_websocket_outlives_its_key(start: Start) {
    let (keydesk, platform) = (TestServer::start(), RecordingPlatform::start());
    let gateway = start(keydesk.address, platform.address);
    let admin = keydesk.admin();
    let (id, key) = admin.create_key("ERP Sync");
    let open = || sent(&gateway, head("GET", "/", &[&[bearer(&key).as_str()], &WEBSOCKET[..]].concat()).as_bytes());
    let mut websocket = open();
    assert_eq!(websocket.read().unwrap().status(), 101);
    admin.revoke(&id, "compromised", "").expect(303);
    websocket.try_write(PING);
    assert_eq!(websocket.read_some(), ECHO);
    assert_eq!(open().read().unwrap().status(), 401);
}

/// A new connection on which these bytes were sent.
fn sent(gateway: &Gateway, bytes: &[u8]) -> Client {
    let mut client = gateway.client();
    client.try_write(bytes);
    client
}

/// The answer to a case, unless the connection was closed or the answer is HTTP/2.
fn exchange(gateway: &Gateway, case: &Case) -> Option<Message> {
    let mut client = sent(gateway, &case.request);
    if case.request.starts_with(b"PRI * HTTP/2.0") {
        let mut received = Vec::new();
        while !http2::is_answered(&received) {
            let bytes = client.read_some();
            if bytes.is_empty() {
                break;
            }
            received.extend(bytes);
        }
        return None;
    }
    let answer = client.read();
    if !case.then.is_empty() {
        client.try_write(&case.then);
        client.read_some();
    }
    answer
}

fn is_as_expected(case: &Case, answer: Option<&Message>, arrived: &[&Arrival]) -> bool {
    let status = answer.map(Message::status);
    let allowed_origin = answer.map_or("", |answer| answer.only("access-control-allow-origin"));
    let is_refused = status.is_none_or(|status| status >= 400);
    let kind = arrived.first().map_or("", |arrival| arrival.kind.as_str());
    match case.expected {
        Expected::Passes => status == Some(200) && arrived.len() == 1 && arrived[0].is_whole(&case.request),
        Expected::Refused => is_refused && arrived.is_empty(),
        Expected::CleanOrRefused => status != Some(101) && arrived.len() <= 1 && kind != "websocket",
        Expected::Preflight => {
            matches!(status, Some(200 | 204)) && allowed_origin == "https://app.example.com" && arrived.is_empty()
        }
        Expected::OtherOrigin => status != Some(101) && allowed_origin.is_empty() && arrived.is_empty(),
        Expected::WebSocket => status == Some(101) && arrived.len() == 1 && kind == "websocket",
    }
}

/// Whether anything in a request came past the gateway.
fn faults_of(arrival: &Arrival, identity: &[String; 5]) -> impl Iterator<Item = &'static str> {
    let is_named = IDENTITY
        .iter()
        .zip(identity)
        .all(|(name, value)| arrival.read_as(name) == [(name.to_lowercase().as_str(), value.as_str())]);
    let is_forged = arrival.headers.iter().any(|(_, value)| value.contains("forged"));
    let is_dropped_next =
        arrival.read_as("Connection").iter().any(|(_, value)| value.to_lowercase().contains("keydesk"));
    let has = |name| !arrival.read_as(name).is_empty();
    [
        (!is_named, "the identity is wrong"),
        (is_forged, "a forged header arrived"),
        (is_dropped_next, "the next proxy would drop an identity header"),
        (arrival.version == "2", "a tunnel was opened"),
        (has("Authorization"), "the key arrived"),
        (has("HTTP2-Settings"), "HTTP2-Settings arrived"),
        (has("Upgrade") && arrival.kind != "websocket", "an upgrade arrived"),
    ]
    .into_iter()
    .filter_map(|(is_fault, fault)| is_fault.then_some(fault))
}
